"""Rebuild the shipped shape models: ``python -m building.build_shape_models --data DIR --out ModelWeights``.

DIR is the training data folder. Writes ``shape_<name>.npz`` and their lines of ``manifest.json``; about two minutes on
one core. ``--report FILE`` measures the models in ``--out`` (or the shipped ones) instead: compactness, generalisation,
specificity, soundness, foreign bones.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from building.anatomy.sources import LICENCES
from building.shapes.axes import femur_facts, pelvis_facts, require, vertebra_facts
from building.shapes.landmarks import femur_landmarks, pelvis_landmarks, vertebra_landmarks
from building.shapes.lower_limb import read_lower_limbs
from building.shapes.pelvis import build_pelvis_shapes
from building.shapes.sacrum import build_sacra
from building.shapes.vertebrae import LUMBAR, pooled_shapes
from mri2mesh.anatomy import storage
from mri2mesh.anatomy.shape_models.file import PREFIX, read_shape_model, shape_model_bytes
from mri2mesh.anatomy.shape_models.local_modes import flexible
from mri2mesh.anatomy.shape_models.model import ShapeModel
from mri2mesh.anatomy.shape_models.statistics import aligned_rigidly, principal_components, vertex_areas
from mri2mesh.anatomy.shapes import VertebraShapes
from mri2mesh.weights import store
from mri2mesh.weights_manifest import WeightsEntry, sha256_of

_HIP_JOINTS = (
    "origin midway between the mean's hip joint centres; axes patient RAS as the subjects lay, on average"
)
_FEMORAL_HEAD = "origin the centre of the mean's femoral head; axes patient RAS as in the source"


def build_pelvis(data: Path) -> ShapeModel:
    """Left hip, right hip and sacrum (S1 to S3) of the 40 atlas subjects and their mirror images."""
    family = build_pelvis_shapes(data)
    shapes = np.concatenate([family.vertices, family.mirror_images()])
    parts = {name: np.unique(family.faces[family.part == k]) for k, name in enumerate(family.part_names)}
    return _model(
        "pelvis",
        shapes,
        faces=family.faces,
        part=family.part,
        part_names=family.part_names,
        subjects=family.subjects * 2,
        mirrored=np.arange(len(shapes)) >= len(family.subjects),
        mirror=family.mirror,
        landmarks=lambda mean: _pelvis_landmarks(mean, parts),
        origin=("acetabulum_centre_left", "acetabulum_centre_right"),
        frame=f"{_HIP_JOINTS}; the mean is symmetric about x = 0",
        folders=("pelvis_atlas",),
        licence="CC BY 4.0; research use",
    )


def build_limbs(data: Path) -> dict[str, ShapeModel]:
    """Left femur, right femur (mirror images) and pelvis with both, of the 26 subjects of the lower-limb model."""
    limbs = read_lower_limbs(data)
    models = {}
    for name, names in (
        ("femur_left", ("femur_left",)),
        ("femur_right", ("femur_right",)),
        ("pelvis_femur", ("hip_left", "hip_right", "sacrum", "femur_left", "femur_right")),
    ):
        sizes = np.cumsum([0] + [limbs.bones[bone].shape[1] for bone in names])
        parts = {bone: np.arange(sizes[k], sizes[k + 1]) for k, bone in enumerate(names)}
        joint = name == "pelvis_femur"
        side = name.removeprefix("femur_")

        def landmarks(mean: NDArray, parts: dict[str, NDArray] = parts) -> dict[str, NDArray]:
            found = _pelvis_landmarks(mean, parts) if "sacrum" in parts else {}
            for bone, group in parts.items():
                if bone.startswith("femur"):
                    own = bone.removeprefix("femur_")
                    require(femur_facts(mean[group], own), "lower_limb")
                    found.update(femur_landmarks(mean, group, own))
            return found

        models[name] = _model(
            name,
            np.concatenate([limbs.bones[bone] for bone in names], axis=1),
            faces=np.concatenate([limbs.faces[bone] + sizes[k] for k, bone in enumerate(names)]),
            part=np.repeat(np.arange(len(names)), [len(limbs.faces[bone]) for bone in names]),
            part_names=names,
            subjects=limbs.subjects,
            mirrored=np.full(len(limbs.subjects), name == "femur_right"),
            mirror=None,
            landmarks=landmarks,
            origin=("acetabulum_centre_left", "acetabulum_centre_right") if joint else (f"femoral_head_centre_{side}",),
            frame=_HIP_JOINTS if joint else _FEMORAL_HEAD,
            folders=("lower_limb",),
            licence="Apache-2.0",
        )  # fmt: skip
    return models


def build_sacrum(data: Path) -> ShapeModel:
    """The sacrum with a coccyx, of the lower-limb model's subjects and their mirror images."""
    limbs = read_lower_limbs(data)
    source, faces = limbs.bones["sacrum"], limbs.faces["sacrum"]
    source = aligned_rigidly(source, vertex_areas(source[0], faces))
    sacra = build_sacra(source, _source_sacrum(source, faces, limbs.subjects), data)
    shapes = np.concatenate([sacra.shapes, sacra.shapes[:, sacra.mirror] * [-1, 1, 1]])
    return _model(
        "sacrum",
        shapes,
        faces=sacra.faces,
        part=np.zeros(len(sacra.faces), np.int64),
        part_names=("sacrum",),
        subjects=limbs.subjects * 2,
        mirrored=np.arange(len(shapes)) >= len(limbs.subjects),
        mirror=sacra.mirror,
        landmarks=lambda mean: {
            "coccyx": sacra.coccyx,
            "ala_left": np.argsort(mean[:, 0])[:1],
            "ala_right": np.argsort(mean[:, 0])[-1:],
        },
        origin=("ala_left", "ala_right"),
        frame="origin midway between the outermost points of the mean's alae; axes patient RAS as the subjects lay, on "
        "average; the mean is symmetric about x = 0",
        folders=("lower_limb", "visible_human_male"),
        licence="Apache-2.0 and BSD-3-Clause",
    )


def _source_sacrum(shapes: NDArray, faces: NDArray, subjects: tuple[str, ...]) -> ShapeModel:
    """The source's sacra in their own triangles, with local modes: what another bone is fitted by."""
    mean, modes, variances, scores = principal_components(shapes)
    model = ShapeModel(
        name="sacrum",
        mean=mean,
        modes=modes,
        variances=variances,
        faces=faces,
        part=np.zeros(len(faces), np.int64),
        part_names=("sacrum",),
        landmarks={},
        scores=scores,
        subjects=subjects,
        mirrored=np.zeros(len(subjects), bool),
        attribution=(),
        licence="Apache-2.0",
        frame="patient RAS",
    )
    return flexible(model)


def build_vertebra(level: str, exclude: str | None = None) -> ShapeModel:
    """One lumbar vertebra, from the package's family; exclude: a subject to be left out entirely."""
    family = VertebraShapes.load()
    shapes, subjects, mirrored, groups = pooled_shapes(level, exclude)
    return _model(
        level,
        shapes,
        faces=family.faces,
        part=np.zeros(len(family.faces), np.int64),
        part_names=(level,),
        subjects=subjects,
        mirrored=mirrored,
        mirror=None,  # the shapes are aligned with each other already, level by level
        aligned=True,
        landmarks=lambda mean: vertebra_landmarks(mean, family.regions),
        origin=(),
        frame="origin the centroid of the vertebral body; z normal to the plane midway between the endplates, up; "
        "x to the patient's right; the mean is symmetric about x = 0",
        folders=tuple(row["name"] for row in storage.attribution("vertebrae")),
        licence="CC BY-SA 4.0",
        regions=family.regions,
        groups=groups,
    )


def _pelvis_landmarks(mean: NDArray, parts: dict[str, NDArray]) -> dict[str, NDArray]:
    left, right, sacrum = parts["hip_left"], parts["hip_right"], parts["sacrum"]
    require(pelvis_facts(mean[left], mean[right], mean[sacrum]), "pelvis")
    return pelvis_landmarks(mean, {"left": left, "right": right}, sacrum)


def _model(
    name: str,
    shapes: NDArray,
    *,
    faces: NDArray,
    part: NDArray,
    part_names: tuple[str, ...],
    subjects: tuple[str, ...],
    mirrored: NDArray,
    mirror: NDArray | None,
    landmarks: Callable[[NDArray], dict[str, NDArray]],
    origin: tuple[str, ...],
    frame: str,
    folders: tuple[str, ...],
    licence: str,
    regions: NDArray | None = None,
    aligned: bool = False,
    groups: tuple[str, ...] = (),
) -> ShapeModel:
    """Shapes in RAS, in correspondence, as a model: aligned rigidly, so that size stays in the modes."""
    if not aligned:
        shapes = aligned_rigidly(shapes, vertex_areas(shapes[0], faces), mirror)
    # All modes: with some left out, the rest would span a left-out subject's shape all the same.
    mean, modes, variances, scores = principal_components(shapes)
    if regions is not None:
        require(vertebra_facts(mean), name)
    marks = landmarks(mean)
    if origin:
        mean = mean - np.mean([mean[marks[mark]].mean(axis=0) for mark in origin], axis=0)
    return ShapeModel(
        name=name,
        mean=mean,
        modes=modes,
        variances=variances,
        faces=faces,
        part=part,
        part_names=part_names,
        landmarks=marks,
        scores=scores,
        subjects=subjects,
        mirrored=mirrored,
        attribution=tuple({"name": folder, **LICENCES[folder]} for folder in folders),
        licence=licence,
        frame=frame,
        regions=regions,
        groups=groups,
    )


NAMES = ("pelvis", "femur_left", "femur_right", "pelvis_femur", "sacrum", *LUMBAR)


def write(model: ShapeModel, folder: Path) -> Path:
    """The model's file and its line of the manifest."""
    data = shape_model_bytes(model)
    entry = WeightsEntry(
        name=PREFIX + model.name,
        file=f"{PREFIX}{model.name}.npz",
        sha256=sha256_of(data),
        licence=model.licence,
        origin="; ".join(row["source"] for row in model.attribution),
        created_by="python -m building.build_shape_models",
        metadata={"parts": list(model.part_names), "modes": len(model.modes), "vertices": len(model.mean)},
        folder=folder,
    )
    store(entry, data)
    return entry.path


def main() -> None:
    """Build the models asked for, or measure them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="the training data folder")
    parser.add_argument("--out", type=Path, required=True, help="folder of the models and their manifest")
    parser.add_argument("--only", choices=NAMES, action="append", help="only this model (repeatable)")
    parser.add_argument(
        "--report", type=Path, metavar="FILE", help="measure the models in --out; write tables here"
    )
    options = parser.parse_args()
    names = options.only or NAMES
    if options.report:
        from building.shapes.report import report

        text = report(
            {name: read_shape_model(options.out / f"{PREFIX}{name}.npz") for name in names}, options.data
        )
        options.report.write_text(text, encoding="utf-8")
        print(text)
        return
    if "pelvis" in names:
        _say(write(build_pelvis(options.data), options.out))
    if any("femur" in name for name in names):
        for name, model in build_limbs(options.data).items():
            if name in names:
                _say(write(model, options.out))
    if "sacrum" in names:
        _say(write(build_sacrum(options.data), options.out))
    for level in LUMBAR:
        if level in names:
            _say(write(build_vertebra(level), options.out))


def _say(path: Path) -> None:
    print(f"{path.name}: {path.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()

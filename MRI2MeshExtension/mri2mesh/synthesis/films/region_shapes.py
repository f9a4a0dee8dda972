"""Every pelvis and femur that films are made from, in one topology: that of the joint model of pelvis and femora.

The hips of the pelvis atlas are carried over by laying the joint model's mean on the atlas's mean once: the atlas has
point correspondence of its own, so all its subjects follow. Its sacra end at S3: the whole ones are those of the
package's family of pelves, made of the same subjects. Femora of another source are carried over in the same way.

Left-out subjects are left out here, before anything is averaged or drawn from, with their mirror images.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from mri2mesh.anatomy.pelvis_shapes import PelvisShapes
from mri2mesh.anatomy.regions import Region
from mri2mesh.anatomy.shape_models.file import read_shape_model
from mri2mesh.anatomy.shape_models.model import ShapeModel
from mri2mesh.errors import InputError
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.transforms import apply, rigid_fit
from mri2mesh.synthesis.films.correspondence import correspondence, nearest

_MIRROR = np.array([-1.0, 1.0, 1.0])


@dataclass(frozen=True)
class RegionShapes:
    """pelves: [S, V, 3] hips and sacrum, origin midway between the hip joint centres. femora: [T, W, 3] left femora,
    origin the centre of the head, turned onto their mean. pelvis_subjects, femur_subjects: whose they are.
    pelvis_sources: "limb" or "atlas" by shape. template: the joint model, whose topology and landmarks they have."""

    pelves: NDArray[np.float32]
    femora: NDArray[np.float32]
    pelvis_subjects: tuple[str, ...]
    femur_subjects: tuple[str, ...]
    pelvis_sources: tuple[str, ...]
    template: ShapeModel
    endplate: NDArray[np.int64]
    """Vertices of the pelves on the endplate of S1."""

    @property
    def pelvis_vertices(self) -> int:
        return self.pelves.shape[1]

    def without(self, subjects: Collection[str]) -> RegionShapes:
        """Everybody else's shapes. Raises ValueError where nobody would be left."""
        pelves = np.array([name not in subjects for name in self.pelvis_subjects])
        femora = np.array([name not in subjects for name in self.femur_subjects])
        return self._rows(pelves, femora)

    def only(self, subjects: Collection[str]) -> RegionShapes:
        """The shapes of some subjects alone."""
        pelves = np.array([name in subjects for name in self.pelvis_subjects])
        femora = np.array([name in subjects for name in self.femur_subjects])
        return self._rows(pelves, femora)

    def _rows(self, pelves: NDArray, femora: NDArray) -> RegionShapes:
        if not pelves.any() or not femora.any():
            raise ValueError("no pelvis or no femur is left to make films from")
        return RegionShapes(
            self.pelves[pelves],
            self.femora[femora],
            tuple(name for name, kept in zip(self.pelvis_subjects, pelves, strict=True) if kept),
            tuple(name for name, kept in zip(self.femur_subjects, femora, strict=True) if kept),
            tuple(name for name, kept in zip(self.pelvis_sources, pelves, strict=True) if kept),
            self.template,
            self.endplate,
        )

    def canonical(self) -> NDArray[np.float32]:
        """[V + 2 W, 3] mm: the place on the mean bones of every vertex of hips, sacrum, left and right femur."""
        femur = self.femora.mean(axis=0)
        return np.concatenate([self.pelves.mean(axis=0), femur, femur * _MIRROR]).astype(np.float32)

    def save(self, path: Path) -> None:
        """One ``.npz``; the template is read from the shape models again."""
        np.savez_compressed(
            path,
            pelves=self.pelves,
            femora=self.femora,
            pelvis_subjects=np.array(self.pelvis_subjects),
            femur_subjects=np.array(self.femur_subjects),
            pelvis_sources=np.array(self.pelvis_sources),
            endplate=self.endplate,
        )

    @classmethod
    def load(cls, path: Path) -> RegionShapes:
        """What `save` wrote. Raises InputError where there is none."""
        if not path.is_file():
            raise InputError(f"there are no shapes for films at {path.name}: build them first")
        with np.load(path, allow_pickle=False) as stored:
            return cls(
                stored["pelves"],
                stored["femora"],
                tuple(str(name) for name in stored["pelvis_subjects"]),
                tuple(str(name) for name in stored["femur_subjects"]),
                tuple(str(name) for name in stored["pelvis_sources"]),
                read_shape_model("pelvis_femur"),
                stored["endplate"],
            )


def build_region_shapes(data: Path | None = None) -> RegionShapes:
    """All shapes, from the shipped models and, with the folder of training data, the ten femora in it.

    Raises InputError when ``data`` lacks them.
    """
    joint = read_shape_model("pelvis_femur")
    atlas = read_shape_model("pelvis")
    limbs = joint.vertices(joint.scores)
    count = min(joint.part_vertices("femur_left"))
    pelves = np.concatenate([limbs[:, :count], _atlas_pelves(joint, atlas)])
    pelves = np.stack([_centred(shape, joint) for shape in pelves])
    femora = [limbs[:, joint.part_vertices("femur_left")]]
    femur_subjects = list(joint.subjects)
    if data is not None:
        femora.append(_foreign_femora(data))
        femur_subjects += [f"gias{number:02d}" for number in range(1, len(femora[-1]) + 1)]
    return RegionShapes(
        pelves.astype(np.float32),
        _aligned_femora(np.concatenate(femora), joint).astype(np.float32),
        (*joint.subjects, *atlas.subjects),
        tuple(femur_subjects),
        ("limb",) * len(joint.subjects) + ("atlas",) * len(atlas.subjects),
        joint,
        _sacral_endplate(joint),
    )


def joint_shapes(joint: ShapeModel, endplate: NDArray[np.int64] | None = None) -> RegionShapes:
    """The subjects of the joint model alone: quickly made, for a few films. endplate: of S1, where it is known."""
    limbs = joint.vertices(joint.scores)
    count = int(min(joint.part_vertices("femur_left")))
    pelves = np.stack([_centred(limb[:count], joint) for limb in limbs])
    femora = _aligned_femora(limbs[:, joint.part_vertices("femur_left")], joint)
    sources = ("limb",) * len(joint.subjects)
    return RegionShapes(
        pelves.astype(np.float32), femora.astype(np.float32), joint.subjects, joint.subjects, sources, joint,
        _sacral_endplate(joint) if endplate is None else endplate,
    )  # fmt: skip


def head_rows(template: ShapeModel) -> NDArray[np.int64]:
    """Vertices of the left femur's head, numbered within that femur, whose mean is its centre."""
    return template.landmarks["femoral_head_centre_left"] - min(template.part_vertices("femur_left"))


def _centred(pelvis: NDArray, template: ShapeModel) -> NDArray[np.float64]:
    centres = [
        pelvis[template.landmarks[f"acetabulum_centre_{side}"]].mean(axis=0) for side in ("left", "right")
    ]
    return np.asarray(pelvis - np.mean(centres, axis=0))


def _aligned_femora(femora: NDArray, template: ShapeModel) -> NDArray[np.float64]:
    head = head_rows(template)
    centred = femora - femora[:, head].mean(axis=1, keepdims=True)
    mean = centred[0 : len(template.subjects)].mean(axis=0)
    turned = [femur @ rigid_fit(femur, mean)[:3, :3].T for femur in centred]
    return np.stack([femur - femur[head].mean(axis=0) for femur in turned])


def _atlas_pelves(joint: ShapeModel, atlas: ShapeModel) -> NDArray[np.float64]:
    """[S, V, 3] the atlas's subjects, mirror images too, in the joint model's topology."""
    shapes = atlas.vertices(atlas.scores)
    size = int(min(joint.part_vertices("femur_left")))
    result = np.empty((len(shapes), size, 3))
    for name in ("hip_left", "hip_right"):
        same = correspondence(joint.only(name), atlas.surface(atlas.mean, name))
        result[:, joint.part_vertices(name)] = same.resample(shapes[:, atlas.part_vertices(name)])
    result[:, joint.part_vertices("sacrum")] = _whole_sacra(joint.only("sacrum"), atlas, shapes)
    return result


def _whole_sacra(sacrum: ShapeModel, atlas: ShapeModel, shapes: NDArray) -> NDArray[np.float64]:
    """[S, V, 3] the atlas subjects' sacra, which end at S3, as the package's family of pelves completes them."""
    family = PelvisShapes.load()
    number = {name: row for row, name in enumerate(family.subjects)}
    result = np.empty((len(shapes), len(sacrum.mean), 3))
    for mirrored, sign in ((False, np.ones(3)), (True, _MIRROR)):
        mean = family.vertices["sacrum"].mean(axis=0).astype(np.float64) * sign
        faces = family.faces["sacrum"][:, ::-1] if mirrored else family.faces["sacrum"]
        same = correspondence(sacrum, Mesh(mean, faces))
        # One hip of the family is found on the atlas's; then every subject's frame is known.
        own, other = ("left_hip", "hip_left") if not mirrored else ("left_hip", "hip_right")
        hip = family.vertices[own].astype(np.float64) * sign
        part = atlas.part_vertices(other)
        places = nearest(atlas.surface(atlas.mean, other), laid(hip.mean(axis=0), atlas.mean[part]))
        for row in np.flatnonzero(np.asarray(atlas.mirrored) == mirrored):
            k = number[atlas.subjects[row]]
            pose = rigid_fit(hip[k], places.resample(shapes[row, part]))
            result[row] = apply(pose, same.resample(family.vertices["sacrum"][k].astype(np.float64) * sign))
    return result


def _sacral_endplate(joint: ShapeModel) -> NDArray[np.int64]:
    """Vertices of the joint model on the endplate of S1, as the package's family of pelves marks it."""
    family, rows = PelvisShapes.load(), joint.part_vertices("sacrum")
    sacrum = family.vertices["sacrum"].mean(axis=0).astype(np.float64)
    same = correspondence(joint.only("sacrum"), Mesh(sacrum, family.faces["sacrum"]))
    plate = family.vertices["s1"].mean(axis=0)[family.s1_regions == Region.SUPERIOR_ENDPLATE]
    distance = cKDTree(plate).query(same.resample(sacrum))[0]
    return np.asarray(rows[distance < 2.5])


def laid(points: NDArray, on: NDArray, rounds: int = 50) -> NDArray[np.float64]:
    """Points turned and moved onto others that lie about alike, by closest points."""
    tree, moved = cKDTree(on), points + on.mean(axis=0) - points.mean(axis=0)
    for _ in range(rounds):
        moved = apply(rigid_fit(moved, on[tree.query(moved)[1]]), moved)
    return moved


def _foreign_femora(data: Path) -> NDArray[np.float64]:
    """[10, W, 3] whole left femora of another source, in the joint model's topology.

    In the source +x is lateral to the head's side and the condyles' backs lie at larger y: axes LPS, checked by where
    head and condyles lie.
    """
    path = data / "femora_gias2" / "femora10.npz"
    if not path.is_file():
        raise InputError(f"{path.name} is missing: point --data at the training data folder")
    with np.load(path, allow_pickle=False) as stored:
        shapes, faces = stored["vertices"].astype(np.float64), stored["faces"].astype(np.int64)
    shapes = shapes * [-1.0, -1.0, 1.0]
    mean = shapes.mean(axis=0)
    same = correspondence(read_shape_model("femur_left"), Mesh(mean - mean.mean(axis=0), faces))
    return same.resample(shapes)

"""The models fitted to pelvises and femora of other sources, and how far they are off; rows of a table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from building.shapes.foreign import LABELLED, labelled_bones, together, visible_human_pelvis
from mri2mesh.anatomy.shape_models.fit import ShapeFit, fit_shape
from mri2mesh.anatomy.shape_models.model import ShapeModel
from mri2mesh.geometry.distances import point_to_surface
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.sampling import sample_surface
from mri2mesh.geometry.transforms import translation

_SAMPLES = 8000


def foreign_rows(models: dict[str, ShapeModel], data: Path) -> list[str]:
    """One row per model, bone and way of placing: the mean over the foreign subjects."""
    subjects = {number: labelled_bones(data, number) for number in LABELLED}
    rows = []
    if "pelvis" in models:
        hips = {**subjects, "visible human": visible_human_pelvis(data)}
        targets = [(together(bones["hips"], bones["sacrum"]), bones["hips"]) for bones in hips.values()]
        rows += _rows(
            models["pelvis"], "hips", targets, ("hip_left", "hip_right"), "5 pelvises", scaled=False
        )
    for side in ("left", "right"):
        name = f"femur_{side}"
        if name in models:
            targets = [(bones[name], bones[name]) for bones in subjects.values()]
            rows += _rows(models[name], name, targets, (name,), "4 proximal femora", scaled=True)
    if "pelvis_femur" in models:
        bones = ("hips", "sacrum", "femur_left", "femur_right")
        targets = [(together(*(own[bone] for bone in bones)), own["hips"]) for own in subjects.values()]
        rows += _rows(
            models["pelvis_femur"],
            "hips",
            targets,
            ("hip_left", "hip_right"),
            "hips of 4 pelvises",
            scaled=True,
        )
    return rows


def _rows(
    model: ShapeModel,
    bone: str,
    targets: list[tuple[Mesh, Mesh]],
    parts: Sequence[str],
    what: str,
    *,
    scaled: bool,
) -> list[str]:
    ways: list[tuple[str, dict]] = [("mean, rigid", {"n_modes": 0})]
    if scaled:
        ways += [
            ("mean, scaled", {"n_modes": 0, "scale": True}),
            ("modes", {}),
            ("modes and scale", {"scale": True}),
        ]
    else:
        ways += [("modes", {})]
    rows = []
    for way, options in ways:
        results = []
        for whole, shown in targets:
            initial = _hung(model, whole) if bone.startswith("femur") else None
            fit = fit_shape(model, whole, initial=initial, **options)
            results.append((*_distances(model, fit, shown, parts), fit.scale))
        mean = np.mean(results, axis=0)
        worst = max(result[2] for result in results)
        rows.append(
            f"| `{model.name}` | {what} | {way} | {mean[0]:.2f} | {mean[1]:.2f} |"
            f" {mean[2]:.1f} ({worst:.1f}) | {mean[3]:.3f} |"
        )
    return rows


def _hung(model: ShapeModel, femur: Mesh) -> np.ndarray:
    """Where to start a femur that is cut below: its head's top on the other's."""
    top = femur.vertices[femur.vertices[:, 2] > femur.vertices[:, 2].max() - 30.0].mean(axis=0)
    own = model.mean[model.mean[:, 2] > model.mean[:, 2].max() - 30.0].mean(axis=0)
    return translation(top - own)


def _distances(
    model: ShapeModel, fit: ShapeFit, shown: Mesh, parts: Sequence[str]
) -> tuple[float, float, float]:
    """ASSD, HD95 and the worst vertex over these parts, within the height the foreign surface covers.

    What of the model lies below the image's lower edge has nothing to be compared with.
    """
    rng = np.random.default_rng(0)
    own = together(*(model.surface(fit.vertices, part) for part in parts))
    floor = float(shown.vertices[:, 2].min()) + (6.0 if parts[0].startswith("femur") else -np.inf)
    points = sample_surface(own, _SAMPLES, rng)[0]
    there = point_to_surface(points[points[:, 2] > floor], shown)
    targets = sample_surface(shown, _SAMPLES, rng)[0]
    back = point_to_surface(targets, own)
    vertices = own.vertices[own.vertices[:, 2] > floor]
    assd = (there.sum() + back.sum()) / (len(there) + len(back))
    hd95 = max(np.percentile(there, 95), np.percentile(back, 95))
    return float(assd), float(hd95), float(point_to_surface(vertices, shown).max())

"""What lies against the walls of the vertebral bodies: loose fat, segmental vessels, fibres at the rims, nerve roots.

Beside the waist of a body is a pocket between bone and psoas, filled with fat and the lumbar vessels that run round the
body at mid-height (Gray's Anatomy, lumbar arteries). In many contrasts it is as bright as marrow: with nothing there,
a network learns that whatever is as bright as marrow is bone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from mri2mesh.anatomy.regions import body_of
from mri2mesh.anatomy.spine_model import SpineSample
from mri2mesh.synthesis.mr.canal import canal_course
from mri2mesh.synthesis.mr.canvas import Canvas
from mri2mesh.synthesis.mr.fields import smooth_field
from mri2mesh.synthesis.mr.spine_access import discs_of, vertebrae_of
from mri2mesh.synthesis.mr.tissues import BLOBS, MUSCLES, Tissue, mask_table

_REPLACED = mask_table(
    (*MUSCLES, *BLOBS, Tissue.FAT_INTERNAL, Tissue.FAT_INTRAMUSCULAR, Tissue.VESSEL, Tissue.LOOSE_TISSUE)
)
_REACH_MM = 12.0


@dataclass(frozen=True)
class WallOptions:
    """One patient's, mm. waist, rim: thickness of the layer at mid-height and at the rims. fibres: of the dark band
    at the rims. vessel: radius of the segmental vessels (0: none). fascia: thickness of the sheet around the layer.
    filling: what it is made of, and how much of it is something else."""

    waist: float
    rim: float
    fibres: float
    vessel: float
    fascia: float
    filling: Tissue
    mixed: float


def random_walls(rng: np.random.Generator) -> WallOptions:
    """Random options: from psoas against the bone to a pocket of 7 mm."""
    fillings = (Tissue.LOOSE_TISSUE, Tissue.FAT_INTERNAL, Tissue.MUSCLE_PSOAS)
    return WallOptions(
        waist=float(rng.uniform(0.0, 7.0)),
        rim=float(max(rng.uniform(-1.0, 2.0), 0.0)),
        fibres=float(max(rng.uniform(-0.7, 2.2), 0.0)),
        vessel=float(rng.uniform(0.8, 2.5)) if rng.random() < 0.8 else 0.0,
        fascia=float(rng.uniform(0.4, 1.2)) if rng.random() < 0.4 else 0.0,
        filling=Tissue(int(rng.choice(fillings, p=[0.55, 0.33, 0.12]))),
        mixed=float(rng.uniform(0.0, 0.6)),
    )


def paint_walls(canvas: Canvas, spine: SpineSample, rng: np.random.Generator, options: WallOptions) -> None:
    """Paint the layer around each body, over muscle and fat only; bones, discs and canal must be there already."""
    for name in vertebrae_of(spine):
        _paint_wall(canvas, spine, name, rng, options)


def _paint_wall(
    canvas: Canvas, spine: SpineSample, name: str, rng: np.random.Generator, options: WallOptions
) -> None:
    body = body_of(spine.structures[name])
    window = canvas.window_of(body, _REACH_MM)
    if window is None:
        return
    inside = canvas.inside(body, window)
    if not inside.any():
        return
    tissues = canvas.tissues[window]
    distance = ndimage.distance_transform_edt(~inside, sampling=canvas.grid.spacing[::-1])
    near = (distance > 0) & (distance < _REACH_MM) & _REPLACED[tissues]
    away = distance[near]
    local = canvas.local(window, near, spine.frames[name])
    extent = np.percentile(np.abs(canvas.local(window, inside, spine.frames[name])), 97, axis=0)
    height = np.abs(local[:, 2]) / extent[2]
    # The pocket is at the sides, thin in front, and ends where the pedicles begin.
    sideways = np.abs(local[:, 0]) / (np.hypot(local[:, 0], np.maximum(local[:, 1], 0)) + 1e-6)
    beside = np.where(local[:, 1] > -extent[1], 0.25 + 0.75 * sideways, 0.0)
    wavy = 1 + 0.35 * smooth_field(rng, inside.shape, 8.0)[near]
    pocket = options.rim + options.waist * np.clip(1 - height**2, 0, 1)
    thickness = beside * wavy * np.where(height < 1.15, pocket, 0.5 * options.rim)

    values = tissues[near]
    layer = away < thickness
    values[layer] = options.filling
    others = np.array([Tissue.FAT_INTERNAL, Tissue.LOOSE_TISSUE, Tissue.MUSCLE_PSOAS], np.uint8)
    patches = smooth_field(rng, inside.shape, (5.0, 4.0, 4.0))[near] < options.mixed - 0.6
    values[layer & patches] = rng.choice(others)
    values[(away >= thickness) & (away < thickness + options.fascia) & (thickness > 1)] = (
        Tissue.LIGAMENT_LONGITUDINAL
    )
    at_rim = (height > 0.75) & (height < 1.3) & (beside > 0)
    values[at_rim & (away < options.fibres * wavy)] = Tissue.LIGAMENT_LONGITUDINAL
    if options.vessel:
        # An artery and a vein, one above the other, pressed against the waist.
        middle = rng.normal(0, 2.0)
        for tissue, offset in ((Tissue.VESSEL, 0.0), (Tissue.AORTA, rng.uniform(1.5, 2.5) * options.vessel)):
            across = np.hypot(local[:, 2] - middle - offset, away - options.vessel * 1.1)
            values[(across < options.vessel) & (beside > 0.3)] = tissue
    tissues[near] = values


def paint_nerve_roots(canvas: Canvas, spine: SpineSample, rng: np.random.Generator) -> None:
    """The roots after they have left the foramina: strands down and outwards, beside the bodies below."""
    for name in discs_of(spine):
        z = np.array([spine.frames[name][2, 3] + rng.uniform(2, 6)])
        cx, cy, r, _ = canal_course(spine, z)
        for side in (-1, 1):
            start = np.array([cx[0] + side * (r[0] + rng.uniform(5, 10)), cy[0] + rng.uniform(1, 5), z[0]])
            end = start + [side * rng.uniform(2, 14), rng.uniform(0, 14), -rng.uniform(25, 45)]
            _strand(canvas, start, end, rng.uniform(1.0, 2.6))


def _strand(canvas: Canvas, start: NDArray, end: NDArray, radius: float) -> None:
    window = canvas.window(np.minimum(start, end), np.maximum(start, end), radius + 1)
    if window is None:
        return
    tissues = canvas.tissues[window]
    chosen = _REPLACED[tissues]
    points = canvas.local(window, chosen, np.eye(4))
    along = end - start
    share = np.clip((points - start) @ along / (along @ along), 0, 1)
    close = np.linalg.norm(points - start - share[:, None] * along, axis=1) < radius
    values = tissues[chosen]
    values[close] = Tissue.NERVE_ROOT
    tissues[chosen] = values

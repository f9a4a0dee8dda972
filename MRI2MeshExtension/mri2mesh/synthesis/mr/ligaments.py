"""Ligaments behind, between and along the vertebrae."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from mri2mesh.anatomy.regions import Region
from mri2mesh.anatomy.spine_model import SpineSample
from mri2mesh.synthesis.mr.canal import canal_course
from mri2mesh.synthesis.mr.canvas import Canvas, dilated
from mri2mesh.synthesis.mr.fields import smooth_field
from mri2mesh.synthesis.mr.spine_access import body_centre, vertebrae_of
from mri2mesh.synthesis.mr.tissues import BODY, DISC, Tissue, mask_table

_FRONT_COLUMN = mask_table((*BODY, *DISC))
_REPLACED = mask_table(
    (
        Tissue.FAT_INTERNAL,
        Tissue.LOOSE_TISSUE,
        Tissue.MUSCLE_WALL,
        Tissue.MUSCLE_PSOAS,
        Tissue.MUSCLE_PARASPINAL,
        Tissue.FAT_EPIDURAL,
        Tissue.CSF,
    )
)

THICKEST = 5
"""Voxels; the longitudinal ligaments end there even where their thickness varies most."""


def spinous_tips(spine: SpineSample) -> NDArray[np.float64]:
    """[N, 3] RAS of the tip of each spinous process, from below upwards."""
    tips = []
    for name in vertebrae_of(spine):
        mesh = spine.structures[name]
        regions = mesh.regions
        vertices = mesh.vertices if regions is None else mesh.vertices[regions == Region.SPINOUS]
        tips.append(vertices[np.argsort(vertices[:, 1])[: max(3, len(vertices) // 50)]].mean(axis=0))
    return np.array(sorted(tips, key=lambda tip: tip[2]), dtype=np.float64)


def paint_posterior_ligaments(canvas: Canvas, spine: SpineSample, rng: np.random.Generator) -> None:
    """The sheet between the spinous processes and the cord over their tips. Canal and bones go over them
    later."""
    tips = spinous_tips(spine)
    low = np.array([tips[:, 0].min() - 8, tips[:, 1].min() - 8, tips[0, 2] - 10])
    high = np.array([tips[:, 0].max() + 8, spine.canal.centreline[:, 1].max(), tips[-1, 2]])
    window = canvas.window(low, high, 0.0)
    if window is None:
        return
    tissues = canvas.tissues[window]
    x, y, z = canvas.axes(window)
    cx, cy, r, _ = canal_course(spine, z)
    tip_x, tip_y = (np.interp(z, tips[:, 2], tips[:, a]).astype(np.float32) for a in (0, 1))
    back, front = tip_y, cy - r
    along = np.clip((y[None] - back[:, None]) / np.maximum(front - back, 1)[:, None], 0, 1)
    middle = tip_x[:, None] * (1 - along) + cx[:, None] * along
    across = np.abs(x[None, None, :] - middle[:, :, None])
    behind = (y[None, :] - back[:, None])[:, :, None]
    between = (across < rng.uniform(1.5, 3.5)) & (behind > 0) & (y[None, :] < front[:, None])[:, :, None]
    fat = smooth_field(rng, tissues.shape, (3.0, 9.0, 4.0)) > rng.uniform(-0.5, 1.5)
    tissues[between] = Tissue.INTERSPINOUS
    tissues[between & fat] = Tissue.FAT_INTERNAL
    over = (across < 4) & (behind > -rng.uniform(2, 4.5)) & (behind < 1)
    tissues[over] = Tissue.SUPRASPINOUS


def paint_longitudinal_ligaments(canvas: Canvas, spine: SpineSample, rng: np.random.Generator) -> None:
    """Dark ligament along the front and the back of bodies and discs, over what is not bone, disc or nerve.

    In front 1 to 4 mm with the fibres of annulus and diaphragm that run into it, behind 1 to 2 mm with the
    dura, thicker in some places than in others: the dark band beside the marrow is wider than the cortex.
    """
    centres = np.array([body_centre(spine, name) for name in ("S1", *reversed(vertebrae_of(spine)))])
    window = canvas.window(centres.min(axis=0) - [18, 32, 0], centres.max(axis=0) + [18, 32, 0], 0.0)
    if window is None:
        return
    tissues = canvas.tissues[window]
    x, y, z = canvas.axes(window)
    column = _FRONT_COLUMN[tissues]
    order = np.argsort(centres[:, 2])
    cx, cy = (np.interp(z, centres[order, 2], centres[order, a]) for a in (0, 1))
    forward = (y[None, :] - cy[:, None])[:, :, None]
    across = np.abs(x[None, :] - cx[:, None])[:, None, :]
    front = (forward > 6) & (across < rng.uniform(8, 16))
    back = (forward < -6) & (across < rng.uniform(3, 8))
    waviness = 1 + rng.uniform(0.1, 0.4) * smooth_field(rng, tissues.shape, (9.0, 12.0, 9.0))
    layers = [column]  # each one voxel further out
    for _ in range(THICKEST):
        layers.append(dilated(layers[-1]))
    for here, thickness in ((front, rng.uniform(0.2, 3.5)), (back, rng.uniform(0.7, 2.0))):
        for depth, (inner, outer) in enumerate(pairwise(layers)):
            reached = thickness * waviness > depth + 0.5
            tissues[outer & ~inner & here & reached & _REPLACED[tissues]] = Tissue.LIGAMENT_LONGITUDINAL

"""Whether the images show the bone of the other side: its mirror image is fitted as well, and must not explain more.

A film that was read mirrored, and a right bone taken for a left one, look alike. A bone that is bent to fit the wrong
one's shadow can agree well enough to pass, but the right one agrees better.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from mri2mesh.anatomy.shape_models.model import ShapeModel
from mri2mesh.anatomy.structures import STRUCTURES
from mri2mesh.engines.xray_fit.fitting.family import SurfaceFamily
from mri2mesh.engines.xray_fit.fitting.levels import Level
from mri2mesh.engines.xray_fit.fitting.parameters import Parameters
from mri2mesh.geometry.transforms import rigid_fit

SIDE_LEVELS = (
    Level(64, 8, 4, 3, 25.0),
    Level(64, 10, 1000, 2, 25.0, reflect=True),
    Level(128, 8, 1000, 2, 20.0),
    Level(128, 6, 1000, 1, 15.0, spongy=0.3),
)
"""Levels of a fit that is just good enough to distinguish a bone from its mirror image."""

SIDE_LEVELS_IN_PLACE = (Level(128, 10, 1000, 1, 20.0, spongy=0.3, gradients=True),)
"""The same where the place is known."""


def in_place(other: SurfaceFamily, at: Parameters, family: SurfaceFamily) -> Parameters:
    """The other side's mean shape laid on a bone of this side, a batch of one: each vertex as near as a turn brings it
    to that of the same name."""
    there = at.vertices(family)[0].cpu().numpy()
    mine = other.mean.cpu().numpy()
    pose = rigid_fit(mine, there)
    start = Parameters.at(
        torch.from_numpy(pose[:3, :3])[None].to(at.rotation),
        torch.from_numpy(pose[:3, 3])[None].to(at.position),
        at.coefficients.shape[1],
        at.view_turn.shape[1],
    )
    return replace(start, log_scale=at.log_scale, view_turn=at.view_turn, view_shift=at.view_shift)


def one_sided(model: ShapeModel) -> bool:
    """Whether all of it is of one side; what lies on both, as a pelvis, is nearly its own mirror image."""
    sides = {STRUCTURES[name].side for name in model.part_names}
    return len(sides) == 1 and None not in sides


def mirrored(model: ShapeModel) -> ShapeModel:
    """The same bone of the other side, under its old name: left for right, faces outward still."""
    flip = np.array([-1.0, 1.0, 1.0])
    return replace(
        model,
        mean=model.mean * flip,
        modes=model.modes * flip.astype(np.float32),
        faces=np.ascontiguousarray(model.faces[:, ::-1]),
    )

"""Poses that must be distinguished: those in front of every source, those that are the same, and the reflected tilt.

In parallel projection a body and its reflection at the image plane cast the same shadow. A bone's reflection is no
bone, but one of a lengthy or flat bone is nearly the bone turned: towards the detector where it had turned away. From
one side only perspective and small asymmetries distinguish the two, so a fit has to look at both.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mri2mesh.engines.xray_fit.fitting.family import SurfaceFamily
from mri2mesh.engines.xray_fit.fitting.image_term import Observation
from mri2mesh.engines.xray_fit.fitting.parameters import Parameters
from mri2mesh.geometry.transforms import Matrix, apply
from mri2mesh.rendering.projective import NEAREST_MM

OTHER_SIDE_DEG = 20.0
"""Angle between beams that show a bone from different sides."""
SAME_MM = 5.0
"""Root mean square distance over the surface below which two candidates end in the same valley."""


def in_front(at: Parameters, family: SurfaceFamily, views: Sequence[Observation]) -> Tensor:
    """[B] which candidates lie wholly in front of every source."""
    vertices = at.vertices(family)
    clear = torch.ones(len(at), dtype=torch.bool, device=vertices.device)
    for seen in views:
        source = torch.from_numpy(seen.camera.source_ras_mm).to(vertices)
        beam = torch.from_numpy(seen.camera.axes_ras[2]).to(vertices)
        clear &= ((vertices - source) @ beam).amin(1) > NEAREST_MM
    return clear


def seen_from_aside(views: Sequence[Observation]) -> bool:
    """Whether a view looks from another side than the first."""
    beams = [torch.from_numpy(seen.camera.axes_ras[2]) for seen in views]
    return min(abs(float(beam @ beams[0])) for beam in beams) < math.cos(math.radians(OTHER_SIDE_DEG))


def reflected(at: Parameters, family: SurfaceFamily, views: Sequence[Observation]) -> Parameters:
    """Each candidate in the pose that its principal axes have after reflection at the plane across the beam.

    Of the four turns that bring the axes there (an axis has no sign, and a turn must not mirror the bone) the smallest.
    """
    sources = torch.stack([torch.from_numpy(seen.camera.source_ras_mm) for seen in views]).to(at.position)
    rays = at.position[:, None] - sources
    beam = (rays / rays.norm(dim=-1, keepdim=True)).mean(1)
    beam = beam / beam.norm(dim=-1, keepdim=True)
    mirror = torch.eye(3).to(beam) - 2 * beam[:, :, None] * beam[:, None]
    _, axes = torch.linalg.eigh(family.mean.T @ family.mean)
    signs = [sign for sign in itertools.product((-1.0, 1.0), repeat=3) if math.prod(sign) < 0]
    flips = torch.stack([axes @ torch.tensor(sign).to(axes).diag() @ axes.T for sign in signs])
    turned = (mirror @ at.rotation)[:, None] @ flips
    alike = torch.einsum("bsij,bij->bs", turned, at.rotation)
    return replace(at, rotation=turned[torch.arange(len(at)), alike.argmax(1)])


def distances(at: Parameters, other: Parameters, family: SurfaceFamily) -> Tensor:
    """[B, C] mm, root mean square over the vertices, between candidates of two batches."""
    mine, theirs = at.vertices(family).flatten(1), other.vertices(family).flatten(1)
    return torch.cdist(mine, theirs) / len(family.mean) ** 0.5


def distinct(at: Parameters, cost: Tensor, family: SurfaceFamily) -> Tensor:
    """Indices of candidates, the best first, without those that a better one is the same as. cost: [B]."""
    apart = distances(at, at, family)
    kept: list[int] = []
    for n in cost.argsort().tolist():
        if all(float(apart[n, other]) >= SAME_MM for other in kept):
            kept.append(n)
    return torch.tensor(kept, device=cost.device)


def posed(family: SurfaceFamily, pose: Matrix, coefficients: NDArray, n_views: int) -> Parameters:
    """A batch of one: a shape model's surface by coefficients [M] at a rigid pose [4, 4] of its own frame."""
    like = family.mean
    place = apply(pose, family.centre.cpu().numpy()[None])
    rotation = torch.from_numpy(np.asarray(pose[:3, :3], dtype=np.float64))[None].to(like)
    at = Parameters.at(rotation, torch.from_numpy(place).to(like), family.n_modes, n_views)
    return replace(at, coefficients=torch.from_numpy(np.asarray(coefficients))[None].to(like))

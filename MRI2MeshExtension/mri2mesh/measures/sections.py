"""Sections of a long bone: their centres as points that move with it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.plane_cut import plane_cut
from mri2mesh.measures.points import Points


def section(name: str, mesh: Mesh, origin: NDArray, normal: NDArray) -> tuple[Points, float] | None:
    """The centre of a section's outline, weighted by its length, and its mean radius; None where nothing is cut.

    Of several curves in the plane it is the one whose centre lies nearest to the origin.
    """
    cut = plane_cut(mesh, origin, normal)
    if not len(cut.faces):
        return None
    ends = cut.segments(mesh.vertices)
    lengths, middles = np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1) + 1e-12, ends.mean(axis=1)
    loops = cut.loops()
    sums = np.stack([np.bincount(loops, lengths * middles[:, c]) for c in range(3)], axis=1)
    centres = sums / np.bincount(loops, lengths)[:, None]
    nearest = int(np.linalg.norm(centres - origin, axis=1).argmin())
    own = loops == nearest
    share = lengths[own] / lengths[own].sum()
    radius = float(share @ np.linalg.norm(middles[own] - centres[nearest], axis=1))
    along = cut.shares[own]
    weights = np.stack([1 - along, along], axis=-1) * share[:, None, None] / 2
    return Points(name, cut.ends[own].reshape(1, -1), weights.reshape(1, -1)), radius

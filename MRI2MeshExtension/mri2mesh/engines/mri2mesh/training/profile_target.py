"""How far the true surface is along the normal of each vertex of a displaced one: what `ProfileNet` should answer."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from mri2mesh.engines.mri2mesh.networks.template_graph import TemplateGraph

SEARCHES = 4
LEAST_FACING = 0.35
"""Cosine between the two normals below which a surface is a wall beside the vertex, not the one that it belongs to."""
MOST_ASIDE_MM = 3.0
"""So much further than its own true vertex, at most, may the surface be: not the other side of a thin lamina."""


def distance_along(
    start: NDArray,
    normals: NDArray,
    truth: NDArray,
    truth_normals: NDArray,
    graph: TemplateGraph,
    rows: NDArray,
) -> NDArray[np.float32]:
    """[len(rows)] mm from vertices ``rows`` of a surface along their normals to the true surface of their structure.

    start, normals, truth, truth_normals: [V, 3]. The surface is taken flat around its nearest vertex. The distance to a
    vertex's own true place would ask for more: where along the surface it lies, no edge shows.
    """
    own = ((truth[rows] - start[rows]) * normals[rows]).sum(-1)
    result = np.array(own, np.float64)
    for where in graph.slices:
        mine = np.flatnonzero((rows >= where.start) & (rows < where.stop))
        if not len(mine):
            continue
        tree = cKDTree(truth[where])
        x, n, t = start[rows[mine]], normals[rows[mine]], result[mine]
        sound = np.ones(len(mine), bool)
        for _ in range(SEARCHES):
            place = x + t[:, None] * n
            _, nearest = tree.query(place)
            flat = truth_normals[where][nearest]
            facing = (flat * n).sum(-1)
            sound = facing > LEAST_FACING
            gap = ((truth[where][nearest] - place) * flat).sum(-1)
            t = t + np.where(sound, gap / np.maximum(facing, LEAST_FACING), 0.0)
        sound &= np.abs(t - own[mine]) < MOST_ASIDE_MM
        result[mine] = np.where(sound, t, own[mine])
    return result.astype(np.float32)

"""Arches without holes, clefts and spurs: no bone thinner than anatomy has it, no two walls that face each other.

The image shows little of an arch, and the network's walls may come so close there that a lamina or a process has a hole
in any picture of it, fold towards each other so that there is a cleft, or draw together into a neck or a spur.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from mri2mesh.anatomy.regions import is_body
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.sampling import vertex_normals
from mri2mesh.geometry.stretch import around_vertices, least_stretch
from mri2mesh.quality.departure import Departure

THINNEST_MM = 1.5
"""Of an arch, between two vertices that face away from each other. The template has 2 mm and more everywhere."""
NARROWEST_MM = 1.5
"""Of a cleft, between two vertices that face each other. The template has none below 3 mm."""
OPPOSITE = -0.5
"""Cosine between two normals below which vertices face away from each other, or towards each other."""
ALONG = 0.5
"""Least cosine between their normals and the line that joins them."""
LEAST_STRETCH = 0.4
"""Of the surface around a vertex, in the direction in which it is drawn together most, from the template, which is
scaled as the vertebra is. Sound arches have more; where a tip is drawn into a spur it is 0.15 to 0.3."""
ROUNDS = 8


def whole_arch(mesh: Mesh, home: Mesh) -> Mesh:
    """The vertebra with thin places, clefts and spurs of its arch gone; its body stays as it is.

    home: the template, of the same faces. Around these places the arch departs from it more smoothly, and wider so
    until none is left or ROUNDS are over.
    """
    body = is_body(np.asarray(mesh.regions))
    departure = Departure(mesh, home)
    calm = mesh.with_vertices(departure.calm)
    for number in range(ROUNDS):
        wrong = (thin_or_cleft(mesh) | drawn_together(mesh, calm)) & ~body
        if not wrong.any():
            break
        departure.smooth(wrong, number, fixed=body)
        mesh = departure.mesh()
    return mesh


def drawn_together(mesh: Mesh, home: Mesh) -> NDArray[np.bool_]:
    """[V] whether the surface around a vertex has LEAST_STRETCH or less of its width in ``home``, of the same faces."""
    return around_vertices(least_stretch(mesh, home), mesh) < LEAST_STRETCH


def thin_or_cleft(mesh: Mesh) -> NDArray[np.bool_]:
    """[V] whether a vertex has an opposite one within THINNEST_MM through the bone, or NARROWEST_MM through the air."""
    vertices = mesh.vertices.astype(np.float64)
    normals = vertex_normals(mesh)
    pairs = cKDTree(vertices).query_pairs(max(THINNEST_MM, NARROWEST_MM), output_type="ndarray")
    one, other = pairs.T
    step = vertices[other] - vertices[one]
    length = np.linalg.norm(step, axis=1)
    opposite = np.einsum("pc,pc->p", normals[one], normals[other]) < OPPOSITE
    ahead, back = (np.einsum("pc,pc->p", step, normals[end]) for end in (one, other))
    cleft = (ahead > ALONG * length) & (back < -ALONG * length) & (length < NARROWEST_MM)
    thin = (ahead < -ALONG * length) & (back > ALONG * length) & (length < THINNEST_MM)
    found = np.zeros(len(vertices), bool)
    found[pairs[opposite & (cleft | thin)]] = True
    return found

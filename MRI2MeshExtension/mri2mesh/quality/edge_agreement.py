"""Does the surface lie on an edge of the image? The surface re-sliced through the image, vertex by vertex.

An edge has a sign: towards the outside the image gets brighter or darker there. A part of a surface, such as the upper
endplates of a spine, has the same sign at every level, so it is taken from all of them together, and an edge that runs
the other way, such as the far side of the disc, is not taken for the surface's own. The search reaches further inwards
than outwards: inside a bone there is no other edge, unless the surface has swallowed something.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.sampling import vertex_normals
from mri2mesh.geometry.volume import Volume
from mri2mesh.quality.field_of_view import inside_image

INWARD_MM = 10.0
OUTWARD_MM = 5.0
STEP_MM = 0.5
TOLERANCE_MM = 2.0
AT_SURFACE_MM = 1.5
"""Distance from a surface within which slopes say which sign its edge has."""
CLEAR_SIGN = 0.15
"""Mean slope at the surfaces over mean absolute slope there, from which on a sign counts as known. Where it is less,
the tissues on both sides are about equally bright, and each surface may have either sign."""

DEPTHS_MM = np.arange(-INWARD_MM, OUTWARD_MM + STEP_MM / 2, STEP_MM)
"""[S] where slopes are taken along the outward normal of a vertex, 0 at the surface, positive outside."""
BY_CHANCE = (2 * TOLERANCE_MM + STEP_MM) / (INWARD_MM + OUTWARD_MM + STEP_MM)
"""Edge agreement of a surface that has nothing to do with the image."""


def edge_slopes(mesh: Mesh, volume: Volume, mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """[N, S] slope of the image along the outward normal of each vertex of ``mask``, per mm, at `DEPTHS_MM`.

    0 where the image has no data on both sides.
    """
    vertices, normals = mesh.vertices[mask].astype(np.float64), vertex_normals(mesh)[mask]
    ends = np.append(DEPTHS_MM, DEPTHS_MM[-1] + STEP_MM) - STEP_MM / 2
    points = (vertices[:, None] + ends[None, :, None] * normals[:, None]).reshape(-1, 3)
    kji = volume.ijk_from_ras(points)[:, ::-1]
    values = ndimage.map_coordinates(
        np.asarray(volume.array, np.float32), kji.T, order=1, mode="nearest"
    ).reshape(len(vertices), -1)
    seen = inside_image(volume, points).reshape(values.shape)
    slopes: NDArray[np.float32] = np.diff(values, axis=1) / STEP_MM * (seen[:, 1:] & seen[:, :-1])
    return slopes


def edge_sign(slopes: Iterable[NDArray[np.float32]]) -> int:
    """1 where the image gets brighter on the way out through surfaces of one kind, -1 where darker, 0 where neither.

    slopes: of each surface as from `edge_slopes`.
    """
    near = np.abs(DEPTHS_MM) <= AT_SURFACE_MM
    signed = absolute = 0.0
    for one in slopes:
        signed += float(one[:, near].sum())
        absolute += float(np.abs(one[:, near]).sum())
    return 0 if abs(signed) < CLEAR_SIGN * absolute or not absolute else int(np.sign(signed))


def edge_offsets(slopes: NDArray[np.float32], sign: int) -> NDArray[np.float64]:
    """[N] signed mm along the outward normal from each vertex to the strongest edge of a sign, 1 or -1.

    Infinite where the profile has no such edge.
    """
    strength = sign * slopes
    return np.where(strength.max(axis=1, initial=0.0) > 0, DEPTHS_MM[np.argmax(strength, axis=1)], np.inf)


def edge_agreement(slopes: NDArray[np.float32], sign: int) -> float:
    """Share of the vertices whose strongest edge of this sign along the normal is within 2 mm of the surface.

    slopes: from `edge_slopes`. sign: from `edge_sign`; with 0 the sign that agrees better counts. The share of a
    surface placed at random is about `BY_CHANCE`. NaN when there are no vertices.
    """
    if not len(slopes):
        return float("nan")
    signs = (sign,) if sign else (1, -1)
    return max(float((np.abs(edge_offsets(slopes, one)) <= TOLERANCE_MM).mean()) for one in signs)

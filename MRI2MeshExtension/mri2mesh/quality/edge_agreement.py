"""Does the surface lie on an edge of the image? The surface re-sliced through the image, vertex by vertex."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.sampling import vertex_normals
from mri2mesh.geometry.volume import Volume

REACH_MM = 5.0
STEP_MM = 0.5
TOLERANCE_MM = 2.0


def edge_offsets(mesh: Mesh, volume: Volume, mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    """[N] signed mm along the outward normal from each vertex of ``mask`` to the strongest edge within 5 mm.

    The image is sampled along the normal; its edge is where the absolute derivative is largest.
    """
    vertices, normals = mesh.vertices[mask].astype(np.float64), vertex_normals(mesh)[mask]
    offsets = np.arange(-REACH_MM - STEP_MM / 2, REACH_MM + STEP_MM, STEP_MM)
    points = vertices[:, None] + offsets[None, :, None] * normals[:, None]
    kji = volume.ijk_from_ras(points)[..., ::-1]
    profile = ndimage.map_coordinates(
        np.asarray(volume.array, np.float32), kji.reshape(-1, 3).T, order=1, mode="nearest"
    ).reshape(len(vertices), -1)
    slope = np.abs(np.diff(profile, axis=1))
    middle = (offsets[1:] + offsets[:-1]) / 2
    return middle[np.argmax(slope, axis=1)]


def edge_agreement(mesh: Mesh, volume: Volume, mask: NDArray[np.bool_]) -> float:
    """Share of the vertices in ``mask`` whose strongest edge along the normal is within 2 mm of the surface.

    A surface placed at random scores about 0.4 (4 mm of a 10 mm search); NaN when the mask is empty.
    """
    if not mask.any():
        return float("nan")
    return float((np.abs(edge_offsets(mesh, volume, mask)) <= TOLERANCE_MM).mean())

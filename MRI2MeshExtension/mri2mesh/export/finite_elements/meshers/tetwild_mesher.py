"""pytetwild (MPL-2.0): fills one domain whatever its surface is like, and moves that a little."""

from __future__ import annotations

import numpy as np

from mri2mesh.export.finite_elements.meshers.boundary import Boundary, Filled, MesherRefused, one_domain


def fill_with_tetwild(boundary: Boundary, edge_length_mm: float) -> Filled:
    import pytetwild

    one_domain(boundary, "tetwild")
    size = float(np.linalg.norm(np.ptp(boundary.points, axis=0)))
    nodes, tetrahedra = pytetwild.tetrahedralize(
        boundary.points,
        boundary.faces.astype(np.int32),
        edge_length_abs=float(edge_length_mm),
        epsilon=0.1 * edge_length_mm / size,
        simplify=False,
        num_threads=1,
        vtk_ordering=True,
    )
    if not len(tetrahedra):
        raise MesherRefused("it made no elements")
    ones = np.ones(len(tetrahedra), np.int64)
    return Filled(np.asarray(nodes, np.float64), np.asarray(tetrahedra, np.int64), ones, "tetwild", False)

"""How far two surfaces are apart, and how much two solids have in common."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from vtkmodules.util.numpy_support import numpy_to_vtk, vtk_to_numpy
from vtkmodules.vtkCommonCore import vtkDoubleArray
from vtkmodules.vtkFiltersCore import vtkImplicitPolyDataDistance

from mri2mesh.geometry.checks import area_mm2
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.sampling import sample_surface
from mri2mesh.geometry.vtk_bridge import to_polydata


@dataclass(frozen=True)
class SurfaceDistances:
    """Symmetric distances between two surfaces, millimetres.

    assd: average symmetric surface distance, the area-weighted mean over both surfaces together.
    hd95: 95th percentile Hausdorff distance, the larger of the two directions' percentiles.
    hd: Hausdorff distance, the largest over both directions.
    """

    assd: float
    hd95: float
    hd: float


def surface_distances(a: Mesh, b: Mesh, *, n_samples: int = 20_000, seed: int = 0) -> SurfaceDistances:
    """Distances between two surfaces from dense samples, uniform in area, to the exact nearest triangle.

    n_samples: points per surface; ``hd`` also looks at every vertex. The same seed gives the same numbers.

    Raises ValueError when a mesh has no area.
    """
    rng = np.random.default_rng(seed)
    there = point_to_surface(sample_surface(a, n_samples, rng)[0], b)
    back = point_to_surface(sample_surface(b, n_samples, rng)[0], a)
    corners_there = point_to_surface(a.vertices[np.unique(a.faces)], b)
    corners_back = point_to_surface(b.vertices[np.unique(b.faces)], a)
    size_there, size_back = area_mm2(a), area_mm2(b)
    return SurfaceDistances(
        assd=float((there.mean() * size_there + back.mean() * size_back) / (size_there + size_back)),
        hd95=float(max(np.percentile(there, 95), np.percentile(back, 95))),
        hd=float(max(there.max(), back.max(), corners_there.max(), corners_back.max())),
    )


def point_to_surface(points: NDArray, mesh: Mesh) -> NDArray[np.float64]:
    """[N] distance of each point [N, 3] to the nearest point of the surface, face, edge or vertex."""
    return np.abs(signed_distance(points, mesh))


def signed_distance(points: NDArray, mesh: Mesh) -> NDArray[np.float64]:
    """[N] distance to the surface, negative inside; the sign needs a closed, outward mesh.

    Raises ValueError when the mesh has no faces.
    """
    if not len(mesh.faces):
        raise ValueError("there is no distance to a surface without faces")
    points = np.ascontiguousarray(points, dtype=np.float64).reshape(-1, 3)
    distance = vtkImplicitPolyDataDistance()
    distance.SetInput(to_polydata(Mesh(mesh.vertices, mesh.faces)))
    values = vtkDoubleArray()
    distance.FunctionValue(numpy_to_vtk(points), values)
    return vtk_to_numpy(values).copy()

"""A closed surface through points that lie on it, of anatomy that has no template: Poisson reconstruction.

The points' outward normals are the gradient of a step that is 1 inside and 0 outside (Kazhdan et al. 2006). On a grid
that step is the solution of a Poisson equation, which Fourier transforms solve at once (Peng et al. 2021, Shape as
points); the surface is its level set through the points, closed and of any topology.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.fft import irfftn, next_fast_len, rfftn
from scipy.ndimage import map_coordinates
from scipy.spatial import cKDTree
from vtkmodules.util.numpy_support import numpy_to_vtk, vtk_to_numpy
from vtkmodules.vtkCommonCore import vtkPoints
from vtkmodules.vtkCommonDataModel import vtkPolyData
from vtkmodules.vtkFiltersPoints import vtkPCANormalEstimation

from mri2mesh.errors import InputError
from mri2mesh.geometry.connectivity import largest_component
from mri2mesh.geometry.isosurface import surface_from_field
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.volume import Volume

FEWEST_POINTS = 50
_NEIGHBOURS = 12
"""Points around one that its normal and its share of the surface are worked out from."""
_MOST_CELLS = 192
"""Along the longest side of the grid."""
_SMOOTHING = 1.3
"""Standard deviation of the Gaussian that the points are seen through, in cells."""
_MARGIN = 0.25
"""Of the longest side, on every side: the grid goes on periodically."""


def surface_from_points(
    points: ArrayLike,
    normals: ArrayLike | None = None,
    *,
    cell_mm: float | None = None,
    largest: bool = True,
) -> Mesh:
    """points: [N, 3] mm RAS on the surface, in any order. normals: [N, 3] outward, of any length; worked out from the
    neighbours by default. cell_mm: of the grid; as far apart as points usually are by default. largest: the largest
    piece alone.

    Raises InputError for points that are too few, not finite, or all in one plane or place.
    """
    places = np.asarray(points, dtype=np.float64)
    if places.ndim != 2 or places.shape[1] != 3 or len(places) < FEWEST_POINTS:
        raise InputError(f"a surface needs at least {FEWEST_POINTS} points [N, 3], got {places.shape}")
    if not np.isfinite(places).all():
        raise InputError("points of a surface must be finite numbers")
    spread = np.linalg.svd(places - places.mean(axis=0), compute_uv=False)
    if spread[2] <= 1e-3 * spread[0]:
        raise InputError("the points lie in one plane or place: they are of no closed surface")
    away = cKDTree(places).query(places, _NEIGHBOURS + 1)[0]
    share = np.pi * away[:, -1] ** 2 / _NEIGHBOURS
    outward = normals_of(places) if normals is None else _units(np.asarray(normals, dtype=np.float64), places)
    cell = cell_mm or float(np.sqrt(np.median(share)))
    cell = max(cell, float(np.ptp(places, axis=0).max()) / _MOST_CELLS)
    step, origin = _step(places, outward * share[:, None], cell)
    at = ((places - origin) / cell).T
    level = float(np.average(map_coordinates(step, at, order=1), weights=share))
    matrix = np.diag([cell, cell, cell, 1.0])
    matrix[:3, 3] = origin
    surface = surface_from_field(Volume(np.ascontiguousarray(step.T.astype(np.float32)), matrix), level)
    return largest_component(surface) if largest else surface


def normals_of(points: ArrayLike) -> NDArray[np.float64]:
    """[N, 3] outward unit normals of points [N, 3]: of the plane through the neighbours of each, turned one after the
    other as their neighbours are."""
    places = np.ascontiguousarray(points, dtype=np.float64)
    data, corners = vtkPolyData(), vtkPoints()
    corners.SetData(numpy_to_vtk(places, deep=True))
    data.SetPoints(corners)
    estimate = vtkPCANormalEstimation()
    estimate.SetInputData(data)
    estimate.SetSampleSize(_NEIGHBOURS)
    estimate.SetNormalOrientationToGraphTraversal()
    estimate.Update()
    found = vtk_to_numpy(estimate.GetOutput().GetPointData().GetNormals()).astype(np.float64)
    # Outward ones have a positive flux of the places about any point: it is three times the volume.
    share = cKDTree(places).query(places, _NEIGHBOURS + 1)[0][:, -1] ** 2
    flux = float((((places - places.mean(axis=0)) * found).sum(axis=1) * share).sum())
    return found if flux >= 0 else -found


def _units(normals: NDArray, places: NDArray) -> NDArray[np.float64]:
    if normals.shape != places.shape or not np.isfinite(normals).all():
        raise InputError(f"normals must be [{len(places)}, 3] finite numbers, got {normals.shape}")
    length = np.linalg.norm(normals, axis=1, keepdims=True)
    if (length < 1e-9).any():
        raise InputError("a normal of length zero has no direction")
    return np.asarray(normals / length)


def _step(places: NDArray, flux: NDArray, cell: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """[I, J, K] the function whose gradient is minus the flux [N, 3] mm2 at the places, smoothed, and the place of its
    first value."""
    low, high = places.min(axis=0), places.max(axis=0)
    margin = _MARGIN * float((high - low).max()) + 4 * cell
    size = [next_fast_len(int(np.ceil(n))) for n in (high - low + 2 * margin) / cell]
    origin = (low + high) / 2 - cell * (np.array(size) - 1) / 2
    field = np.stack([_splatted((places - origin) / cell, flux[:, axis], size) for axis in range(3)])
    frequencies = [2 * np.pi * np.fft.fftfreq(n) for n in size[:2]] + [2 * np.pi * np.fft.rfftfreq(size[2])]
    k = np.meshgrid(*frequencies, indexing="ij", sparse=True)
    square = k[0] ** 2 + k[1] ** 2 + k[2] ** 2
    divergence = sum(1j * one * rfftn(part) for one, part in zip(k, field, strict=True))
    # laplacian(step) = -divergence(flux): in frequencies -k^2 step = -divergence.
    square[0, 0, 0] = 1.0
    solved = divergence / square * np.exp(-0.5 * _SMOOTHING**2 * square)
    solved[0, 0, 0] = 0.0
    return np.asarray(irfftn(solved, s=size)) / cell**2, origin


def _splatted(at: NDArray, values: NDArray, size: list[int]) -> NDArray[np.float64]:
    """Values [N] shared among the eight grid points around each place [N, 3]."""
    low = np.floor(at).astype(np.int64)
    part = at - low
    grid = np.zeros(int(np.prod(size)))
    for corner in np.ndindex(2, 2, 2):
        weight = np.prod(np.where(corner, part, 1 - part), axis=1)
        rows = np.ravel_multi_index(tuple((low + corner).T), size)
        grid += np.bincount(rows, weights=weight * values, minlength=len(grid))
    return grid.reshape(size)

"""Surfaces from images: label maps, masks and scalar fields, in patient RAS on any grid."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from vtkmodules.util.numpy_support import numpy_to_vtk
from vtkmodules.vtkCommonDataModel import vtkImageData
from vtkmodules.vtkFiltersCore import vtkFlyingEdges3D

from mri2mesh.errors import InputError
from mri2mesh.geometry.checks import outward
from mri2mesh.geometry.connectivity import largest_component
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.smoothing import taubin
from mri2mesh.geometry.volume import Volume
from mri2mesh.geometry.vtk_bridge import from_polydata


def surface_from_labels(mask: Volume, smooth: int = 30, *, largest: bool = False) -> Mesh:
    """The closed, outward surface of the voxels that are not zero, in RAS.

    mask: 0 is outside; the surface runs midway between the centres of inside and outside voxels and is closed
        where the mask meets the edge of the grid.
    smooth: rounds of Taubin smoothing (30 take most of the staircase off); 0 for none.
    largest: keep only the largest connected piece.

    Raises InputError when the mask is empty.
    """
    inside = mask.array != 0
    if not inside.any():
        raise InputError("the label map is empty: there is no voxel to make a surface from")
    mesh = _contour(inside.astype(np.float32), mask.ijk_to_ras, 0.5, outside=0.0)
    if largest:
        mesh = largest_component(mesh)
    return taubin(mesh, smooth, pass_band=0.05)


def surface_from_field(field: Volume, level: float, *, inside: str = "above") -> Mesh:
    """The closed, outward surface field = level, in RAS, by linear interpolation between voxel centres.

    inside: "above" (probabilities, intensities) or "below" (signed distances). The surface is closed where
        the field is still inside at the edge of the grid.

    Raises InputError when no voxel is inside.
    """
    if inside not in ("above", "below"):
        raise ValueError(f"inside is 'above' or 'below', got {inside!r}")
    values = field.array.astype(np.float32) - np.float32(level)
    if inside == "below":
        values = -values
    if not (values > 0).any():
        raise InputError(f"the image never goes {inside} {level:g}: there is no surface")
    # A value of exactly the level puts several vertices on one voxel centre: keep a hair's breadth off it.
    span = float(np.abs(values).max())
    values[np.abs(values) < 1e-4 * span] = -1e-4 * span
    return _contour(values, field.ijk_to_ras, 0.0, outside=-span)


def _contour(values: NDArray[np.float32], ijk_to_ras: NDArray, level: float, outside: float) -> Mesh:
    """Flying edges on the part that matters, padded by one voxel so that the surface closes."""
    where = np.argwhere(values > level)
    low, high = where.min(axis=0), where.max(axis=0) + 1
    low, high = np.maximum(low - 1, 0), np.minimum(high + 1, values.shape)
    crop = values[tuple(slice(a, b) for a, b in zip(low, high, strict=True))]
    crop = np.ascontiguousarray(np.pad(crop, 1, constant_values=outside))
    image = vtkImageData()
    image.SetDimensions(*crop.shape[::-1])
    image.SetOrigin(*(low[::-1] - 1.0))
    image.GetPointData().SetScalars(numpy_to_vtk(crop.ravel(), deep=True))
    contour = vtkFlyingEdges3D()
    contour.SetInputData(image)
    contour.SetValue(0, level)
    contour.ComputeNormalsOff()
    contour.ComputeScalarsOff()
    contour.Update()
    # In voxel coordinates the surface is oriented one way whatever the grid; `transformed` keeps it outward.
    return outward(from_polydata(contour.GetOutput())).transformed(ijk_to_ras)

"""What one gets from a label map without the engine: marching cubes, 3D Slicer's smoothed surface, and shape-based
interpolation.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt
from vtkmodules.util.numpy_support import numpy_to_vtk
from vtkmodules.vtkCommonDataModel import vtkImageData
from vtkmodules.vtkFiltersCore import vtkWindowedSincPolyDataFilter
from vtkmodules.vtkFiltersGeneral import vtkDiscreteFlyingEdges3D

from mri2mesh.engines.segmentation.patch import Patch
from mri2mesh.geometry.checks import outward
from mri2mesh.geometry.isosurface import surface_from_field, surface_from_labels
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.volume import Volume
from mri2mesh.geometry.vtk_bridge import from_polydata

SMOOTHING_FACTOR, ITERATIONS = 0.5, 20
"""The defaults of 3D Slicer's conversion of a binary label map to a closed surface: pass band 10^(-4 factor)."""
INTERPOLATED_MM = 1.0


def marching_cubes(bone: Volume) -> Mesh:
    """The border of the labelled voxels as it is."""
    return surface_from_labels(bone, 0)


def slicer_closed_surface(bone: Volume) -> Mesh:
    """As 3D Slicer shows a segment in 3D: discrete flying edges, then a windowed sinc filter (Taubin et al. 1996)."""
    array = np.ascontiguousarray(np.pad(bone.array.astype(np.uint8), 1))
    image = vtkImageData()
    image.SetDimensions(*array.shape[::-1])
    image.SetSpacing(*bone.spacing)
    image.SetOrigin(*(-bone.spacing))
    image.GetPointData().SetScalars(numpy_to_vtk(array.ravel(), deep=True))
    edges = vtkDiscreteFlyingEdges3D()
    edges.SetInputData(image)
    edges.SetValue(0, 1)
    edges.ComputeNormalsOff()
    edges.ComputeScalarsOff()
    smooth = vtkWindowedSincPolyDataFilter()
    smooth.SetInputConnection(edges.GetOutputPort())
    smooth.SetNumberOfIterations(ITERATIONS)
    smooth.BoundarySmoothingOff()
    smooth.FeatureEdgeSmoothingOff()
    smooth.SetPassBand(10.0 ** (-4.0 * SMOOTHING_FACTOR))
    smooth.NonManifoldSmoothingOn()
    smooth.NormalizeCoordinatesOn()
    smooth.Update()
    directions = bone.ijk_to_ras.copy()
    directions[:3, :3] /= bone.spacing
    return outward(from_polydata(smooth.GetOutput())).transformed(directions)


def shape_based_interpolation(bone: Volume, axis: int) -> Mesh:
    """Signed distances to the contours of each slice, interpolated between slices (Raya and Udupa 1990)."""
    in_plane = np.delete(bone.spacing, axis)
    stack = np.moveaxis(np.transpose(bone.array, (2, 1, 0)), axis, 0) != 0
    depth = np.stack([_signed(one, in_plane) for one in stack])
    pieces = max(1, int(np.ceil(bone.spacing[axis] / INTERPOLATED_MM)))
    at = np.arange((len(depth) - 1) * pieces + 1) / pieces
    below = np.minimum(at.astype(int), len(depth) - 2)
    share = (at - below)[:, None, None]
    finer = (1 - share) * depth[below] + share * depth[below + 1]
    array = np.transpose(np.moveaxis(finer, 0, axis), (2, 1, 0)).astype(np.float32)
    matrix = bone.ijk_to_ras.copy()
    matrix[:3, axis] /= pieces
    return surface_from_field(Volume(array, matrix), 0.0)


def _signed(one: NDArray[np.bool_], in_plane: NDArray) -> NDArray[np.float64]:
    """Distance to the contour of a slice, mm, positive inside; 5 mm outside of it where the slice is empty."""
    half = float(in_plane.mean()) / 2
    if not one.any():
        return np.full(one.shape, -5.0)
    inside, outside = (distance_transform_edt(mask, sampling=in_plane) for mask in (one, ~one))
    return np.where(one, inside - half, half - outside)


def thinned(bone: Patch, axis: int, every: int, first: int) -> Volume:
    """The volume of the slices that were drawn alone: every so many, from a first one of the image on, thicker."""
    start = (first - bone.low[axis]) % every
    taken = [slice(None)] * 3
    taken[2 - axis] = slice(int(start), None, every)
    matrix = bone.ijk_to_ras.copy()
    offset = np.zeros(3)
    offset[axis] = start
    matrix[:3, 3] = bone.ras_from_ijk(offset)
    matrix[:3, axis] *= every
    array = bone.array[tuple(taken)]
    pad = [(0, 0)] * 3
    pad[2 - axis] = (1, 1)  # an empty slice before and after, as the image has
    matrix[:3, 3] -= matrix[:3, axis]
    return Volume(np.pad(array, pad), matrix)

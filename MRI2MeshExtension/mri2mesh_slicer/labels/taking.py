"""The voxels of a segmentation, or of a label map volume, for the worker."""

from __future__ import annotations

from typing import Any

import numpy as np
import slicer
import vtk
from numpy.typing import NDArray
from vtk.util.numpy_support import vtk_to_numpy

from mri2mesh.errors import InputError
from mri2mesh.geometry.volume import Volume
from mri2mesh_slicer.inputs import volume_of
from mri2mesh_slicer.labels.segments import is_segmentation, segments_of
from mri2mesh_slicer.matrices import array_of

_PAD = 4
"""Voxels around segments whose own grid ends where they end, so that they do not seem to be cut off."""


def label_volume_of(node: Any) -> Volume:
    """Integer labels, as `segments.segments_of` numbers them, in the node's own coordinates.

    Raises InputError for an empty segmentation, and for one that has no voxels, only surfaces.
    """
    if not is_segmentation(node):
        return volume_of(node)
    segmentation = node.GetSegmentation()
    rows = segments_of(node)
    if not rows:
        raise InputError(f"{node.GetName()} has no segments: choose another segmentation")
    name = slicer.vtkSegmentationConverter.GetBinaryLabelmapRepresentationName()
    if not segmentation.ContainsRepresentation(name):
        raise InputError(
            f"{node.GetName()} has surfaces and no label map: create its binary label map in the module Segmentations"
        )
    identities, values = vtk.vtkStringArray(), vtk.vtkIntArray()
    for row in rows:
        identities.InsertNextValue(row.identity)
        values.InsertNextValue(row.label)
    whole = bool(
        segmentation.GetConversionParameter(
            slicer.vtkSegmentationConverter.GetReferenceImageGeometryParameterName()
        )
    )
    kinds = slicer.vtkSegmentation
    extent = kinds.EXTENT_REFERENCE_GEOMETRY if whole else kinds.EXTENT_UNION_OF_EFFECTIVE_SEGMENTS
    image = slicer.vtkOrientedImageData()
    if not node.GenerateMergedLabelmapForAllSegments(image, extent, None, identities, values):
        raise InputError(f"the segments of {node.GetName()} cannot be put on one grid")
    array, matrix = _as_array(image)
    if not array.any():
        raise InputError(f"{node.GetName()} is empty: nothing was drawn in its segments")
    return Volume(array, matrix) if whole else _padded(array, matrix)


def reference_node_of(node: Any) -> Any:
    """The volume node that a segmentation was drawn on, None where it is not in the scene."""
    volume = node.GetNodeReference(slicer.vtkMRMLSegmentationNode.GetReferenceImageGeometryReferenceRole())
    return None if volume is None or volume.GetImageData() is None else volume


def reference_image_of(node: Any, labels: Volume) -> Any:
    """The volume node that a segmentation was drawn on, where it has the labels' grid and moves with them."""
    volume = reference_node_of(node) if is_segmentation(node) else None
    if volume is None:
        return None
    if volume.GetTransformNodeID() != node.GetTransformNodeID():
        return None
    try:
        image = volume_of(volume)
    except InputError:
        return None
    same = image.array.shape == labels.array.shape and np.allclose(
        image.ijk_to_ras, labels.ijk_to_ras, atol=1e-3
    )
    return volume if same else None


def _as_array(image: Any) -> tuple[NDArray[np.uint16], NDArray[np.float64]]:
    """[K, J, I] and ijk_to_ras: the image's first voxel need not have the index 0."""
    to_world = vtk.vtkMatrix4x4()
    image.GetImageToWorldMatrix(to_world)
    matrix, first = array_of(to_world), np.array(image.GetExtent())[::2]
    matrix[:3, 3] += matrix[:3, :3] @ first
    columns, rows, slices = image.GetDimensions()
    array = vtk_to_numpy(image.GetPointData().GetScalars()).reshape(slices, rows, columns)
    return array.astype(np.uint16), matrix


def _padded(array: NDArray[np.uint16], matrix: NDArray) -> Volume:
    moved = matrix.copy()
    moved[:3, 3] -= matrix[:3, :3].sum(axis=1) * _PAD
    return Volume(np.pad(array, _PAD), moved)

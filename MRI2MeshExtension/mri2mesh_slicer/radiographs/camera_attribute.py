"""The geometry of a radiograph, kept on its volume node: it is saved with the scene and comes back with it."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import vtk
from numpy.typing import NDArray

from mri2mesh.errors import InputError
from mri2mesh.geometry.xray_camera import XrayCamera
from mri2mesh_slicer.matrices import array_of, vtk_matrix
from mri2mesh_slicer.radiographs.geometry_of_nodes import LANDMARKS
from mri2mesh_slicer.radiographs.landmarks import carry_landmarks

CAMERA = "MRI2Mesh.XrayCamera"
"""Name of the attribute: the fields of `XrayCamera` as JSON, in the frame of the volume's parent transform."""
GEOMETRY_BEFORE = "MRI2Mesh.IJKToRASBefore"
"""Name of the attribute: the volume's IJK-to-RAS matrix before it was put onto the detector."""


def camera_of(volume_node: Any) -> XrayCamera | None:
    """What `put_onto_detector` was given, None for a volume that is not on a detector. Raises InputError for damage."""
    text = volume_node.GetAttribute(CAMERA)
    if not text:
        return None
    try:
        values = json.loads(text)
        return XrayCamera(
            np.array(values["source_ras_mm"], dtype=np.float64),
            np.array(values["axes_ras"], dtype=np.float64),
            float(values["source_to_detector_mm"]),
            (float(values["pixel_spacing_mm"][0]), float(values["pixel_spacing_mm"][1])),
            (float(values["principal_point_px"][0]), float(values["principal_point_px"][1])),
            (int(values["size"][0]), int(values["size"][1])),
        )
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise InputError("the X-ray geometry kept with this image is damaged: give it again") from error


def put_onto_detector(volume_node: Any, camera: XrayCamera) -> None:
    """Every pixel stands where the detector recorded it, and landmarks stay on their pixels.

    Raises InputError for another size, or several frames.
    """
    image = volume_node.GetImageData()
    columns, rows, frames = (0, 0, 0) if image is None else image.GetDimensions()
    if frames != 1:
        raise InputError(
            f"a radiograph is one image, this volume has {frames}: load one frame, or a sequence"
        )
    if (rows, columns) != tuple(camera.size):
        raise InputError(
            f"the image has {rows} x {columns} pixels and its geometry is for {camera.size[0]} x {camera.size[1]}: "
            "give the geometry of this image"
        )
    if not volume_node.GetAttribute(GEOMETRY_BEFORE):
        before = vtk.vtkMatrix4x4()
        volume_node.GetIJKToRASMatrix(before)
        volume_node.SetAttribute(GEOMETRY_BEFORE, json.dumps(array_of(before).tolist()))
    values = {name: np.asarray(value).tolist() for name, value in vars(camera).items()}
    volume_node.SetAttribute(CAMERA, json.dumps(values))
    _move(volume_node, camera.pixel_to_ras)


def take_off_detector(volume_node: Any) -> None:
    """The volume as it was before `put_onto_detector`; nothing for one that never was there."""
    before = volume_node.GetAttribute(GEOMETRY_BEFORE)
    if before:
        _move(volume_node, np.array(json.loads(before)))
    for name in (CAMERA, GEOMETRY_BEFORE):
        volume_node.RemoveAttribute(name)


def _move(volume_node: Any, ijk_to_ras: NDArray) -> None:
    carry_landmarks(volume_node.GetNodeReference(LANDMARKS), volume_node, ijk_to_ras)
    volume_node.SetIJKToRASMatrix(vtk_matrix(ijk_to_ras))

"""What the networks of lumbar films are given besides the film: the camera, and a vertebra whose name is known."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mri2mesh.anatomy.lumbar_region import BONES
from mri2mesh.engines.dense_maps.inputs import SD_UNIT_MM, Reference, ray_channels
from mri2mesh.geometry.xray_camera import XrayCamera

CAMERA_CHANNELS = 11
FILM_CHANNELS = CAMERA_CHANNELS + len(BONES)
_HINT_MM = 14.0
"""Radius of the spot that says where a known vertebra is, at the reference depth."""


def camera_channels(camera: XrayCamera, reference: Reference) -> NDArray[np.float32]:
    """[11, H, W] for a camera whose grid is that of the maps: those of `ray_channels`, how uncertain the depth is, the
    directions in the patient of the beam and of the film's columns (right, front, head)."""
    constant = np.array([reference.sd_mm / SD_UNIT_MM, *camera.axes_ras[2], *camera.axes_ras[0]], np.float32)
    more = np.broadcast_to(constant[:, None, None], (len(constant), *camera.size))
    return np.concatenate([ray_channels(camera, reference), more])


def film_channels(
    camera: XrayCamera, reference: Reference, bone: int | None = None, place_px: ArrayLike | None = None
) -> NDArray[np.float32]:
    """[19, H, W]: those of the camera and, for each of `BONES`, a spot where that bone is known to be.

    bone, place_px: which, and where (column, row) on the camera's grid; nothing is known by default.
    """
    spots = np.zeros((len(BONES), *camera.size), np.float32)
    if bone is not None and place_px is not None:
        column, row = np.asarray(place_px, dtype=np.float32)
        y, x = np.indices(camera.size, dtype=np.float32)
        pixel_mm = camera.pixel_spacing_mm[0] * reference.depth_mm / camera.source_to_detector_mm
        spots[bone] = np.exp(-((x - column) ** 2 + (y - row) ** 2) / 2 / (_HINT_MM / pixel_mm) ** 2)
    return np.concatenate([camera_channels(camera, reference), spots])

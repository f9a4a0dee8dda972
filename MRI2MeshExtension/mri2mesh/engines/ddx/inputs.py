"""What the network of 3DDX is given besides the film."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mri2mesh.engines.dense_maps.inputs import SD_UNIT_MM, Reference, ray_channels
from mri2mesh.geometry.xray_camera import XrayCamera

CAMERA_CHANNELS = 6


def camera_channels(camera: XrayCamera, reference: Reference) -> NDArray[np.float32]:
    """[6, H, W] for a camera whose grid is that of the maps.

    Those of `ray_channels`, the reference being the middle of both hip joints; +1 for a beam from the patient's front
    to the back and -1 for the other way; how uncertain the depth is.
    """
    rays = ray_channels(camera, reference)
    more = np.empty((2, *camera.size), np.float32)
    more[0] = 1.0 if camera.axes_ras[2, 1] < 0 else -1.0
    more[1] = reference.sd_mm / SD_UNIT_MM
    return np.concatenate([rays, more])


def mirrored_channels(channels: NDArray) -> NDArray[np.float32]:
    """Of the film's mirror image, left to right: what was seen to the left is seen to the right."""
    turned = np.ascontiguousarray(channels[:, :, ::-1])
    turned[0] *= -1
    return turned

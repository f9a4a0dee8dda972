"""Between SimpleITK images (LPS, x first) and this library's arrays and matrices (RAS, [K, J, I])."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Lock

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from mri2mesh.geometry.coordinates import LPS_FROM_RAS
from mri2mesh.geometry.volume import Volume

_DESCRIPTORS = Lock()


def matrix_from_itk(image: sitk.Image) -> NDArray[np.float64]:
    """4x4 ijk_to_ras of a 3D image."""
    matrix = np.eye(4)
    matrix[:3, :3] = np.reshape(image.GetDirection(), (3, 3)) * image.GetSpacing()
    matrix[:3, 3] = image.GetOrigin()
    return LPS_FROM_RAS @ matrix


def image_from_volume(volume: Volume) -> sitk.Image:
    """The same voxels in the same places; boolean becomes uint8. Raises ValueError when axes are sheared."""
    array = volume.array.astype(np.uint8) if volume.array.dtype == bool else volume.array
    if array.dtype == np.float16:
        array = array.astype(np.float32)
    matrix = LPS_FROM_RAS @ volume.ijk_to_ras
    direction = matrix[:3, :3] / volume.spacing
    if volume.sheared:
        raise ValueError("a volume with sheared axes cannot be written: resample it first")
    image = sitk.GetImageFromArray(np.ascontiguousarray(array))
    image.SetSpacing(volume.spacing.tolist())
    image.SetDirection(direction.ravel().tolist())
    image.SetOrigin(matrix[:3, 3].tolist())
    return image


@contextmanager
def quiet() -> Iterator[None]:
    """Keeps ITK and the C libraries under it from writing to standard output and error: callers raise what matters.

    The libraries for NIfTI, NRRD, DICOM and JPEG write to the file descriptors themselves, so those are turned away.
    """
    with _DESCRIPTORS:
        shown = sitk.ProcessObject.GetGlobalWarningDisplay()
        sitk.ProcessObject.SetGlobalWarningDisplay(False)
        kept = [(descriptor, _turned_away(descriptor)) for descriptor in (1, 2)]
        try:
            yield
        finally:
            for descriptor, before in kept:
                if before is not None:
                    os.dup2(before, descriptor)
                    os.close(before)
            sitk.ProcessObject.SetGlobalWarningDisplay(shown)


def _turned_away(descriptor: int) -> int | None:
    """What a descriptor wrote to, which now writes to nowhere; None where it is closed."""
    with suppress(OSError, ValueError, AttributeError):
        (sys.stdout if descriptor == 1 else sys.stderr).flush()
        before = os.dup(descriptor)
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, descriptor)
        os.close(nowhere)
        return before
    return None

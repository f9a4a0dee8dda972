"""Volumes on other grids.

`reorient` moves no voxel, `resample_to_grid` interpolate, `thick_slices` and
`average_slices` integrate; all keep every value at its place in the patient.
"""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from mri2mesh.geometry.volume import Volume
from mri2mesh.imaging.volumes.intensity import normalise
from mri2mesh.imaging.volumes.orientation import reorient
from mri2mesh.imaging.volumes.slice_profiles import SIGMA_PER_FWHM, average_slices, thick_slices

__all__ = [
    "average_slices",
    "normalise",
    "reorient",
    "resample_to_grid",
    "thick_slices",
]

INTERPOLATORS = {0: sitk.sitkNearestNeighbor, 1: sitk.sitkLinear, 3: sitk.sitkBSpline}
ROUNDING = 1e-6
"""Voxels by which a point may lie outside the image and still count as on its edge."""


def resample_to_grid(
    volume: Volume,
    ijk_to_ras: NDArray,
    shape: tuple[int, int, int],
    order: int = 1,
    fill: float = 0.0,
    *,
    anti_alias: bool = False,
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Values of a volume at the voxel centres of any other grid (rotated, sheared or flipped as may be).

    ijk_to_ras: 4x4 of the wanted grid. shape: (K, J, I) of it.
    order: 0 nearest (labels), 1 linear, 3 cubic B-spline.
    anti_alias: blur first, along each axis where the wanted voxels are larger than what the image resolves
        (its spacing; across slices, its slice thickness); not for labels.
    Returns ([K, J, I] float32, [K, J, I] true where the point lies in a voxel of the image). Elsewhere the
    value is ``fill``. Raises ValueError for an unknown order or for labels with anti_alias.
    """
    if order not in INTERPOLATORS:
        raise ValueError(f"the interpolation order is one of {sorted(INTERPOLATORS)}, not {order}")
    if anti_alias and order == 0:
        raise ValueError("labels cannot be blurred: use anti_alias with order 1 or 3")
    target = np.asarray(ijk_to_ras, dtype=np.float64)
    array = np.ascontiguousarray(volume.array, dtype=np.float32)
    if anti_alias:
        array = _blurred(volume, array, target)
    # Both images get the identity geometry; all geometry, shear included, is in the index-to-index transform.
    index_to_index = np.linalg.inv(volume.ijk_to_ras) @ target
    resampler = sitk.ResampleImageFilter()
    resampler.SetSize([int(n) for n in reversed(shape)])
    linear, shift = index_to_index[:3, :3].ravel().tolist(), index_to_index[:3, 3].tolist()
    resampler.SetTransform(sitk.AffineTransform(linear, shift))
    resampler.SetInterpolator(INTERPOLATORS[order])
    resampler.SetUseNearestNeighborExtrapolator(True)
    values = sitk.GetArrayFromImage(resampler.Execute(sitk.GetImageFromArray(array)))
    inside = _inside(index_to_index, shape, volume.array.shape)
    values[~inside] = fill
    return values, inside


def _blurred(volume: Volume, array: NDArray[np.float32], target: NDArray[np.float64]) -> NDArray[np.float32]:
    """Gaussian blur that takes the resolution of the image to that of the wanted grid, axis by axis.

    Full widths at half maximum: the image's is its voxel (or slice) extent, the wanted one that of the wanted
    voxels along this axis; variances add, so the blur is the difference of their squares.
    """
    resolution = volume.spacing.copy()
    if volume.slice_thickness_mm is not None:
        resolution[volume.slice_axis] = volume.slice_thickness_mm
    directions = volume.ijk_to_ras[:3, :3] / volume.spacing
    for axis in range(3):
        wanted = np.linalg.norm(target[:3, :3].T @ directions[:, axis])
        missing = wanted**2 - resolution[axis] ** 2
        sigma = np.sqrt(max(0.0, missing)) * SIGMA_PER_FWHM / volume.spacing[axis]
        if sigma > 0.1:  # a narrower one does not reach the next voxel
            array = gaussian_filter1d(array, sigma, axis=2 - axis, mode="nearest", truncate=3.0)
    return array


def _inside(
    index_to_index: NDArray, shape: tuple[int, int, int], source_shape: tuple[int, ...]
) -> NDArray[np.bool_]:
    """[K, J, I]: does the voxel centre fall in a voxel of the source, edges included?"""
    k, j, i = (np.arange(n, dtype=np.float64) for n in shape)
    inside = np.ones(shape, dtype=bool)
    for axis in range(3):
        a, b, c, d = index_to_index[axis]
        position = (c * k + d)[:, None, None] + (b * j)[:, None] + a * i
        inside &= (position >= -0.5 - ROUNDING) & (position <= source_shape[2 - axis] - 0.5 + ROUNDING)
    return inside

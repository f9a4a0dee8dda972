"""Thick slices, as the scanner makes them: the integral of the tissue over the slice profile.

A voxel of the fine volume is taken as what it is, the average over its own cell. The running integral of the
tissue along the slice axis is then known exactly at the cell boundaries, and only between them is it
interpolated (cubic, exact for linear ramps). Averages over whole cells are therefore exact for any tissue.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mri2mesh.geometry.volume import Volume
from mri2mesh.imaging.volumes.orientation import array_axis

Profile = Literal["box", "gaussian"]

SIGMA_PER_FWHM = 1 / np.sqrt(8 * np.log(2))
GAUSSIAN_HALF_WIDTH = 1.5
"""Where the Gaussian profile ends, in thicknesses (3.5 standard deviations; 0.04% lies beyond)."""
GAUSSIAN_PARTS = 48


def thick_slices(
    volume: Volume,
    axis: int | str,
    thickness_mm: float,
    spacing_mm: float | None = None,
    *,
    profile: Profile = "box",
    gap_mm: float = 0.0,
    offset_mm: float | None = None,
) -> Volume:
    """The volume as a scan with thicker slices would show it.

    axis: index axis 0, 1, 2 (i, j, k) or the patient axis it is nearest to, "x", "y", "z".
    thickness_mm: full width at half maximum of the profile, at least the fine spacing.
    spacing_mm: between slice centres; more than the thickness leaves a gap, less makes slices overlap.
        Left out, it is ``thickness_mm + gap_mm``.
    offset_mm: from the edge of the volume to the edge of the first slice; left out, the stack is centred.
    A slice is made where its full width at half maximum lies in the volume; a Gaussian's tails beyond see the
    edge value. Result: float32, ``slice_thickness_mm`` set, slice centres where the profile was integrated.

    Raises ValueError when thickness, spacing or offset make no sense for this volume.
    """
    index_axis = array_axis(volume, axis)
    fine_mm = float(volume.spacing[index_axis])
    count = volume.array.shape[2 - index_axis]
    spacing = thickness_mm + gap_mm if spacing_mm is None else spacing_mm
    if spacing_mm is not None and gap_mm and abs(spacing_mm - thickness_mm - gap_mm) > 1e-6:
        raise ValueError("spacing_mm and gap_mm contradict each other: give one of them")
    if not (thickness_mm >= fine_mm * (1 - 1e-6) and spacing > 0):
        raise ValueError(f"{thickness_mm} mm slices every {spacing} mm cannot be made from {fine_mm:.3f} mm")
    room = count * fine_mm - thickness_mm
    start = offset_mm if offset_mm is not None else 0.0
    slices = int(np.floor((room - start + 1e-6 * fine_mm) / spacing)) + 1
    if start < 0 or slices < 1:
        raise ValueError(f"no {thickness_mm} mm slice fits in the {count * fine_mm:.1f} mm of this axis")
    if offset_mm is None:
        start = max(0.0, (room - (slices - 1) * spacing) / 2)
    # In cells from the edge of the volume; the centre of voxel n is at n + 0.5.
    centres = (start + thickness_mm / 2 + spacing * np.arange(slices)) / fine_mm
    weights = _profile_weights(centres, thickness_mm / fine_mm, count, profile)
    matrix = _sliced_matrix(volume, index_axis, centres[0] - 0.5, spacing / fine_mm)
    return replace(
        volume,
        array=_along(volume.array, 2 - index_axis, weights),
        ijk_to_ras=matrix,
        slice_thickness_mm=float(thickness_mm),
    )


def average_slices(volume: Volume, axis: int | str = "x", n: int = 4) -> Volume:
    """Means of n slices at a time, from the first on; a last group of fewer than n is dropped.

    Each new slice lies at the centre of the slab it averages. float32. Raises ValueError when there are fewer
    than n slices along ``axis`` (index or patient axis as in `thick_slices`).
    """
    index_axis = array_axis(volume, axis)
    count = volume.array.shape[2 - index_axis]
    if n < 1 or count < n:
        raise ValueError(f"cannot average {n} slices at a time: this axis has {count}")
    weights = np.kron(np.eye(count // n), np.full((1, n), 1 / n))
    weights = np.pad(weights, ((0, 0), (0, count - weights.shape[1])))
    fine_mm = float(volume.spacing[index_axis])
    was_slice_axis = index_axis == volume.slice_axis and volume.slice_thickness_mm is not None
    one = volume.slice_thickness_mm if was_slice_axis and volume.slice_thickness_mm is not None else fine_mm
    return replace(
        volume,
        array=_along(volume.array, 2 - index_axis, weights),
        ijk_to_ras=_sliced_matrix(volume, index_axis, (n - 1) / 2, n),
        slice_thickness_mm=(n - 1) * fine_mm + one,
    )


def _sliced_matrix(volume: Volume, index_axis: int, first: float, step: float) -> NDArray[np.float64]:
    """ijk_to_ras when slice m lies at old index ``first + m * step`` along an index axis."""
    new_to_old = np.eye(4)
    new_to_old[index_axis, index_axis] = step
    new_to_old[index_axis, 3] = first
    return volume.ijk_to_ras @ new_to_old


def _along(array: NDArray, array_axis_: int, weights: NDArray[np.float64]) -> NDArray[np.float32]:
    """Weighted sums along one axis: [..., N, ...] by [M, N] to [..., M, ...], float32."""
    moved = np.moveaxis(array, array_axis_, -1).astype(np.float32, copy=False)
    return np.ascontiguousarray(np.moveaxis(moved @ weights.T.astype(np.float32), -1, array_axis_))


def _profile_weights(centres: NDArray, thickness: float, count: int, profile: Profile) -> NDArray[np.float64]:
    """[M, N] weights of N cells in M slices; each row sums to 1. Lengths in cells."""
    if profile == "box":
        edges, masses = np.array([-0.5, 0.5]), np.ones(1)
    elif profile == "gaussian":
        edges = np.linspace(-GAUSSIAN_HALF_WIDTH, GAUSSIAN_HALF_WIDTH, GAUSSIAN_PARTS + 1)
        middles = (edges[1:] + edges[:-1]) / 2
        masses = np.exp(-0.5 * (middles / SIGMA_PER_FWHM) ** 2)
        masses /= masses.sum()
    else:
        raise ValueError(f"a slice profile is 'box' or 'gaussian', not {profile!r}")
    integral = _running_integral((centres[:, None] + thickness * edges).ravel(), count)
    parts = np.diff(integral.reshape(len(centres), len(edges), count), axis=1)
    return np.einsum("s,msn->mn", masses / (thickness * np.diff(edges)), parts)


def _running_integral(positions: NDArray, count: int) -> NDArray[np.float64]:
    """[P, N] matrix giving, from N cell averages, the integral from one start to each position (in cells).

    Between boundaries: the Catmull-Rom cubic through the integral at the four nearest ones, written in
    terms of the cell before, here and after.
    """
    # Beyond the ends the first and last cells go on for ever.
    margin = int(np.ceil(max(0.0, -positions.min(), positions.max() - count))) + 2
    cells = np.arange(-margin, count + margin)
    cell = np.floor(positions).astype(int)
    t = positions - cell
    start_slope, end_slope = t**3 - 2 * t**2 + t, t**3 - t**2
    here = 3 * t**2 - 2 * t**3 + (start_slope + end_slope) / 2
    weights = (cells < cell[:, None]).astype(np.float64)
    rows = np.arange(len(positions))
    for shift, weight in ((-1, start_slope / 2), (0, here), (1, end_slope / 2)):
        weights[rows, cell + shift + margin] += weight
    folded = weights[:, margin : margin + count]
    folded[:, 0] += weights[:, :margin].sum(axis=1)
    folded[:, -1] += weights[:, margin + count :].sum(axis=1)
    return folded

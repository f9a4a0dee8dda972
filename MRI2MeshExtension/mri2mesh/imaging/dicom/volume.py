"""One volume from a DICOM series: geometry from the slice positions, pixels through GDCM."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import SimpleITK as sitk
from numpy.typing import NDArray

from mri2mesh.errors import InputError
from mri2mesh.geometry.coordinates import LPS_FROM_RAS
from mri2mesh.geometry.volume import Volume
from mri2mesh.imaging.dicom.series import DicomSeries, DicomSlice, find_series
from mri2mesh.imaging.itk import quiet
from mri2mesh.imaging.volumes.headers.header import TRUNCATED

MIN_SLICES = 3
PIXEL_DATA = 0x7FE00010
SHOWN_SERIES = 8
POSITION_TOLERANCE_MM = 0.05
POSITION_TOLERANCE = 0.02
"""A slice may be this far from its place, in millimetres or in slice spacings, whichever is more."""


def read_dicom(path: Path, series: int | None = None) -> Volume:
    """The volume in a folder (and its subfolders), or the one that a single file is a slice of.

    series: which, from 1 in the order of the message that lists them, when there are several.
    slice_thickness_mm is Slice Thickness (0018,0050); the spacing is that of the slice positions. float32.
    Raises InputError when there is no volume, or a choice, or slices are missing, uneven or damaged.
    """
    chosen = _choose(find_series(path), series)
    if chosen.samples != 1:
        raise InputError("the DICOM images are in colour: give a grey-scale series")
    slices, matrix = _stack(chosen)
    array = _pixels(slices, chosen.shape)
    metadata = {"modality": chosen.modality} if chosen.modality else {}
    volume = Volume(array, LPS_FROM_RAS @ matrix, None, metadata)
    if volume.slice_axis == 2:
        volume = Volume(array, volume.ijk_to_ras, slices[0].thickness, metadata)
    return volume


def _choose(found: list[DicomSeries], number: int | None) -> DicomSeries:
    """The only stack of enough slices, or the one asked for."""
    volumes = [one for one in found if len(one.slices) >= MIN_SLICES]
    if not volumes:
        most = max(len(one.slices) for one in found)
        raise InputError(f"too few slices in the DICOM series: {most}, at least {MIN_SLICES} are needed")
    if number is not None:
        if not 1 <= number <= len(volumes):
            raise InputError(f"there is no series {number}: choose one of 1 to {len(volumes)}")
        return volumes[number - 1]
    if len(volumes) > 1:
        listed = [f"{n}: {one.describe()}" for n, one in enumerate(volumes[:SHOWN_SERIES], start=1)]
        more = ["..."] if len(volumes) > SHOWN_SERIES else []
        raise InputError(
            f"{len(volumes)} DICOM series found, choose one by its number ({'; '.join(listed + more)})"
        )
    return volumes[0]


def _stack(series: DicomSeries) -> tuple[list[DicomSlice], NDArray[np.float64]]:
    """Slices in order along their normal, and the 4x4 from (i, j, k) to LPS. Raises InputError for gaps."""
    slices = sorted(series.slices, key=lambda one: float(one.position @ series.normal))
    positions = np.array([one.position for one in slices])
    gaps = np.diff(positions @ series.normal)
    usual = float(np.median(gaps))
    if gaps.min() < 1e-3:
        raise InputError(
            "several DICOM images lie at one slice position (time points, echoes, diffusion): "
            "give a folder with one volume"
        )
    tolerance = max(POSITION_TOLERANCE_MM, POSITION_TOLERANCE * usual)
    odd = int(np.argmax(np.abs(gaps - usual)))
    if abs(gaps[odd] - usual) > tolerance:
        kind = "slices are missing" if gaps[odd] > 1.5 * usual else "the slices are not evenly spaced"
        raise InputError(
            f"{kind}: slices {odd + 1} and {odd + 2} of {len(slices)} are {gaps[odd]:.2f} mm apart, "
            f"the others {usual:.2f} mm: export the whole series again"
        )
    step = (positions[-1] - positions[0]) / (len(slices) - 1)
    strayed = np.linalg.norm(positions - positions[0] - np.arange(len(slices))[:, None] * step, axis=1)
    if strayed.max() > tolerance:
        raise InputError("the DICOM slices do not lie in one straight stack: give a folder with one volume")
    row, column = slices[0].orientation
    rows_apart, columns_apart = slices[0].spacing
    matrix = np.eye(4)
    matrix[:3] = np.stack([row * columns_apart, column * rows_apart, step, positions[0]], axis=1)
    return slices, matrix


def _pixels(slices: list[DicomSlice], shape: tuple[int, int]) -> NDArray[np.float32]:
    """[K, J, I] with each file's own rescale slope and intercept applied."""
    opened: dict[Path, NDArray[np.float32]] = {}
    array = np.empty((len(slices), *shape), dtype=np.float32)
    for k, one in enumerate(slices):
        if one.path not in opened:
            opened.clear()
            check_complete(one.path)
            opened[one.path] = _read(one.path)
        frames = opened[one.path]
        if one.frame >= len(frames) or frames.shape[1:] != shape:
            raise InputError(TRUNCATED)
        array[k] = frames[one.frame]
    return array


def _read(path: Path) -> NDArray[np.float32]:
    """[frames, rows, columns] of one file."""
    try:
        with quiet():
            image = sitk.ReadImage(str(path), sitk.sitkFloat32, imageIO="GDCMImageIO")
    except RuntimeError as error:
        raise InputError(
            "a DICOM image cannot be decoded (damaged, or a compression that is not supported): "
            "export the series uncompressed"
        ) from error
    array = sitk.GetArrayFromImage(image)
    return array.reshape(-1, *array.shape[-2:])


def check_complete(path: Path) -> None:
    """Raises InputError when the pixel data ends before its declared length (GDCM would fill in)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            dataset = pydicom.dcmread(path, defer_size=1024)
            # As it stands in the file, not read: `values` has it so in pydicom 2 and 3.
            element: Any = next((one for one in dataset.values() if one.tag == PIXEL_DATA), None)
        except Exception as error:  # pydicom raises many kinds for damaged files
            raise InputError(TRUNCATED) from error
    if element is None:
        raise InputError(TRUNCATED)
    length, start = getattr(element, "length", 0), getattr(element, "value_tell", 0)
    if length == 0xFFFFFFFF:  # compressed: reading to its end mark has already succeeded
        return
    bits = int(dataset.get("BitsAllocated") or 0) * int(dataset.Rows) * int(dataset.Columns)
    expected = bits * int(dataset.get("NumberOfFrames") or 1) // 8
    if length < expected or path.stat().st_size < start + length:
        raise InputError(TRUNCATED)

"""One volume from a DICOM series: geometry from the slice positions, grey values frame by frame."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mri2mesh.errors import InputError
from mri2mesh.geometry.coordinates import LPS_FROM_RAS
from mri2mesh.geometry.volume import Volume
from mri2mesh.imaging.dicom.choosing import describe_stacks
from mri2mesh.imaging.dicom.frames import read_frames
from mri2mesh.imaging.dicom.series import find_series
from mri2mesh.imaging.dicom.slices import DicomSlice
from mri2mesh.imaging.dicom.stacks import MIN_SLICES, SAME_PLACE_MM, DicomStack, gaps_of, tolerance_mm
from mri2mesh.imaging.volumes.headers.header import TRUNCATED
from mri2mesh.imaging.volumes.limits import check_place, check_size

SHOWN_SERIES = 8


def read_dicom(path: Path, series: int | None = None) -> Volume:
    """The volume in a folder (and its subfolders), or the one that a single file is a slice of.

    series: which, from 1 in the order of the message that lists them, when there are several.
    slice_thickness_mm is Slice Thickness (0018,0050); the spacing is that of the slice positions. float32.
    Raises InputError when there is no volume, or a choice, or slices are missing, uneven or damaged.
    """
    stacks, warnings = find_series(path)
    chosen = _choose(stacks, series)
    first = chosen.slices[0]
    if first.samples != 1:
        raise InputError("the DICOM images are in colour: give a grey-scale series")
    if first.modality == "SEG":
        raise InputError("the DICOM images are a segmentation: give the image that it was drawn on")
    matrix = LPS_FROM_RAS @ _matrix(chosen)
    rows, columns = first.shape
    check_size((columns, rows, len(chosen.slices)), np.linalg.norm(matrix[:3, :3], axis=0).tolist())
    check_place(matrix)
    array = _pixels(chosen.slices, first.shape)
    metadata = {"modality": first.modality} if first.modality else {}
    volume = Volume(array, matrix, None, metadata, (*warnings, *chosen.warnings))
    if volume.slice_axis == 2:
        volume = Volume(array, matrix, first.thickness, metadata, volume.warnings)
    return volume


def _choose(found: list[DicomStack], number: int | None) -> DicomStack:
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
        listed = [f"{n}: {text}" for n, text in enumerate(describe_stacks(volumes)[:SHOWN_SERIES], start=1)]
        more = ["..."] if len(volumes) > SHOWN_SERIES else []
        raise InputError(
            f"{len(volumes)} DICOM series found, choose one by its number ({'; '.join(listed + more)})"
        )
    return volumes[0]


def _matrix(stack: DicomStack) -> NDArray[np.float64]:
    """The 4x4 from (i, j, k) to LPS. Raises InputError for gaps, and for slices that do not form one straight stack."""
    slices = stack.slices
    gaps = gaps_of(slices)
    usual = float(np.median(gaps))
    if gaps.min() < SAME_PLACE_MM:
        raise InputError(
            "several DICOM images lie at one slice position (time points, echoes, diffusion): "
            "give a folder with one volume"
        )
    odd = int(np.argmax(np.abs(gaps - usual)))
    if abs(gaps[odd] - usual) > tolerance_mm(usual):
        kind = "slices are missing" if gaps[odd] > 1.5 * usual else "the slices are not evenly spaced"
        differ = f" (they differ in {', '.join(stack.differing)})" if stack.differing else ""
        raise InputError(
            f"{kind}: slices {odd + 1} and {odd + 2} of {len(slices)} are {gaps[odd]:.2f} mm apart, "
            f"the others {usual:.2f} mm{differ}: export the whole series again"
        )
    positions = np.array([one.position for one in slices])
    step = (positions[-1] - positions[0]) / (len(slices) - 1)
    strayed = np.linalg.norm(positions - positions[0] - np.arange(len(slices))[:, None] * step, axis=1)
    if strayed.max() > tolerance_mm(usual):
        raise InputError("the DICOM slices do not lie in one straight stack: give a folder with one volume")
    row, column = slices[0].orientation
    rows_apart, columns_apart = slices[0].spacing
    matrix = np.eye(4)
    matrix[:3] = np.stack([row * columns_apart, column * rows_apart, step, positions[0]], axis=1)
    return matrix


def _pixels(slices: list[DicomSlice], shape: tuple[int, int]) -> NDArray[np.float32]:
    """[K, J, I] with each frame's own rescale slope and intercept applied."""
    opened: dict[Path, NDArray[np.float32]] = {}
    array = np.empty((len(slices), *shape), dtype=np.float32)
    for k, one in enumerate(slices):
        if one.path not in opened:
            opened.clear()
            opened[one.path] = read_frames(one.path)
        frames = opened[one.path]
        if one.frame >= len(frames) or frames.shape[1:] != shape:
            raise InputError(TRUNCATED)
        array[k] = frames[one.frame]
    return array

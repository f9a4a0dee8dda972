"""Which volumes a folder of DICOM files holds: reads headers only."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from mri2mesh.errors import InputError
from mri2mesh.imaging.dicom.slices import read_slices
from mri2mesh.imaging.dicom.stacks import DicomStack, sort_into_stacks

MEDIA_STORAGE_DIRECTORY = b"1.2.840.10008.1.3.10"
"""SOP class of DICOMDIR, the directory file of a CD."""


def find_series(path: Path) -> tuple[list[DicomStack], tuple[str, ...]]:
    """Every stack of slices in a folder and its subfolders, or that one file is part of, in series order; and warnings.

    The directory file of a CD (DICOMDIR) stands for the folder that it lies in.
    Raises InputError when there is no DICOM image, none placed in the patient, or one is damaged.
    """
    single = path.is_file() and not is_directory_file(path)
    files = (
        sorted(p for p in path.parent.iterdir() if p.is_file())
        if single
        else list(_files_below(path.parent if path.is_file() else path))
    )
    found = read_slices(files)
    if not found.images:
        raise InputError("no DICOM image found: give the folder of one series, or a NIfTI, NRRD or MHA file")
    if not found.slices:
        raise InputError(
            "the DICOM images have no place in the patient (Image Position, Pixel Spacing): not a volume; "
            "of radiographs give the files themselves"
        )
    stacks = sort_into_stacks(found.slices, found.placeless)
    if single:
        stacks = [stack for stack in stacks if any(one.path == path for one in stack.slices)]
        if not stacks:
            raise InputError("this DICOM file is not a slice of a volume: give the folder of one series")
    return stacks, _of_damaged(found.damaged)


def is_directory_file(path: Path) -> bool:
    """Whether a DICOM file is a DICOMDIR, by the SOP class in its file header."""
    with path.open("rb") as stream:
        beginning = stream.read(1024)
    return beginning[128:132] == b"DICM" and MEDIA_STORAGE_DIRECTORY in beginning


def _of_damaged(number: int) -> tuple[str, ...]:
    if not number:
        return ()
    many = "file is" if number == 1 else "files are"
    return (f"{number} DICOM {many} damaged and left out: if they belong to this series, copy it again",)


def _files_below(folder: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder):
        folders.sort()
        yield from (Path(parent) / name for name in sorted(names))

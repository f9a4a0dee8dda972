"""The subjects of a folder: each file one bone's surface, or labels among which the bone is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mri2mesh.engines.segmentation.drawn import where_drawn
from mri2mesh.engines.segmentation.label_map import read_label_map
from mri2mesh.engines.segmentation.mending import mended
from mri2mesh.engines.segmentation.parts import patches_of
from mri2mesh.engines.segmentation.patch import Patch
from mri2mesh.engines.segmentation.separate import take_apart
from mri2mesh.errors import InputError
from mri2mesh.export.surfaces import FORMATS, read_surface
from mri2mesh.geometry.checks import outward
from mri2mesh.geometry.connectivity import largest_component
from mri2mesh.geometry.mesh import Mesh

LABEL_MAPS = (".nii", ".nii.gz", ".nrrd", ".mha", ".mhd")
SURFACES = tuple(f".{name}" for name in FORMATS)
FEWEST = 4


@dataclass(frozen=True)
class Subject:
    """number: from 1, in the order of the files' names; names of files may be those of persons. bone: a surface in RAS
    mm, or voxels."""

    number: int
    bone: Mesh | Patch

    @property
    def name(self) -> str:
        return f"subject {self.number}"


def files_in(folder: Path) -> list[Path]:
    """The files that hold subjects, by name. Raises InputError where there are too few."""
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder of segmentations or surfaces")
    found = sorted(path for path in folder.iterdir() if path.name.lower().endswith((*LABEL_MAPS, *SURFACES)))
    if len(found) < FEWEST:
        endings = ", ".join((*LABEL_MAPS, *SURFACES))
        raise InputError(
            f"a shape model needs at least {FEWEST} subjects, one file each ({endings}): {folder} has {len(found)}"
        )
    return found


def read_subject(
    path: Path, number: int, bone: str, numbering: str | None, segments: Sequence[str]
) -> Subject:
    """Raises InputError for what cannot be read, and for labels that do not have the bone."""
    try:
        if path.name.lower().endswith(LABEL_MAPS):
            return Subject(number, _labelled(path, bone, numbering, segments))
        return Subject(number, outward(largest_component(read_surface(path))))
    except InputError as error:
        raise InputError(f"file {number} of the folder: {error}") from error


def _labelled(path: Path, bone: str, numbering: str | None, segments: Sequence[str]) -> Patch:
    label_map, taken = take_apart(read_label_map([path], {}), numbering, segments)
    found = patches_of(label_map, taken.bones)
    if bone not in found:
        raise InputError(f"there is no {bone} among its labels, which were taken for {', '.join(found)}")
    return mended(bone, found[bone], where_drawn([found[bone]], label_map))[0]

"""A researcher's own exams for fine-tuning: images with label maps, on all slices or on some.

    DIR/images/NAME.nii.gz    any volume that `mri2mesh reconstruct` reads (also .nrrd, .mha)
    DIR/labels/NAME.nii.gz    same grid; values 14 to 24 = T7 to L5, 114 to 124 = the disc below each (VerSe numbering)
    DIR/cases.json            optional: {"NAME": {"labelled_slices": [4, 8, 12], "vertebrae": "body"}}

``labelled_slices``: indices along the slice direction that were drawn on, or "all"; without it, the slices that hold
any label. ``vertebrae``: "whole" (body and arch, the default) or "body".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mri2mesh.errors import InputError
from mri2mesh.geometry.volume import Volume
from mri2mesh.imaging.volumes.reading import read_volume
from mri2mesh.json_file import read_json

SUFFIXES = (".nii.gz", ".nii", ".nrrd", ".mha")


@dataclass(frozen=True)
class LabelledExam:
    """labelled: [n] bool along ``image.slice_axis``, or None when every slice was drawn on."""

    name: str
    image: Volume
    labels: Volume
    labelled: NDArray[np.bool_] | None
    bodies_only: bool


def read_labelled_folder(folder: Path) -> list[LabelledExam]:
    """All exams of a folder. Raises InputError, naming the exam, for what is missing or does not fit."""
    return list(labelled_exams(folder))


def labelled_exams(folder: Path) -> Iterator[LabelledExam]:
    """The exams of a folder one after the other, by name; raises as `read_labelled_folder`."""
    images = [p for p in sorted((folder / "images").glob("*")) if p.name.endswith(SUFFIXES)]
    if not images:
        raise InputError(f"{folder} holds no images: expected images/NAME.nii.gz and labels/NAME.nii.gz")
    settings = _settings(folder / "cases.json")
    for path in images:
        yield _read_exam(folder, path, settings)


def _settings(path: Path) -> dict[str, dict]:
    if not path.exists():
        return {}
    try:
        settings = read_json(path)
    except ValueError as error:
        raise InputError(f"cases.json is not JSON: {error}") from None
    if not isinstance(settings, dict):
        raise InputError('cases.json must map names to settings: {"NAME": {"labelled_slices": [4, 8]}}')
    return settings


def _read_exam(folder: Path, path: Path, settings: dict[str, dict]) -> LabelledExam:
    suffix = next(s for s in SUFFIXES if path.name.endswith(s))
    name = path.name.removesuffix(suffix)
    wanted = [folder / "labels" / (name + s) for s in SUFFIXES]
    found = next((p for p in wanted if p.exists()), None)
    if found is None:
        raise InputError(f"labels/{name}.nii.gz is missing: every image needs a label map")
    image, labels = read_volume(path), read_volume(found)
    same = image.array.shape == labels.array.shape and np.allclose(
        image.ijk_to_ras, labels.ijk_to_ras, atol=1e-2
    )
    if not same:
        raise InputError(f"labels/{name}: the label map is not on the image's grid; resample it to the image")
    chosen = settings.get(name, {})
    vertebrae = chosen.get("vertebrae", "whole")
    if vertebrae not in ("whole", "body"):
        raise InputError(f'cases.json, {name}: "vertebrae" is "whole" or "body", not {vertebrae!r}')
    return LabelledExam(
        name,
        image,
        labels,
        _labelled_slices(name, chosen.get("labelled_slices"), labels),
        vertebrae == "body",
    )


def _labelled_slices(name: str, chosen: object, labels: Volume) -> NDArray[np.bool_] | None:
    axis = 2 - labels.slice_axis
    count = labels.array.shape[axis]
    if chosen == "all":
        return None
    if chosen is None:
        others = tuple(a for a in range(3) if a != axis)
        return (labels.array != 0).any(axis=others)
    if not isinstance(chosen, list) or not all(isinstance(n, int) and 0 <= n < count for n in chosen):
        raise InputError(
            f'cases.json, {name}: "labelled_slices" is "all" or a list of numbers from 0 to {count - 1}'
        )
    labelled = np.zeros(count, bool)
    labelled[chosen] = True
    return labelled

"""What in a folder is one case: the images that belong together, and what lies beside them.

Beside an image ``NAME.png``, as ``mri2mesh reconstruct`` takes them by option:

    NAME.camera.json    its geometry, in place of what its tags say
    camera.json         the geometry of every picture in the folder without one of its own; DICOM files have tags
    NAME.mrk.json       the landmarks picked in it
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mri2mesh.engines.registry import Entry
from mri2mesh.errors import InputError
from mri2mesh.imaging.kind import InputKind, kind_of

VOLUMES = (".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd")
PICTURES = (".png", ".tif", ".tiff", ".jpg", ".jpeg", ".bmp")
DICOM = (".dcm",)
"""Endings by which a folder is searched; DICOM files may have none. What a file is, its bytes say."""
CAMERA, LANDMARKS = "camera.json", ".mrk.json"
REPORT = "report.json"
WANTED: dict[InputKind, str] = {
    "volume": f"no image was found there: put {', '.join(VOLUMES)} files or DICOM folders into it",
    "radiographs": "no radiograph was found there: put DICOM files or pictures "
    f"({', '.join(PICTURES)}) into it, or a folder for each patient",
}


@dataclass(frozen=True)
class Case:
    """One reconstruction. name: of its file or folder. result: of the folder for its result, no two alike. images: one
    volume, or the views of one patient. options: of the worker, from the files beside them."""

    name: str
    result: str
    images: tuple[Path, ...]
    options: dict[str, Any]


def cases_in(folder: str | Path, entry: Entry, results: str | Path) -> list[Case]:
    """The cases for an engine, by what it takes, in the order of their names; a thread may look for them.

    Volumes: every file of one, and every folder, taken as a DICOM series. Radiographs: every file, and every folder
    that holds some, taken as the views of one patient. results: the folder for the results, which is left out where it
    lies in the same folder, as are earlier results. Raises InputError where there is no case, or both are one folder.
    """
    folder, results = Path(folder), Path(results).resolve()
    if not str(folder).strip(". ") or not folder.is_dir():
        raise InputError("choose the folder that holds the images")
    if folder.resolve() == results:
        raise InputError(
            "choose another folder for the results: in that of the images they would be mixed up"
        )
    found: list[tuple[str, tuple[Path, ...]]] = []
    for path in _visible(folder):
        if path.resolve() != results and not (path / REPORT).is_file():
            images = IMAGES[entry.takes](path)
            if images:
                found.append((path.name, images))
    if not found:
        raise InputError(WANTED[entry.takes])
    alike = Counter(_stem(name).lower() for name, _ in found)
    return [
        Case(name, name if alike[_stem(name).lower()] > 1 else _stem(name), images, _beside(images, entry))
        for name, images in found
    ]


def _visible(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))


def _volume(path: Path) -> tuple[Path, ...]:
    return (path,) if path.is_dir() or path.name.lower().endswith(VOLUMES) else ()


def _radiographs(path: Path) -> tuple[Path, ...]:
    """The file, or those directly in the folder. One that is called DICOM and is damaged is one too: it is to be
    reported, not passed over."""
    files = _visible(path) if path.is_dir() else [path]
    return tuple(
        file
        for file in files
        if file.is_file() and (file.name.lower().endswith(DICOM) or kind_of(file) == "radiographs")
    )


IMAGES: dict[InputKind, Callable[[Path], tuple[Path, ...]]] = {"volume": _volume, "radiographs": _radiographs}
"""The images of the case that a file or folder is; none where it is no case."""


def _beside(images: Sequence[Path], entry: Entry) -> dict[str, Any]:
    if entry.takes != "radiographs":
        return {}
    files = {"cameras": [_camera(image) for image in images]}
    if "landmarks" in entry.options:
        files["landmarks"] = [_there(image.with_name(_stem(image.name) + LANDMARKS)) for image in images]
    return {
        option: [None if path is None else str(path) for path in paths]
        for option, paths in files.items()
        if any(paths)
    }


def _camera(image: Path) -> Path | None:
    own = _there(image.with_name(f"{_stem(image.name)}.{CAMERA}"))
    is_picture = image.name.lower().endswith(PICTURES)
    return own or (_there(image.with_name(CAMERA)) if is_picture else None)


def _there(path: Path) -> Path | None:
    return path if path.is_file() else None


def _stem(name: str) -> str:
    """Without the ending of an image; what else is behind a dot may be part of a number."""
    for ending in sorted((*VOLUMES, *PICTURES, *DICOM), key=len, reverse=True):
        if name.lower().endswith(ending):
            return name[: -len(ending)]
    return name

"""What in a folder is one case: the images that belong together, and what lies beside them.

Beside an image ``NAME.png`` lies what ``mri2mesh reconstruct`` takes by option, as the options say (`Option.beside`):
``NAME.camera.json`` is its geometry, in place of what its tags say, and ``camera.json`` that of every picture in the
folder without one of its own; DICOM files have tags.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mri2mesh.engines.declaration import Engine
from mri2mesh.engines.options import Option
from mri2mesh.errors import InputError
from mri2mesh.imaging.kind import kind_of

VOLUMES = (".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd")
PICTURES = (".png", ".tif", ".tiff", ".jpg", ".jpeg", ".bmp")
DICOM = (".dcm",)
"""Endings by which a folder is searched; DICOM files may have none. What a file is, its bytes say."""
REPORT = "report.json"
NO_VOLUME = f"no image was found there: put {', '.join(VOLUMES)} files or DICOM folders into it"
NO_RADIOGRAPH = (
    "no radiograph was found there: put DICOM files or pictures "
    f"({', '.join(PICTURES)}) into it, or a folder for each patient"
)


@dataclass(frozen=True)
class Case:
    """One reconstruction. name: of its file or folder. result: of the folder for its result, no two alike. images: one
    volume, or the views of one patient. options: of the worker, from the files beside them."""

    name: str
    result: str
    images: tuple[Path, ...]
    options: dict[str, Any]


def cases_in(folder: str | Path, engine: Engine, results: str | Path) -> list[Case]:
    """The cases for an engine, by what it takes, in the order of their names; a thread may look for them.

    Volumes: every file of one, and every folder, taken as a DICOM series. Radiographs, where there may be several:
    every file, and every folder that holds some, taken as the views of one patient. results: the folder for the
    results, which is left out where it lies in the same folder, as are earlier results. Raises InputError where there
    is no case, or both are one folder.
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
            images = _radiographs(path) if engine.takes.several else _volume(path)
            if images:
                found.append((path.name, images))
    if not found:
        raise InputError(NO_RADIOGRAPH if engine.takes.several else NO_VOLUME)
    alike = Counter(_stem(name).lower() for name, _ in found)
    return [
        Case(name, name if alike[_stem(name).lower()] > 1 else _stem(name), images, _beside(images, engine))
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


def _beside(images: Sequence[Path], engine: Engine) -> dict[str, Any]:
    """Values of options in JSON, from files beside the images."""
    found = {}
    for option in (option for option in engine.all_options if option.beside):
        paths = [_file_of(option, image) for image in images]
        given = [None if path is None else str(path) for path in paths]
        if any(given):
            found[option.name] = given if option.per_image else given[0]
    return found


def _file_of(option: Option, image: Path) -> Path | None:
    own = _there(image.with_name(_stem(image.name) + option.beside))
    is_for_all = option.beside_pictures and image.name.lower().endswith(PICTURES)
    return own or (_there(image.with_name(option.beside.lstrip("."))) if is_for_all else None)


def _there(path: Path) -> Path | None:
    return path if path.is_file() else None


def _stem(name: str) -> str:
    """Without the ending of an image; what else is behind a dot may be part of a number."""
    for ending in sorted((*VOLUMES, *PICTURES, *DICOM), key=len, reverse=True):
        if name.lower().endswith(ending):
            return name[: -len(ending)]
    return name

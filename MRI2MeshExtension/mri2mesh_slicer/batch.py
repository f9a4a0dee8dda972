"""Every image of a folder through the worker, one after the other, each into a folder of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from mri2mesh.errors import InputError

VOLUMES = (".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd")
"""Endings of files that hold one volume."""

Told = Callable[[int, int, str, str], None]
"""number from 1, count, name of the image, stage."""
Ended = Callable[[int, list[tuple[str, str]]], None]
"""How many are done; name and reason of those that are not."""


def images_in(folder: str | Path) -> list[Path]:
    """The volumes of a folder: image files, and folders, which are taken as DICOM series. InputError: none."""
    folder = Path(folder)
    if not str(folder).strip(". ") or not folder.is_dir():
        raise InputError("choose the folder that holds the images")
    found = [
        path
        for path in sorted(folder.iterdir())
        if not path.name.startswith(".") and (path.is_dir() or path.name.lower().endswith(VOLUMES))
    ]
    if not found:
        raise InputError(f"no image was found there: put {', '.join(VOLUMES)} files or DICOM folders into it")
    return found


class Batch:
    """A failed image does not stop the others. request: engine and options of each, as for `WorkerClient.run`."""

    def __init__(
        self,
        client: Any,
        images: Sequence[Path],
        out: Path,
        request: Mapping[str, Any],
        told: Told,
        ended: Ended,
    ) -> None:
        self._client, self._images, self._out = client, list(images), out
        self._request = dict(request)
        self._told, self._ended = told, ended
        self._number = 0
        self._done = 0
        self._failures: list[tuple[str, str]] = []
        self._stopped = False

    def start(self) -> None:
        self._next()

    def stop(self) -> None:
        """After the image that is being computed was given up."""
        self._stopped = True
        self._client.cancel()

    def _next(self) -> None:
        if self._stopped or self._number == len(self._images):
            self._ended(self._done, self._failures)
            return
        image = self._images[self._number]
        self._number += 1
        number, count, name = self._number, len(self._images), image.name
        self._client.run(
            {
                **self._request,
                "command": "reconstruct",
                "inputs": [str(image)],
                "out": str(self._out / _stem(name)),
            },
            on_progress=lambda stage, fraction, left: self._told(number, count, name, stage),
            on_done=lambda event: self._one_done(name, event),
            on_failed=lambda message: self._one_failed(name, message),
            on_cancelled=lambda: self._one_failed(name, "stopped"),
        )

    def _one_done(self, name: str, event: dict[str, Any]) -> None:
        if event.get("status"):
            self._failures.append((name, "done, but not every check passed: see its report"))
        self._done += 1
        self._next()

    def _one_failed(self, name: str, why: str) -> None:
        self._failures.append((name, why))
        self._next()


def _stem(name: str) -> str:
    """Without the endings of an image."""
    for ending in sorted(VOLUMES, key=len, reverse=True):
        if name.lower().endswith(ending):
            return name[: -len(ending)]
    return name

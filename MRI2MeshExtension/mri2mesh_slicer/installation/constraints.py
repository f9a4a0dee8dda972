"""What an installation must leave as it is, as a file of constraints for pip."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import re
from collections.abc import Collection, Iterator
from pathlib import Path

WITHOUT_METADATA = {"vtk": "vtk", "SimpleITK": "SimpleITK", "numpy": "numpy"}
"""Package to the module by which it is recognised, of those that Slicer may bring without telling pip."""


def write_constraints(path: Path, wanted: Collection[str]) -> Path:
    """Pins everything that is installed, but for what is wanted anew. Returns the path.

    wanted: names of the packages to be installed. A package that Slicer brings without metadata gets a version that
    nothing has, so that pip refuses what needs a second one instead of bringing it.
    """
    path.write_text(
        "".join(f"{line}\n" for line in _lines({_plain(name) for name in wanted})), encoding="utf-8"
    )
    return path


def _lines(wanted: set[str]) -> Iterator[str]:
    seen = set()
    for distribution in importlib.metadata.distributions():
        name, version = distribution.metadata["Name"], distribution.version
        if not name or not version or _plain(name) in seen:
            continue
        seen.add(_plain(name))
        if _plain(name) not in wanted:
            yield f"{name}=={version}"
    for name, module in WITHOUT_METADATA.items():
        if _plain(name) not in seen | wanted and importlib.util.find_spec(module) is not None:
            yield f"{name}==0+brought.by.slicer"


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()

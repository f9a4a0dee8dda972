"""Which weights a method uses, in which version and under which licence, for the panel."""

from __future__ import annotations

import hashlib

from slicer.i18n import tr as _

from mri2mesh.engines.declaration import Engine
from mri2mesh.errors import InputError
from mri2mesh.weights import find
from mri2mesh.weights_manifest import WeightsEntry

DIGITS = 8
"""Digits of a SHA-256 that are shown: enough to tell versions apart."""


def weights_line(engine: Engine) -> str:
    """One sentence on the version and licence of all weights of the method; empty where it has none."""
    entries = _entries(engine)
    if not entries:
        return ""
    together = hashlib.sha256("".join(entry.sha256 for entry in entries).encode()).hexdigest()
    licences = "; ".join(dict.fromkeys(entry.licence for entry in entries))
    return _("Weights: version {version}, licence {licences}.").format(
        version=together[:DIGITS], licences=licences
    )


def weights_list(engine: Engine) -> str:
    """One line for each of the weights."""
    return "\n".join(f"{one.name}: {one.sha256[:DIGITS]}, {one.licence}" for one in _entries(engine))


def _entries(engine: Engine) -> list[WeightsEntry]:
    found = []
    for name in engine.weights:
        try:
            found.append(find(name))
        except InputError:
            continue  # the run itself says what is missing
    return found

"""manifest.json: what each weights file is, where it comes from, and the SHA-256 it must have.

A folder of weights holds ``*.safetensors`` and one ``manifest.json``::

    {"format": 1,
     "weights": [{"name": "localiser", "file": "localiser.safetensors", "sha256": "...",
                  "licence": "CC-BY-SA-4.0", "origin": "data it was fitted to", "engine": "mri2mesh",
                  "created_by": "mri2mesh train ...", "metadata": {"any": "JSON"}}]}
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from mri2mesh.atomic import whole_file
from mri2mesh.errors import InputError
from mri2mesh.json_file import read_json

MANIFEST = "manifest.json"
FORMAT = 1
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")


@dataclass(frozen=True)
class WeightsEntry:
    """One line of a manifest.

    name: what engines ask for. file: plain file name inside ``folder``. sha256: of the whole file, lower-case hex.
    licence, origin: of the weights and of the data they were fitted to. engine: registry name, or "" for none.
    created_by: the command that made the file. metadata: anything JSON, such as the network's configuration.
    """

    name: str
    file: str
    sha256: str
    licence: str
    origin: str
    engine: str = ""
    created_by: str = ""
    metadata: dict[str, Any] = field(default_factory=dict)
    folder: Path = field(default=Path(), compare=False)

    @property
    def path(self) -> Path:
        return self.folder / self.file

    def provenance(self) -> dict[str, str]:
        """What a report says of the weights: no folder, because a path may name a person."""
        return {"name": self.name, "sha256": self.sha256, "licence": self.licence}


def sha256_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def check_name(name: str) -> str:
    """The name itself, or InputError where it could not be a plain file name on every system."""
    if not _NAME.fullmatch(name):
        raise InputError(f"{name[:40]!r} cannot name weights: use letters, digits, dot, dash and underscore")
    return name


def read_manifest(folder: Path) -> dict[str, WeightsEntry]:
    """Entries by name; empty where the folder has no manifest.

    Raises InputError when manifest.json is there but is not a manifest.
    """
    path = folder / MANIFEST
    try:
        content = read_json(path)
        if content["format"] != FORMAT:
            raise InputError(f"{path} has format {content['format']!r}, this version reads {FORMAT}")
        entries = [_entry(item, folder) for item in content["weights"]]
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError:
        raise InputError(f"cannot read {path}: restore it or install the weights again") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(
            f"{path} is not a weights manifest: restore it or install the weights again"
        ) from None
    return {entry.name: entry for entry in entries}


def write_manifest(folder: Path, entries: Iterable[WeightsEntry]) -> None:
    """Replaces the manifest in one step, sorted by name; a reader sees the old one or the new one."""
    kept = [item.name for item in fields(WeightsEntry) if item.name != "folder"]
    rows = [
        {key: getattr(entry, key) for key in kept} for entry in sorted(entries, key=lambda entry: entry.name)
    ]
    text = json.dumps({"format": FORMAT, "weights": rows}, indent=2, ensure_ascii=False) + "\n"
    write_atomically(folder / MANIFEST, text.encode())


def write_atomically(path: Path, data: bytes) -> None:
    """Makes the folder where needed and writes the whole file or none of it.

    Raises InputError when the folder cannot be made or written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot make the folder {path.parent}: {error.strerror}") from None
    with whole_file(path) as temporary:
        temporary.write_bytes(data)


def _entry(item: dict[str, Any], folder: Path) -> WeightsEntry:
    known = {
        key.name: item[key.name] for key in fields(WeightsEntry) if key.name in item and key.name != "folder"
    }
    entry = WeightsEntry(**known, folder=folder)
    # A manifest can be altered too: it must not be able to name a file elsewhere.
    check_name(entry.name)
    check_name(entry.file)
    if not re.fullmatch(r"[0-9a-f]{64}", entry.sha256):
        raise ValueError(entry.sha256)
    return entry

"""Output folders: found unwritable before the work, not after it."""

from __future__ import annotations

import tempfile
from pathlib import Path

from mri2mesh.errors import InputError


def check_writable(folder: Path) -> None:
    """Raises InputError where ``folder`` cannot be made or written; leaves nothing behind.

    Writes and removes an empty file, because permission bits alone do not tell (read-only disks, root, shares).
    """
    existing = folder.absolute()
    while not existing.exists() and existing != existing.parent:
        existing = existing.parent
    if not existing.is_dir():
        raise InputError(f"cannot write to {folder}: a part of that path is a file, name a folder")
    try:
        with tempfile.TemporaryFile(dir=existing):
            pass
    except OSError as error:
        raise InputError(
            f"cannot write to {folder}: {error.strerror or 'not writable'}, name another folder"
        ) from None

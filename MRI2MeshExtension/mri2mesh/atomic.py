"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mri2mesh.errors import InputError


@contextmanager
def whole_file(path: Path | str) -> Iterator[Path]:
    """A temporary path to write to; it becomes ``path`` when the block ends without an exception.

    The temporary file keeps the name (inside a hidden sibling folder), because writers look at the
    suffix and some, as Wavefront OBJ's, put the name inside. Raises InputError when the folder of
    ``path`` does not exist or cannot be written to.
    """
    path = Path(path)
    with sibling_folder(path) as folder:
        yield folder / path.name
        os.replace(folder / path.name, path)


@contextmanager
def sibling_folder(path: Path | str) -> Iterator[Path]:
    """A temporary folder beside ``path``, on the same file system, removed at the end.

    Raises InputError when the folder of ``path`` does not exist or cannot be written to.
    """
    path = Path(path)
    try:
        folder = Path(tempfile.mkdtemp(prefix=_prefix(os.getpid()), dir=path.parent))
    except OSError as error:
        raise InputError(
            f"cannot write to {path.parent}: {error.strerror}; choose a folder you may write to"
        ) from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def remove_unfinished(folder: Path | str, pid: int) -> None:
    """Removes what a process that was killed left half-written in ``folder`` or beside it; finished results stay."""
    for parent in (Path(folder), Path(folder).absolute().parent):
        for left in parent.glob(f"{_prefix(pid)}*"):
            shutil.rmtree(left, ignore_errors=True)


def _prefix(pid: int) -> str:
    return f".mri2mesh-{pid}-"


def move_contents(source: Path, target: Path) -> None:
    """Move every file of ``source`` into ``target``, replacing files of the same names; others stay."""
    for item in sorted(source.iterdir()):
        os.replace(item, target / item.name)


def check_writable(folder: Path) -> None:
    """Raises InputError where ``folder`` cannot be made or written; leaves nothing behind.

    Writes and removes an empty file, because permission bits alone do not show it (read-only disks, root, shares).
    """
    try:
        folder.absolute().as_posix().encode()
    except UnicodeEncodeError:
        # VTK and ITK would end the process.
        raise InputError("the path of the folder for results is not UTF-8: choose another folder") from None
    if "\0" in str(folder):
        raise InputError("the path of the folder for results holds a zero byte: choose another folder")
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

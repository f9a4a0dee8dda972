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
        folder = Path(tempfile.mkdtemp(prefix=".mri2mesh-", dir=path.parent))
    except OSError as error:
        raise InputError(
            f"cannot write to {path.parent}: {error.strerror}; choose a folder you may write to"
        ) from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def move_contents(source: Path, target: Path) -> None:
    """Move every file of ``source`` into ``target``, replacing files of the same names; others stay."""
    for item in sorted(source.iterdir()):
        os.replace(item, target / item.name)

"""The two ways a request can end other than well, and every way in which one can fail, in one clear line."""

from __future__ import annotations

import errno
import re
import traceback
from pathlib import Path
from typing import Literal

Kind = Literal["input", "refused", "memory", "internal"]
"""Whose fault an error is: the request's, nobody's (nothing to reconstruct), the machine's, or this program's."""

CANNOT_WRITE = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM}
LONGEST_LINE = 600
_NO_MEMORY = re.compile(r"out of memory|allocate memory|alloc_failed|failed to allocate", re.IGNORECASE)


class InputError(ValueError):
    """Bad input or usage: one clear line that says what to do. Exit status 2, nothing written."""


class ReconstructionRefused(RuntimeError):
    """The input is readable but holds nothing this engine can reconstruct. Exit status 1."""


def is_out_of_memory(error: BaseException) -> bool:
    """True for every way in which Python, torch, Warp and ITK say so; torch need not be imported."""
    return isinstance(error, MemoryError) or (
        isinstance(error, RuntimeError) and _NO_MEMORY.search(str(error)) is not None
    )


def explain(error: Exception) -> tuple[Kind, str]:
    """Kind and message of an error, in one line that quotes no file name and no value of a patient's."""
    if isinstance(error, InputError):
        return "input", _line(error)
    if isinstance(error, ReconstructionRefused):
        return "refused", f"refused: {_line(error)}"
    if is_out_of_memory(error):
        return "memory", "memory ran out: close other programs, or give a smaller or coarser image"
    if isinstance(error, OSError) and error.errno in CANNOT_WRITE:
        return "input", f"cannot write the results: {error.strerror}"
    if isinstance(error, ModuleNotFoundError) and error.name:
        return "internal", f"the Python package {error.name.split('.')[0]!r} is not installed: install it"
    return "internal", f"unexpected error: {_where(error)}"


def _line(error: Exception) -> str:
    """In one line, and of a length that a terminal shows: a message may quote what somebody wrote into a file."""
    words = " ".join(str(error).split())
    return words if len(words) <= LONGEST_LINE else words[: LONGEST_LINE - 3] + "..."


def _where(error: Exception) -> str:
    """Type and place of an error; not its text, which may quote a file name or a value of a patient's."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if Path(frame.filename).is_relative_to(Path(__file__).parent)] or frames
    return f"{type(error).__name__} in {Path(ours[-1].filename).name} line {ours[-1].lineno}"

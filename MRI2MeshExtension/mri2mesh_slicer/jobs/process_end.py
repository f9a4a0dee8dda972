"""Why a process ended, in one line for the user: never a path, for paths may name a patient."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterable, Sequence

NO_MEMORY = "memory most likely ran out: close other programs, or give a smaller or coarser image"
WINDOWS = {
    0xC0000005: "access violation",
    0xC0000017: NO_MEMORY,
    0xC000001D: "this processor lacks an instruction",
    0xC00000FD: "stack overflow",
    0xC0000135: "a library is missing",
    0xC000013A: "closed from outside",
    0xC0000409: "stack damaged",
}
"""Exit codes that Windows itself gives."""

_ERROR = re.compile(r"^(Fatal |[\w.]*(Error|Exception|Interrupt)\b)|No module named", re.IGNORECASE)
_QUOTED_PATH = re.compile(r"""(["'])[^"']*[\\/][^"']*\1""")
_PATH = re.compile(r"(?:[A-Za-z]:)?[\\/]\S+|\S+[\\/]\S*")


def describe_end(
    code: int | None, crashed: bool, error_output: Sequence[str], private: Iterable[str] = ()
) -> str:
    """One line. code: exit code, or the signal's number where ``crashed``; None for a program that did not start.

    error_output: its last lines on standard error. private: texts that must not be quoted, as names of files.
    """
    said = last_words(error_output, private)
    if code is None:
        how = "the reconstruction program could not be started: install the extension again"
    elif code & 0xFFFFFFFF in WINDOWS:
        how = f"the reconstruction program crashed: {WINDOWS[code & 0xFFFFFFFF]} (0x{code & 0xFFFFFFFF:X})"
    elif crashed or code > 128:
        how = _by_signal(code if crashed else code - 128)
    else:
        how = f"the reconstruction program ended too early (exit code {code})"
    return f"{how}; it said: {said}" if said else how


def last_words(lines: Sequence[str], private: Iterable[str] = ()) -> str:
    """The last line that names an error, else the last that is not indented, without any path; empty for none."""
    flat = [line.rstrip() for line in lines if line.strip() and not line[0].isspace()]
    chosen = next((line for line in reversed(flat) if _ERROR.search(line)), flat[-1] if flat else "")
    for text in sorted(private, key=len, reverse=True):
        if text.strip():
            chosen = chosen.replace(text, "...")
    return _PATH.sub("...", _QUOTED_PATH.sub("...", chosen))[:200]


def _by_signal(number: int) -> str:
    if number == 9:
        return f"the reconstruction program was killed by the system (signal 9); {NO_MEMORY}"
    try:
        name = signal.Signals(number).name
    except ValueError:
        name = f"signal {number}"
    meaning = {"SIGSEGV": "invalid memory access", "SIGILL": "this processor lacks an instruction"}.get(name)
    return f"the reconstruction program crashed ({name}{f', {meaning}' if meaning else ''})"

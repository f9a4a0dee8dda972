"""One run of pip beside a living window: by `slicer.packaging` where this Slicer has it, else by a process of ours.

`slicer.packaging` came with Slicer 5.12. Both ways call back on the window's thread.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from slicer.i18n import tr as _

from mri2mesh_slicer.jobs.qt_process import QtProcess, python_command

REQUESTER = "MRI2Mesh"


class PipRun(Protocol):
    """on_line: called with each line that pip prints. on_end: called with its exit status, None where it broke off."""

    def __init__(self, on_line: Callable[[str], None], on_end: Callable[[int | None], None]) -> None: ...

    def start(self, requirements: Sequence[str], constraints: Path) -> None: ...

    def cancel(self) -> str:
        """Nothing is called any more. Returns what is to be said of it: whether pip was ended."""


class SlicerPip:
    """`slicer.packaging.pip_install`, which cannot be ended before it is done."""

    def __init__(self, on_line: Callable[[str], None], on_end: Callable[[int | None], None]) -> None:
        self._on_line, self._on_end, self._is_wanted = on_line, on_end, True

    def start(self, requirements: Sequence[str], constraints: Path) -> None:
        from slicer.packaging import pip_install

        pip_install(
            list(requirements),
            constraints=constraints,
            blocking=False,
            show_progress=False,
            requester=REQUESTER,
            logCallback=self._line,
            completedCallback=self._end,
        )

    def cancel(self) -> str:
        self._is_wanted = False
        return _("Slicer finishes the installation that has begun; nothing is run after it.")

    def _line(self, line: str) -> None:
        if self._is_wanted:
            self._on_line(line)

    def _end(self, status: int) -> None:
        if self._is_wanted:
            self._on_end(status)


class ProcessPip:
    """pip in a process of ours, for releases before `slicer.packaging`."""

    def __init__(self, on_line: Callable[[str], None], on_end: Callable[[int | None], None]) -> None:
        self._on_line, self._on_end = on_line, on_end
        self._rest = b""
        self._process: QtProcess | None = None

    def start(self, requirements: Sequence[str], constraints: Path) -> None:
        options = ("--no-input", "--disable-pip-version-check", "--no-color", "--progress-bar", "off")
        command = python_command("pip", "install", *options, "--constraint", str(constraints), *requirements)
        self._process = QtProcess(self._read, self._read, self._end)
        self._process.start(command.program, list(command.arguments), command.environment)

    def cancel(self) -> str:
        process, self._process = self._process, None
        if process is not None:
            process.kill_tree()
            process.wait(3.0)
        return _("The installation was cancelled; nothing was run.")

    def _read(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            if self._process is not None:
                self._on_line(line.decode("utf-8", errors="replace").rstrip())

    def _end(self, status: int | None, crashed: bool) -> None:
        if self._process is not None:
            self._process = None
            self._on_end(None if crashed else status)


def pip_run() -> type[PipRun]:
    """The way that this Slicer has."""
    return SlicerPip if importlib.util.find_spec("slicer.packaging") is not None else ProcessPip

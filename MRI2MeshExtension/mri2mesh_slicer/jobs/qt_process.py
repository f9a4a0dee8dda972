"""The worker as a `qt.QProcess`: everything it says comes on the window's thread, through the event loop."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import qt

import mri2mesh
from mri2mesh.process_tree import kill_tree
from mri2mesh_slicer.jobs.jobs import Command, WorkerClient


class QtProcess:
    """`jobs.Process` by Qt."""

    def __init__(
        self,
        on_output: Callable[[bytes], None],
        on_error_output: Callable[[bytes], None],
        on_end: Callable[[int | None, bool], None],
    ) -> None:
        self._on_output, self._on_error_output, self._on_end = on_output, on_error_output, on_end
        self._pid = 0
        self._started, self._end_reported = True, False
        self._process = qt.QProcess()
        self._process.readyReadStandardOutput.connect(self._read)
        self._process.readyReadStandardError.connect(self._read_errors)
        self._process.finished.connect(self._finished)
        self._process.errorOccurred.connect(self._error)

    def start(self, program: str, arguments: list[str], environment: Mapping[str, str]) -> None:
        variables = qt.QProcessEnvironment.systemEnvironment()
        for name, value in environment.items():
            variables.insert(name, value)
        self._process.setProcessEnvironment(variables)
        self._process.start(program, arguments)
        self._pid = int(self._process.processId())

    def write(self, data: bytes) -> None:
        self._process.write(qt.QByteArray(data))

    def kill_tree(self) -> None:
        if self._pid:
            kill_tree(self._pid)
        self._process.kill()  # before it leads a group of its own

    def wait(self, seconds: float) -> None:
        if self._process.waitForFinished(int(1000 * seconds)):
            self._tell_end()

    def _read(self) -> None:
        self._on_output(bytes(self._process.readAllStandardOutput().data()))

    def _read_errors(self) -> None:
        self._on_error_output(bytes(self._process.readAllStandardError().data()))

    def _finished(self, *_how: Any) -> None:
        call_later(0, self._tell_end)

    def _error(self, error: Any) -> None:
        if error == qt.QProcess.FailedToStart:
            self._started = False
            call_later(0, self._tell_end)

    def _tell_end(self) -> None:
        """Once, and not while Qt is in the middle of a signal of the process, which may be deleted then."""
        if self._end_reported:
            return
        self._end_reported = True
        self._read()
        self._read_errors()
        crashed = self._process.exitStatus() == qt.QProcess.CrashExit
        self._on_end(int(self._process.exitCode()) if self._started else None, crashed)


def call_later(seconds: float, action: Callable[[], None]) -> None:
    qt.QTimer.singleShot(int(1000 * seconds), action)


def python_command(module: str, *arguments: str) -> Command:
    """A module in the Python of this Slicer, with the library that lies beside this package."""
    python = shutil.which("PythonSlicer") or sys.executable
    library = str(Path(mri2mesh.__file__).resolve().parents[1])
    paths = [library, *filter(None, [os.environ.get("PYTHONPATH")])]
    return Command(python, ("-m", module, *arguments), {"PYTHONPATH": os.pathsep.join(paths)})


def worker_command() -> Command:
    return python_command("mri2mesh", "worker")


def worker_client() -> WorkerClient:
    """The client of a worker of its own, not started yet."""
    return WorkerClient(QtProcess, worker_command(), call_later)

"""The cases of a folder for the panel: the code of ``mri2mesh reconstruct --folder``, in a thread beside the window."""

from __future__ import annotations

import queue
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import qt

from mri2mesh.folders.cases import Case
from mri2mesh.folders.one_case import Program, Watch
from mri2mesh.folders.run_folder import local_executor, request_of, run_folder
from mri2mesh.folders.table import Row
from mri2mesh_slicer.jobs.background import LEND_S
from mri2mesh_slicer.jobs.qt_process import python_command

LOOK_EVERY_MS = 60
"""Cases take long: looking more rarely than at short work leaves the window more of its time."""


@dataclass
class Outcome:
    """done: how many have a result. earlier: how many of these had it before. doubtful: name and reasons of those of
    them that are to be looked at. failed: name and reason of those without a result."""

    done: int = 0
    earlier: int = 0
    doubtful: list[tuple[str, str]] = field(default_factory=list)
    failed: list[tuple[str, str]] = field(default_factory=list)


ReportProgress = Callable[[int, int, str, str], None]
"""Called with the number of the case from 1, their count, the name of the case and the stage."""


class Batch:
    """A case that fails does not stop the others, and one that was done before, with the same request, is not done
    again: ``cases.csv`` among the results says so. request: engine and options of each, as the worker takes them.

    ended: called with the outcome. failed: called with an InputError where the results cannot be written, or the table
    there is not of this program. All on the window's thread.
    """

    def __init__(
        self,
        cases: Sequence[Case],
        out: Path,
        request: Mapping[str, Any],
        report_progress: ReportProgress,
        ended: Callable[[Outcome], None],
        failed: Callable[[Exception], None],
    ) -> None:
        self._cases, self._out = list(cases), out.absolute()
        engine, options = str(request["engine"]), request.get("options", {})
        self._requests = {case.name: request_of(case, engine, options, self._out) for case in cases}
        self._report_progress, self._ended, self._failed = report_progress, ended, failed
        self._numbers = {case.name: number for number, case in enumerate(self._cases, 1)}
        self._said: queue.SimpleQueue[tuple[str, str]] = queue.SimpleQueue()
        self._done_now: set[str] = set()
        self._watch = Watch(lambda case, stage, fraction: self._said.put((case, stage)))
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="mri2mesh-folder")
        self._future: Future[list[Row]] | None = None
        self._timer = qt.QTimer()
        self._timer.setInterval(LOOK_EVERY_MS)
        self._timer.timeout.connect(self._look)

    def start(self) -> None:
        command = python_command("mri2mesh.folders.one_case")
        program = Program((command.program, *command.arguments), dict(command.environment))
        self._future = self._thread.submit(self._run, program)
        self._timer.start()

    def stop(self) -> None:
        """The case that is being computed is given up, and none is begun; `ended` follows."""
        self._watch.stop.set()

    def close(self) -> None:
        """Nothing is reported any more, and no process stays."""
        self._timer.stop()
        self.stop()
        if self._future is not None:
            wait([self._future], 5)
        self._thread.shutdown(wait=False)

    def _run(self, program: Program) -> list[Row]:
        with local_executor(1) as executor:
            return run_folder(
                self._cases,
                self._requests,
                self._out,
                executor,
                program=program,
                watch=self._watch,
                ended=lambda row, number, count: self._done_now.add(row.case),
            )

    def _look(self) -> None:
        assert self._future is not None
        if not self._future.done():
            wait([self._future], LEND_S)  # inside Slicer, threads run only while the window's waits
        while not self._said.empty():
            name, stage = self._said.get()
            self._report_progress(self._numbers[name], len(self._cases), name, stage)
        if not self._future.done():
            return
        self._timer.stop()
        self._thread.shutdown(wait=False)
        error = self._future.exception()
        if isinstance(error, Exception):
            self._failed(error)
        else:
            self._ended(self._outcome(self._future.result()))

    def _outcome(self, rows: Sequence[Row]) -> Outcome:
        with_result = [row for row in rows if row.has_result]
        return Outcome(
            done=len(with_result),
            earlier=sum(row.case not in self._done_now for row in with_result),
            doubtful=[
                (row.case, f"{row.why}: see its report") for row in with_result if row.status == "doubtful"
            ],
            failed=[(row.case, row.why) for row in rows if row.status == "failed"],
        )

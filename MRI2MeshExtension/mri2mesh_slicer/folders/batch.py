"""The cases of a folder through the worker, one after the other, each into a folder of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mri2mesh.folders.cases import Case
from mri2mesh.folders.run_folder import request_of, table_of
from mri2mesh.folders.table import Row


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
Ended = Callable[[Outcome], None]


class Batch:
    """A case that fails does not stop the others, and one that was done before, with the same request, is not done
    again: ``cases.csv`` among the results says so. request: engine and options of each, as for `WorkerClient.run`.

    Raises InputError where the results cannot be written, or the table there is not of this program.
    """

    def __init__(
        self,
        client: Any,
        cases: Sequence[Case],
        out: Path,
        request: Mapping[str, Any],
        report_progress: ReportProgress,
        ended: Ended,
    ) -> None:
        self._client = client
        self._report_progress, self._ended = report_progress, ended
        options = request.get("options", {})
        self._requests = {case.name: request_of(case, str(request["engine"]), options, out) for case in cases}
        self._table, self._cases = table_of(cases, self._requests, out)
        earlier = [row for row in self._table.rows.values() if row.has_result]
        self._outcome = Outcome(done=len(earlier), earlier=len(earlier))
        for row in earlier:
            self._note_doubts(row)
        self._number = 0
        self._stopped = False

    def start(self) -> None:
        self._next()

    def stop(self) -> None:
        """After the case that is being computed was given up."""
        self._stopped = True
        self._client.cancel()

    def _next(self) -> None:
        if self._stopped or self._number == len(self._cases):
            self._ended(self._outcome)
            return
        case = self._cases[self._number]
        self._number += 1
        number, count = self._number, len(self._cases)
        self._client.run(
            self._requests[case.name],
            on_progress=lambda stage, fraction, left: self._report_progress(number, count, case.name, stage),
            on_done=lambda _event: self._one_done(case),
            on_failed=lambda message: self._one_failed(case, message),
            on_cancelled=lambda: self._one_failed(case, "cancelled"),
        )

    def _one_done(self, case: Case) -> None:
        self._note_doubts(self._table.done(case))
        self._outcome.done += 1
        self._next()

    def _note_doubts(self, row: Row) -> None:
        if row.status == "doubtful":
            self._outcome.doubtful.append((row.case, f"{row.why}: see its report"))

    def _one_failed(self, case: Case, why: str) -> None:
        self._table.failed(case, why)
        self._outcome.failed.append((case.name, why))
        self._next()

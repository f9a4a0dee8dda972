"""The cases of a folder through the worker, one after the other, each into a folder of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mri2mesh.errors import InputError
from mri2mesh_slicer.folders.folder_cases import Case
from mri2mesh_slicer.runs.results import read_report


@dataclass
class Outcome:
    """done: how many have a result. doubtful: name and reasons of those of them that are to be looked at. failed: name
    and reason of those without a result."""

    done: int = 0
    doubtful: list[tuple[str, str]] = field(default_factory=list)
    failed: list[tuple[str, str]] = field(default_factory=list)


ReportProgress = Callable[[int, int, str, str], None]
"""Called with the number of the case from 1, their count, the name of the case and the stage."""
Ended = Callable[[Outcome], None]


class Batch:
    """A case that fails does not stop the others. request: engine and options of each, as for `WorkerClient.run`."""

    def __init__(
        self,
        client: Any,
        cases: Sequence[Case],
        out: Path,
        request: Mapping[str, Any],
        report_progress: ReportProgress,
        ended: Ended,
    ) -> None:
        self._client, self._cases, self._out = client, list(cases), out
        self._request = dict(request)
        self._report_progress, self._ended = report_progress, ended
        self._number = 0
        self._outcome = Outcome()
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
            {
                **self._request,
                "command": "reconstruct",
                "inputs": [str(image) for image in case.images],
                "out": str(self._out / case.result),
                "options": {**self._request.get("options", {}), **case.options},
            },
            on_progress=lambda stage, fraction, left: self._report_progress(number, count, case.name, stage),
            on_done=lambda event: self._one_done(case.name, event),
            on_failed=lambda message: self._one_failed(case.name, message),
            on_cancelled=lambda: self._one_failed(case.name, "cancelled"),
        )

    def _one_done(self, name: str, event: dict[str, Any]) -> None:
        doubts = _doubts(Path(event["report"]))
        if doubts:
            self._outcome.doubtful.append((name, f"{'; '.join(doubts)}: see its report"))
        self._outcome.done += 1
        self._next()

    def _one_failed(self, name: str, why: str) -> None:
        self._outcome.failed.append((name, why))
        self._next()


def _doubts(path: Path) -> list[str]:
    """Why a result is to be looked at, by its report."""
    try:
        report = read_report(path.read_text(encoding="utf-8"))
    except (OSError, InputError):
        return ["its report cannot be read"]
    geometries = [view.geometry for view in report.views]
    assumed = any(geometry.primary_angle_deg.origin == "default" for geometry in geometries)
    return [
        words
        for doubtful, words in (
            (not report.structures, "no surface could be made"),
            (not report.passed, "not every check passed"),
            (not report.scale_known, "the scale is unknown"),
            (len(geometries) > 1 and assumed, "the angles of its views are only assumed"),
        )
        if doubtful
    ]

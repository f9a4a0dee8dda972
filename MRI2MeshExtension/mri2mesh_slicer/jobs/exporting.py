"""One export at a time that takes the worker's time: surfaces written to a folder of our own, files made from them."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import qt

from mri2mesh_slicer.export.finite_elements import TakenSurfaces
from mri2mesh_slicer.jobs.background import Background
from mri2mesh_slicer.jobs.running import LOOK_AGAIN_MS, in_words

ReportProgress = Callable[[str, float, float | None], None]


class Exporting:
    """client: the worker's, which may be answering something else just then: that is waited for. report_progress:
    called with the stage, the fraction, and the seconds left or None."""

    def __init__(self, client: Any, background: Background, report_progress: ReportProgress) -> None:
        self._client, self._background, self._report_progress = client, background, report_progress
        self._folder: Path | None = None
        self._is_asked = False
        self._done: Callable[[dict[str, Any]], None] = lambda event: None
        self._ended: Callable[[str], None] = lambda why: None

    @property
    def busy(self) -> bool:
        return self._folder is not None

    def start(
        self,
        taken: TakenSurfaces,
        out: Path,
        options: Mapping[str, Any],
        done: Callable[[dict[str, Any]], None],
        ended: Callable[[str], None],
    ) -> None:
        """options: of `mri2mesh.worker.export_requests`. done: called with the worker's event, as `mri2mesh.worker`
        describes it. ended: called with why nothing was written, empty after `cancel`."""
        self._folder, self._is_asked = Path(tempfile.mkdtemp(prefix="mri2mesh-")), False
        self._done, self._ended = done, ended
        source = self._folder / "result"
        request = {
            "command": "export", "source": str(source), "out": str(out),
            "options": {**options, "structures": list(taken.surfaces)},
        }  # fmt: skip
        self._background.run(
            lambda: taken.write(source),
            lambda _nothing: self._ask(request),
            lambda error: self._end(in_words(error)),
        )

    def cancel(self) -> None:
        """The worker is asked to stop and ended if it does not; what was in the folder before stays as it was."""
        if self._is_asked:
            self._client.cancel()
        elif self.busy:
            self._end("")

    def close(self) -> None:
        """Nothing is reported any more; the worker is ended by whoever started it."""
        self._forget()

    def _ask(self, request: dict[str, Any]) -> None:
        if self._folder is None:
            return
        if self._client.busy:
            qt.QTimer.singleShot(LOOK_AGAIN_MS, lambda: self._ask(request))
            return
        self._is_asked = True
        self._client.run(
            request,
            on_progress=self._report_progress,
            on_done=self._finish,
            on_failed=self._end,
            on_cancelled=lambda: self._end(""),
        )

    def _finish(self, event: dict[str, Any]) -> None:
        if self.busy:
            self._forget()
            self._done(event)

    def _end(self, why: str) -> None:
        if self.busy:
            self._forget()
            self._ended(why)

    def _forget(self) -> None:
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
        self._folder, self._is_asked = None, False

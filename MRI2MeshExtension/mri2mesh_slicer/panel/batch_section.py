"""A whole folder of images, one after the other, into a folder of results; the scene stays as it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from slicer.i18n import tr as _

from mri2mesh.errors import InputError
from mri2mesh_slicer.batch import Batch, images_in
from mri2mesh_slicer.panel.messages import BAD, DOUBTFUL, GOOD, say, sentences


class BatchSection:
    """services: `mri2mesh_slicer.panel.panel.Services`. changed: called when it starts and when it ends."""

    def __init__(self, ui: Any, services: Any, changed: Callable[[], None]) -> None:
        self._ui, self._services, self._changed = ui, services, changed
        self._batch: Batch | None = None
        ui.batchButton.clicked.connect(self._start_or_stop)
        say(ui.batchMessage, "")

    @property
    def busy(self) -> bool:
        return self._batch is not None

    def refresh(self, busy: bool) -> None:
        self._ui.batchButton.text = _("Stop") if self.busy else _("Run them all, one after the other")
        self._ui.batchButton.setEnabled(self.busy or not busy)

    def close(self) -> None:
        if self._batch is not None:
            self._batch.stop()
            self._batch = None

    def _start_or_stop(self, *_checked: Any) -> None:
        if self._batch is not None:
            self._batch.stop()
            return
        inputs, outputs = (
            str(widget.currentPath).strip() for widget in (self._ui.batchInput, self._ui.batchOutput)
        )
        try:
            if not outputs:
                raise InputError(_("choose a folder for the results"))
            images = images_in(inputs)
            if self._services.client.busy:
                raise InputError(_("wait for the answer about the radiograph, then press again"))
        except InputError as error:
            say(self._ui.batchMessage, sentences(str(error)), BAD)
            return
        self._services.when_installed(lambda: self._start(images, outputs))

    def _start(self, images: list[Path], outputs: str) -> None:
        if self._batch is not None or self._services.busy() or self._services.client.busy:
            return
        self._batch = Batch(self._services.client, images, Path(outputs), self._told, self._ended)
        self._batch.start()
        self._changed()

    def _told(self, number: int, count: int, name: str, stage: str) -> None:
        say(
            self._ui.batchMessage,
            _("{number} of {count}: {name}, {stage}").format(
                number=number, count=count, name=name, stage=stage
            ),
        )

    def _ended(self, done: int, failures: list[tuple[str, str]]) -> None:
        self._batch = None
        lines = [_("{done} done, {failed} not.").format(done=done, failed=len(failures))]
        lines += [f"{name}: {sentences(why)}" for name, why in failures]
        say(self._ui.batchMessage, "\n".join(lines), DOUBTFUL if failures else GOOD)
        self._changed()

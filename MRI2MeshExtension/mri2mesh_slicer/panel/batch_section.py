"""A whole folder of images, one after the other, into a folder of results; the scene stays as it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from slicer.i18n import tr as _

from mri2mesh.errors import InputError
from mri2mesh_slicer.batch import VOLUMES, Batch, images_in
from mri2mesh_slicer.methods import Method, methods
from mri2mesh_slicer.panel.export_section import formats
from mri2mesh_slicer.panel.messages import BAD, DOUBTFUL, GOOD, say, sentences
from mri2mesh_slicer.parameters import Parameters

LABEL_MAPS = "labelmaps"
"""In place of a surface's format."""


class BatchSection:
    """services: `mri2mesh_slicer.panel.panel.Services`. chosen: the method of section 2, or None. changed: called when
    it starts and when it ends."""

    def __init__(
        self,
        ui: Any,
        parameters: Callable[[], Parameters],
        services: Any,
        chosen: Callable[[], Method | None],
        changed: Callable[[], None],
    ) -> None:
        self._ui, self._parameters, self._services = ui, parameters, services
        self._chosen, self._changed = chosen, changed
        self._batch: Batch | None = None
        for ending, words in (*formats(), (LABEL_MAPS, _("Label maps on the voxels of each image, NIfTI"))):
            ui.batchFormat.addItem(words, ending)
        ui.batchFormat.activated.connect(self._keep)
        ui.batchButton.clicked.connect(self._start_or_stop)
        say(ui.batchMessage, "")

    @property
    def busy(self) -> bool:
        return self._batch is not None

    def refresh(self, busy: bool) -> None:
        parameters, method = self._parameters(), self._method()
        self._ui.batchFormat.setCurrentIndex(max(0, self._ui.batchFormat.findData(parameters.batch_format)))
        words = _(
            "Every {endings} file, and every folder in it as a DICOM series, by the method {method}, on what is chosen "
            "in section 3."
        ).format(endings=", ".join(VOLUMES), method=method.title)
        if self._chosen() not in (None, method):
            words += " " + _("Not of radiographs: the views of one patient belong together.")
        if method.levels and parameters.level_shift:
            words += " " + _("The levels of each are shifted by {by:+d}.").format(by=parameters.level_shift)
        say(self._ui.batchSentence, words)
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
        self._batch = Batch(
            self._services.client, images, Path(outputs), self._request(), self._told, self._ended
        )
        self._batch.start()
        self._changed()

    def _method(self) -> Method:
        """That of section 2 where it works on single images, else the first that does."""
        chosen = self._chosen()
        able = [method for method in methods() if method.of_folder is not None]
        return chosen if chosen in able and chosen is not None else able[0]

    def _request(self) -> dict[str, Any]:
        method, parameters = self._method(), self._parameters()
        options = {name: getattr(parameters, name) for name in method.of_folder or ()}
        options["device"] = parameters.device
        if parameters.batch_format == LABEL_MAPS:
            options["labelmaps"] = True
        else:
            options["formats"] = list(dict.fromkeys(["vtp", parameters.batch_format]))
        return {"engine": method.engine, "options": options}

    def _keep(self, *_index: Any) -> None:
        self._parameters().batch_format = str(self._ui.batchFormat.currentData)

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

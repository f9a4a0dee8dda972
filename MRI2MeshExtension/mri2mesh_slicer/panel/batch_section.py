"""A whole folder of images, one after the other, into a folder of results; the scene stays as it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from slicer.i18n import tr as _

from mri2mesh.engines.declaration import Engine
from mri2mesh.engines.options import Option
from mri2mesh.engines.registry import engines
from mri2mesh.folders.cases import VOLUMES, Case, cases_in
from mri2mesh_slicer.folders.batch import Batch, Outcome
from mri2mesh_slicer.jobs.running import in_words
from mri2mesh_slicer.option_values import options_of_every_case
from mri2mesh_slicer.panel.export_section import formats
from mri2mesh_slicer.panel.messages import BAD, DOUBTFUL, GOOD, OF_FILES, say, sentences
from mri2mesh_slicer.parameters import Parameters

LABEL_MAPS = "labelmaps"
"""Value of the format list that stands for label maps in place of a surface's format."""


class BatchSection:
    """services: `mri2mesh_slicer.panel.panel.Services`. chosen: the method of section 2, or None. changed: called when
    it starts and when it ends."""

    def __init__(
        self,
        ui: Any,
        parameters: Callable[[], Parameters],
        services: Any,
        chosen: Callable[[], Engine | None],
        changed: Callable[[], None],
    ) -> None:
        self._ui, self._parameters, self._services = ui, parameters, services
        self._chosen, self._changed = chosen, changed
        self._batch: Batch | None = None
        self._looking = False
        self._listed: tuple[str, ...] = ()
        ui.batchFormat.activated.connect(self._keep)
        ui.batchButton.clicked.connect(self._start_or_stop)
        say(ui.batchMessage, "")

    @property
    def busy(self) -> bool:
        return self._batch is not None or self._looking

    def refresh(self, busy: bool) -> None:
        parameters, engine = self._parameters(), self._engine()
        self._list_formats(engine)
        self._ui.batchFormat.setCurrentIndex(max(0, self._ui.batchFormat.findData(parameters.batch_format)))
        lines = [
            _("{cases} By the method {method}, on what is chosen in section 3.").format(
                cases=_cases_of(engine), method=_(engine.short_title)
            )
        ]
        if chosen := _chosen_for_all(parameters, engine):
            lines.append(_("As chosen in section 2 for all of them: {chosen}.").format(chosen=chosen))
        if not engine.takes.several:
            lines.append(_("For radiographs choose one of them in section 1."))
        say(self._ui.batchSentence, " ".join(lines))
        running = self._batch is not None
        self._ui.batchButton.text = _("Cancel") if running else _("Apply to all")
        self._ui.batchButton.setEnabled(running or not busy)

    def stop(self) -> None:
        if self._batch is not None:
            self._batch.stop()

    def close(self) -> None:
        if self._batch is not None:
            self._batch.close()
        self._batch = None

    def _list_formats(self, engine: Engine) -> None:
        listed = [*formats()]
        if engine.option(LABEL_MAPS) is not None:
            listed.append((LABEL_MAPS, _("Label maps on the voxels of each image, NIfTI")))
        names = tuple(name for name, _words in listed)
        if names != self._listed:
            self._listed = names
            self._ui.batchFormat.clear()
            for name, title in listed:
                self._ui.batchFormat.addItem(title, name)

    def _start_or_stop(self, *_checked: Any) -> None:
        if self._batch is not None:
            self.stop()
            return
        inputs, outputs = (
            str(widget.currentPath).strip() for widget in (self._ui.batchInput, self._ui.batchOutput)
        )
        if not outputs:
            say(self._ui.batchMessage, _("Choose an output folder."), BAD)
            return
        # Files may be many, and each is looked into.
        engine, request = self._engine(), self._request()
        self._looking = True
        say(self._ui.batchMessage, _("Looking at the folder ..."))
        self._services.background.run(
            lambda: cases_in(inputs, engine, outputs),
            lambda cases: self._found(cases, Path(outputs), request),
            self._not_found,
        )
        self._changed()

    def _found(self, cases: list[Case], out: Path, request: dict[str, Any]) -> None:
        self._looking = False
        say(self._ui.batchMessage, "")
        self._services.when_installed(lambda: self._start(cases, out, request))
        self._changed()

    def _not_found(self, error: Exception) -> None:
        self._looking = False
        say(self._ui.batchMessage, sentences(in_words(error)), BAD)
        self._changed()

    def _start(self, cases: list[Case], out: Path, request: dict[str, Any]) -> None:
        if self._services.busy():
            return
        self._batch = Batch(cases, out, request, self._report_progress, self._ended, self._failed)
        if not self._services.client.busy:
            self._services.client.shutdown()  # the memory is for the cases, which have processes of their own
        self._batch.start()
        self._changed()

    def _engine(self) -> Engine:
        """That of section 2, or the first while no image is chosen."""
        return self._chosen() or next(iter(engines().values()))

    def _request(self) -> dict[str, Any]:
        engine, parameters = self._engine(), self._parameters()
        values = options_of_every_case(parameters, engine)
        declared = [option for option in engine.all_options if option.name in values]
        options = {option.name: option.to_json(values[option.name]) for option in declared}
        options["device"] = parameters.device
        form = str(self._ui.batchFormat.currentData)
        if form == LABEL_MAPS:
            options["labelmaps"] = True
        else:
            options["formats"] = list(dict.fromkeys(["vtp", form]))
        return {"engine": engine.name, "options": options}

    def _keep(self, *_index: Any) -> None:
        self._parameters().batch_format = str(self._ui.batchFormat.currentData)

    def _report_progress(self, number: int, count: int, name: str, stage: str) -> None:
        say(
            self._ui.batchMessage,
            _("{number} of {count}: {name}, {stage}").format(
                number=number, count=count, name=name, stage=stage
            ),
        )

    def _failed(self, error: Exception) -> None:
        self._batch = None
        say(self._ui.batchMessage, sentences(in_words(error)), BAD)
        self._changed()

    def _ended(self, outcome: Outcome) -> None:
        self._batch = None
        lines = [_("{done} done, {failed} not.").format(done=outcome.done, failed=len(outcome.failed))]
        if outcome.earlier:
            lines[0] += " " + _("Done before: {earlier}.").format(earlier=outcome.earlier)
        lines += [f"{name}: {sentences(why, OF_FILES)}" for name, why in outcome.failed]
        if outcome.doubtful:
            lines.append(_("Done, to be looked at:"))
            lines += [f"{name}: {sentences(why)}" for name, why in outcome.doubtful]
        say(self._ui.batchMessage, "\n".join(lines), DOUBTFUL if len(lines) > 1 else GOOD)
        self._changed()


def _chosen_for_all(parameters: Parameters, engine: Engine) -> str:
    """As ``"Bone: Left femur; Shift the levels by: -1"``."""
    values = options_of_every_case(parameters, engine)
    options = [option for option in engine.all_options if option.name in values]
    return "; ".join(f"{_(one.label)}: {_(one.in_words(values[one.name]))}" for one in options)


def _cases_of(engine: Engine) -> str:
    if not engine.takes.several:
        cases = _("Every {endings} file, and every folder as a DICOM series.").format(
            endings=", ".join(VOLUMES)
        )
    else:
        cases = _(
            "Every radiograph, DICOM or picture, by itself; every folder of radiographs as the views of one patient."
        )
    beside = [_beside(option) for option in engine.all_options if option.beside]
    if not beside:
        return cases
    return _("{cases} Beside NAME.png, {files}.").format(cases=cases, files=", ".join(beside))


def _beside(option: Option) -> str:
    """As ``"NAME.camera.json is its geometry"``."""
    words = _("NAME{ending} goes with it as {option}").format(ending=option.beside, option=f"--{option.flag}")
    if option.beside_pictures:
        words += _(" ({file}: with all pictures)").format(file=option.beside.lstrip("."))
    return words

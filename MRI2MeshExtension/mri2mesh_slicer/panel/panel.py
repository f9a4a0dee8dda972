"""The sections put together, and what each calls of the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from slicer.i18n import tr as _

from mri2mesh.errors import InputError
from mri2mesh_slicer.installation import requirements
from mri2mesh_slicer.jobs.background import Background
from mri2mesh_slicer.jobs.running import Job, Listener, Running
from mri2mesh_slicer.panel.batch_section import BatchSection
from mri2mesh_slicer.panel.export_section import ExportSection
from mri2mesh_slicer.panel.input_section import InputSection
from mri2mesh_slicer.panel.method_section import MethodSection
from mri2mesh_slicer.panel.overlay_section import OverlaySection
from mri2mesh_slicer.panel.packages import Packages
from mri2mesh_slicer.panel.results_section import ResultsSection, counted
from mri2mesh_slicer.panel.run_section import RunSection
from mri2mesh_slicer.parameters import Parameters


class WhenInstalled(Protocol):
    def __call__(
        self,
        then: Callable[[], None],
        also: Sequence[requirements.Package] = (),
        refused: Callable[[str], None] | None = None,
    ) -> None: ...


@dataclass(frozen=True)
class Services:
    """What a section may use: the one worker, while nothing runs and the panel is looked at, and a thread for files.
    when_installed: asks the user for what is missing, and goes on when all is there: called with what is to be done
    then, packages that are needed beside those of every run, and what hears the reason where it is not done."""

    client: Any
    background: Background
    busy: Callable[[], bool]
    is_away: Callable[[], bool]
    when_installed: WhenInstalled


class Panel:
    """``parameters``: of the scene that is open now; set by `use`. client: the worker, `mri2mesh_slicer.jobs.jobs`."""

    packages: Packages
    overlay: OverlaySection

    def __init__(self, ui: Any, parameters: Parameters, client: Any) -> None:
        self._parameters = parameters
        self.background = Background()
        listener = Listener(self._progress, self._warning, self._show, self._done, self._ended)
        self.running = Running(client, listener, lambda: self.overlay.placed)
        self._is_away = False
        services = Services(
            client,
            self.background,
            self._is_busy,
            lambda: self._is_away,
            lambda then, also=(), refused=None: self.packages.when_there(then, also, refused),
        )
        self.input = InputSection(ui, self.parameters, self._image_chosen)
        self.method = MethodSection(ui, self.parameters, self.refresh, services)
        self.run = RunSection(ui, self.parameters, self.start, self._cancel, self.running.set_live)
        self.packages = Packages(self.run, self._refresh_run)
        self.results = ResultsSection(ui, self._another_run, self.method.refresh)
        self.overlay = OverlaySection(ui, lambda: self.results.run, self.running.give_way)
        self.export = ExportSection(
            ui, self.parameters, lambda: self.results.run, services, self._worker_changed
        )
        self.batch = BatchSection(
            ui, self.parameters, services, lambda: self.method.engine, self._worker_changed
        )
        # Looked for in a thread now: Run then answers at once.
        self.background.run(requirements.missing, lambda _missing: None, lambda _error: None)
        self.refresh()

    def parameters(self) -> Parameters:
        return self._parameters

    def use(self, parameters: Parameters) -> None:
        """Another scene's parameters, or the same again after something changed."""
        self._parameters = parameters
        self.refresh()

    def refresh(self) -> None:
        """Everything shown is what the scene and the parameters say."""
        self.input.refresh()
        self.method.refresh()
        self._refresh_run()
        self.results.refresh()
        self._another_run()

    def start(self) -> None:
        """What the Run button does."""
        if not self._is_busy():
            self.packages.when_there(self._start)

    def _start(self) -> None:
        inputs, engine = self.method.inputs, self.method.engine
        if inputs is None or engine is None or self._is_busy():
            return
        try:
            job = Job(
                _("{image}: {method}").format(
                    image=inputs.nodes()[0].GetName(), method=_(engine.short_title)
                ),
                engine.name,
                inputs.nodes(),
                inputs.prepare(),
                shows=engine.shows,
            )
        except InputError as error:
            self.run.ended(str(error), failed=True)
            return
        self.run.begin()
        self.running.start(job, device=self.parameters().device, live=self.parameters().live)
        self._refresh_run()

    def leave(self) -> None:
        """Not looked at any more: what runs goes on, a result is added, then the worker goes."""
        self._is_away = True
        self.method.leave()
        self._let_worker_go()

    def come_back(self) -> None:
        self._is_away = False

    def close(self) -> None:
        """Nothing is left behind: no process, no observer, nothing placed in the views."""
        self.packages.close()
        self.batch.close()
        self.export.close()
        self.running.shutdown()
        self.overlay.close()
        self.results.close()
        self.method.close()
        self.background.close()

    def _let_worker_go(self) -> None:
        if self._is_away and not (self.running.busy or self.batch.busy or self.export.busy):
            self.running.client.shutdown()

    def _worker_changed(self) -> None:
        self.refresh()
        self._let_worker_go()

    def _cancel(self) -> None:
        self.packages.cancel()
        self.running.cancel()
        self.batch.stop()
        self.export.cancel()

    def _is_busy(self) -> bool:
        return self.running.busy or self.batch.busy or self.packages.busy or self.export.busy

    def _refresh_run(self) -> None:
        busy = self._is_busy()
        shows = self.method.engine is not None and self.method.engine.shows
        self.run.refresh(busy, self._problem(), shows, not busy or self.running.shows)
        self.batch.refresh(busy)
        self.export.refresh_busy(busy)

    def _problem(self) -> str:
        if self.method.inputs is None:
            return _("Choose an image first.")
        return self.method.inputs.problem()

    def _image_chosen(self) -> None:
        self.parameters().method = ""
        self.refresh()

    def _another_run(self) -> None:
        self.run.forget_gone()
        self.overlay.refresh()
        self.export.refresh()

    def _progress(self, stage: str, fraction: float, seconds_left: float | None) -> None:
        self.run.progress(stage, fraction, seconds_left)

    def _warning(self, text: str) -> None:
        self.run.warning(text)

    def _show(self, run: Any, pictures: Mapping[str, bytes]) -> Iterator[None]:
        """A new run, section by section."""
        self.results.show(run, pictures)
        yield
        self.overlay.refresh()
        yield
        self.export.refresh()

    def _done(self, run: Any, report: Any) -> None:
        words = (
            _("Done: {structures}.").format(structures=counted(len(report.structures)))
            if report.structures
            else _("Done, but no surface could be made: see the results.")
        )
        self.run.done(words, report.passed, run)
        self.method.refresh()  # this run may be one to go on from
        self._refresh_run()
        self._let_worker_go()

    def _ended(self, why: str, failed: bool) -> None:
        self.run.ended(why, failed)
        self._refresh_run()
        self._let_worker_go()

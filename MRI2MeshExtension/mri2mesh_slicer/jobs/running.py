"""One reconstruction at a time, from nodes to a run in the scene: written, computed elsewhere, read, added.

The scene is touched at the end only, but for what may be shown while it is fitted (`live_preview`). Closing
the scene, removing an input, or cancelling ends everything, the worker's process tree included, and leaves the scene as
it was.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import qt
import slicer
import vtk
from slicer.i18n import tr as _
from slicer.util import VTKObservationMixin

from mri2mesh.errors import InputError
from mri2mesh_slicer.jobs.background import Background
from mri2mesh_slicer.jobs.turns import Turns
from mri2mesh_slicer.runs.live_preview import LivePreview

Prepare = Callable[[Path], dict[str, Any]]
"""Given an empty folder, writes the inputs there and returns the request's ``inputs`` and ``options``; in a thread."""
LOOK_AGAIN_MS = 50
"""Time between two looks at a worker that answers something else."""


@dataclass(frozen=True)
class Job:
    """name: of the run's folder in the scene. nodes: the inputs; when one leaves the scene, the job ends. shows:
    whether the engine shows its surfaces while it finds them."""

    name: str
    engine: str
    nodes: Sequence[Any]
    prepare: Prepare
    shows: bool = False


@dataclass(frozen=True)
class Listener:
    """What is called, on the window's thread.

    progress: stage, fraction, seconds left or None. show: the run's nodes, and its
    pictures, caption -> PNG; the window draws wherever this yields. done: the run and its report, when another job
    may start. ended: why there is no result, and whether that is a failure; empty after a plain cancel."""

    progress: Callable[[str, float, float | None], None]
    warning: Callable[[str], None]
    show: Callable[[Any, Mapping[str, bytes]], Iterator[None]]
    done: Callable[[Any, Any], None]
    ended: Callable[[str, bool], None]


class Running(VTKObservationMixin):
    """Starts, watches and ends jobs with the one worker of this Slicer. placed: the radiographs that others have
    placed, for what is shown while it is fitted."""

    def __init__(
        self, client: Any, listener: Listener, placed: Callable[[], Sequence[Any]] = lambda: ()
    ) -> None:
        super().__init__()
        self.client = client
        self._listener = listener
        self._placed = placed
        self._live: LivePreview | None = None
        self._background = Background()
        self._job: Job | None = None
        self._folder: Path | None = None
        self._why = ""
        self._device = "auto"
        self._is_asked = self._is_added = False
        self._adding = Turns()

    @property
    def busy(self) -> bool:
        return self._job is not None

    @property
    def is_adding(self) -> bool:
        """Whether a result is just being put into the scene and shown."""
        return self._adding.busy

    @property
    def shows(self) -> bool:
        """Whether what runs can be looked at meanwhile."""
        return self._job is not None and self._job.shows

    def set_live(self, shown: bool) -> None:
        """What runs is shown from its next surface on, or not any more; nothing where `shows` is not true."""
        self._hide_live()
        if shown and self._job is not None and self._job.shows:
            self._live = LivePreview(self._job.nodes, self._placed)

    def give_way(self) -> None:
        """Another places radiographs now."""
        if self._live is not None:
            self._live.give_way()

    def start(self, job: Job, *, device: str = "auto", live: bool = False) -> None:
        """live: see `set_live`. Raises RuntimeError while another job runs."""
        if self.busy:
            raise RuntimeError("one job at a time")
        self._job, self._why = job, ""
        self.set_live(live)
        self._folder = folder = Path(tempfile.mkdtemp(prefix="mri2mesh-"))
        scene = slicer.mrmlScene
        self.addObserver(scene, scene.StartCloseEvent, self._scene_closes)
        self.addObserver(scene, scene.NodeAboutToBeRemovedEvent, self._node_goes)
        self._listener.progress(_("write the images"), 0.0, None)
        inputs = folder / "inputs"
        inputs.mkdir()
        self._device = device

        def prepare() -> dict[str, Any]:
            _import_ahead()
            return job.prepare(inputs)

        self._background.run(prepare, self._compute, self._broken)

    def cancel(self, why: str = "") -> None:
        """Asks the worker to stop, and kills it if it does not; `Listener.ended` follows. why: for the user."""
        if not self.busy or self._is_added:
            return
        self._hide_live()
        self._why = self._why or why  # the first reason: a scene that closes removes its nodes next
        if self._is_asked and self.client.busy:
            self._listener.progress(_("cancelling"), 0.0, None)
            self.client.cancel()
        else:
            self._end(self._why, failed=False)

    def shutdown(self) -> None:
        """Ends the job and the worker at once; nothing is reported any more."""
        self._clear()
        self.client.shutdown()
        self._background.close()

    def _compute(self, request: dict[str, Any]) -> None:
        assert self._job is not None and self._folder is not None
        job = self._job
        if self.client.busy:  # what a radiograph is, was asked just before: the answer comes soon
            qt.QTimer.singleShot(LOOK_AGAIN_MS, lambda: self._compute(request) if self._job is job else None)
            return
        self._is_asked = True
        options = {"device": self._device, **request["options"]}
        if job.shows:
            options["live"] = True
        self.client.run(
            {
                "command": "reconstruct",
                "engine": job.engine,
                "out": str(self._folder / "result"),
                **request,
                "options": options,
            },
            on_progress=self._listener.progress,
            on_done=self._read,
            on_failed=lambda message: self._end(self._why or message, failed=True),
            on_cancelled=lambda: self._end(self._why, failed=False),
            on_warning=self._listener.warning,
            on_surface=self._show_live,
        )

    def _show_live(self, event: dict[str, Any]) -> None:
        if self._live is not None:
            self._live.show(event)

    def _hide_live(self) -> None:
        if self._live is not None:
            self._live.remove()
            self._live = None

    def _read(self, event: dict[str, Any]) -> None:
        folder = Path(event["out"])

        def read() -> Any:
            from mri2mesh_slicer.runs.results import read_run

            return read_run(folder)

        self._listener.progress(_("read the results"), 1.0, None)
        self._background.run(read, self._add, self._broken)

    def _add(self, result: Any) -> None:
        self.removeObservers()  # from here on it is too late to end
        self._is_added = True
        self._adding.run(self._steps(result))

    def _steps(self, result: Any) -> Iterator[None]:
        """Adding a result and showing it all at once would keep the window from drawing for too long."""
        try:
            yield from self._add_and_show(result)
        except Exception as error:
            self._broken(error)
            raise

    def _add_and_show(self, result: Any) -> Iterator[None]:
        from mri2mesh_slicer.runs.scene_building import add_run

        job = self._job
        assert job is not None
        self._hide_live()
        yield
        try:
            run = add_run(slicer.mrmlScene, result, job.nodes, name=job.name)
        except Exception as error:
            self._broken(error)
            return
        yield
        yield from self._listener.show(run, result.pictures)
        yield
        self._clear()
        self._listener.done(run, result.report)

    def _broken(self, error: Exception) -> None:
        self._end(in_words(error), failed=True)

    def _end(self, why: str, *, failed: bool) -> None:
        if self.busy:
            self._clear()
            self._listener.ended(why, failed)

    def _clear(self) -> None:
        self.removeObservers()
        self._hide_live()
        self._background.forget()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
        self._adding.stop()
        self._job = self._folder = None
        self._is_asked = self._is_added = False

    def _scene_closes(self, *_event: Any) -> None:
        self.cancel(_("The scene was closed: the run was ended."))

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def _node_goes(self, _caller: Any, _event: Any, node: Any) -> None:
        if self._job is not None and any(node is one for one in self._job.nodes):
            self.cancel(_("The image was removed from the scene: the run was ended."))


def _import_ahead() -> None:
    """What is needed when the results come: imported in a thread, as the window would stand still meanwhile."""
    import mri2mesh_slicer.export.labelmaps
    import mri2mesh_slicer.radiographs.silhouettes
    import mri2mesh_slicer.runs.level_shift
    import mri2mesh_slicer.runs.results
    import mri2mesh_slicer.runs.runs
    import mri2mesh_slicer.runs.scalars
    import mri2mesh_slicer.runs.scene_building  # noqa: F401


def in_words(error: Exception) -> str:
    """What went wrong, for the user; of what nobody foresaw only its kind."""
    if isinstance(error, InputError):
        return str(error)
    return _("Unexpected error: {kind}. Please report it with what you did.").format(
        kind=type(error).__name__
    )

"""3 Run: start, progress with the time left, cancel, and how it ended."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from slicer.i18n import tr as _

from mri2mesh_slicer.panel.messages import BAD, DOUBTFUL, GOOD, say, sentences
from mri2mesh_slicer.parameters import Parameters

STEPS = 1000


def devices() -> tuple[tuple[str, str], ...]:
    """Name for the engine, and words."""
    return (
        ("auto", _("automatic")),
        ("cpu", _("CPU")),
        ("cuda", _("NVIDIA GPU")),
        ("mps", _("Apple GPU")),
    )


class RunSection:
    def __init__(
        self,
        ui: Any,
        parameters: Callable[[], Parameters],
        run: Callable[[], None],
        cancel: Callable[[], None],
        set_live: Callable[[bool], None],
    ) -> None:
        self._ui, self._parameters, self._set_live = ui, parameters, set_live
        for name, words in devices():
            ui.deviceSelector.addItem(words, name)
        ui.deviceSelector.activated.connect(self._choose_device)
        ui.liveCheck.clicked.connect(self._choose_live)
        ui.runButton.clicked.connect(lambda *_checked: run())
        ui.cancelButton.clicked.connect(lambda *_checked: cancel())
        self._warnings: list[str] = []
        self._about: Any = None
        self.idle("")
        say(ui.messageLabel, "")

    def refresh(self, busy: bool, problem: str, shows: bool, can_choose_live: bool) -> None:
        """problem: why Apply is not possible; shown beside the button. shows: whether the method's surfaces can be
        looked at while they are found."""
        ui = self._ui
        ui.liveCheck.setVisible(shows)
        ui.liveCheck.setEnabled(can_choose_live)
        ui.liveCheck.setChecked(self._parameters().live)
        ui.deviceSelector.setCurrentIndex(max(0, ui.deviceSelector.findData(self._parameters().device)))
        ui.runButton.setEnabled(not busy and not problem)
        ui.runButton.setToolTip(
            problem or _("Compute the surfaces; nothing in the scene changes before they are there.")
        )
        ui.cancelButton.setEnabled(busy)
        if not busy:
            say(ui.stageLabel, problem)

    def begin(self) -> None:
        self._warnings = []
        self._about = None
        say(self._ui.messageLabel, "")
        self._ui.progressBar.setVisible(True)
        self._ui.progressBar.setValue(0)

    def progress(self, stage: str, fraction: float, seconds_left: float | None) -> None:
        self._ui.progressBar.setValue(round(STEPS * min(max(fraction, 0.0), 1.0)))
        say(self._ui.stageLabel, stage + (f", {time_left(seconds_left)}" if seconds_left is not None else ""))

    def warning(self, text: str) -> None:
        self._warnings.append(sentences(text))
        say(self._ui.messageLabel, "\n".join(self._warnings), DOUBTFUL)

    def done(self, text: str, good: bool, run: Any) -> None:
        """run: the `mri2mesh_slicer.runs.runs.RunNodes` that the text is about."""
        self.idle("")
        self._about = run
        colour = GOOD if good and not self._warnings else DOUBTFUL
        say(self._ui.messageLabel, "\n".join([text, *self._warnings]), colour)

    def forget_gone(self) -> None:
        """The message about a run goes with it."""
        if self._about is not None and self._about.folder.GetScene() is None:
            self._about = None
            say(self._ui.messageLabel, "")

    def ended(self, why: str, failed: bool) -> None:
        self.idle("")
        self._about = None
        text = sentences(why) or _("Cancelled. The scene is as it was.")
        say(self._ui.messageLabel, text, BAD if failed else "")

    def idle(self, text: str) -> None:
        self._ui.progressBar.setVisible(False)
        say(self._ui.stageLabel, text)

    def _choose_live(self, *_checked: Any) -> None:
        self._parameters().live = bool(self._ui.liveCheck.checked)
        self._set_live(self._parameters().live)

    def _choose_device(self, *_index: Any) -> None:
        self._parameters().device = str(self._ui.deviceSelector.currentData)


def time_left(seconds: float) -> str:
    if seconds < 1.5:
        return _("nearly done")
    if seconds < 90:
        return _("{seconds} s left").format(seconds=round(seconds))
    return _("{minutes} min left").format(minutes=round(seconds / 60))

"""The installation of missing packages: PyTorch first, as the PyTorch extension does it, then the others by pip."""

from __future__ import annotations

import importlib
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from slicer.i18n import tr as _

from mri2mesh_slicer.installation import pytorch
from mri2mesh_slicer.installation.constraints import write_constraints
from mri2mesh_slicer.installation.pip_output import PipOutput
from mri2mesh_slicer.installation.pip_run import PipRun, pip_run
from mri2mesh_slicer.installation.requirements import TORCH, Package
from mri2mesh_slicer.jobs.qt_process import call_later

PAINTED_S = 0.1
"""Seconds after which what is being done stands in the window, before that stops answering."""


class Installing:
    """One installation. report_progress: called with what is done and the fraction. ended: called with why it failed,
    empty where all is there; not after `cancel`. All on the window's thread."""

    def __init__(
        self,
        packages: Sequence[Package],
        report_progress: Callable[[str, float], None],
        ended: Callable[[str], None],
    ) -> None:
        self._packages, self._report_progress, self._ended = list(packages), report_progress, ended
        self._output = PipOutput()
        self._run: PipRun | None = None
        self._is_wanted = True
        self._folder = tempfile.TemporaryDirectory(prefix="mri2mesh_")

    def start(self) -> None:
        if TORCH in self._packages and pytorch.is_here():
            self._report_progress(_("install PyTorch: Slicer does not answer meanwhile"), 0.0)
            call_later(PAINTED_S, self._install_torch)
        else:
            self._install_others(self._packages)

    def cancel(self) -> str:
        """Returns what is to be said of it."""
        self._is_wanted = False
        said = _("The installation was cancelled; nothing was run.")
        if self._run is not None:
            said = self._run.cancel()
        return said

    def _install_torch(self) -> None:
        if not self._is_wanted:
            return
        why = pytorch.install()
        importlib.invalidate_caches()
        others = [package for package in self._packages if package is not TORCH]
        if why or not others:
            self._end(why)
        else:
            self._install_others(others)

    def _install_others(self, packages: Sequence[Package]) -> None:
        self._report_progress(_("look up versions"), 0.0)
        names = [package.name for package in packages]
        constraints = write_constraints(Path(self._folder.name) / "constraints.txt", names)
        self._run = pip_run()(self._hear, self._pip_ended)
        self._run.start([package.requirement for package in packages], constraints)

    def _hear(self, line: str) -> None:
        self._output.add(line)
        what = self._output.what
        words = _("install {what}").format(what=what) if what else _("install packages")
        self._report_progress(words, self._output.fraction)

    def _pip_ended(self, status: int | None) -> None:
        importlib.invalidate_caches()
        if status == 0:
            self._end("")
            return
        print(self._output.text, file=sys.stderr)  # Slicer's Python console
        why = self._output.error or _("pip ended with status {status}").format(status=status)
        self._end(_("{why} Details: Python console.").format(why=_sentence(why)))

    def _end(self, why: str) -> None:
        self._run = None
        if self._is_wanted:
            self._ended(_("The installation failed: {why}").format(why=why) if why else "")


def _sentence(text: str) -> str:
    return text if text.endswith(".") else f"{text}."

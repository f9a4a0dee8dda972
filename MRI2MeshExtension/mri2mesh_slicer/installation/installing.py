"""The installation of missing packages as a process beside Slicer: with progress, and it can be cancelled."""

from __future__ import annotations

import importlib
import importlib.util
import json
import sys
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from slicer.i18n import tr as _

from mri2mesh_slicer.installation.installation import TORCH, Package
from mri2mesh_slicer.jobs.qt_process import QtProcess, python_command

REMEMBERED_LINES = 40


class Installing:
    """One installation.

    report_progress: called with what is done and the fraction. ended: called with why it failed, empty where all is
    there; not called after `cancel`. All on the window's thread.
    """

    def __init__(
        self,
        packages: Sequence[Package],
        report_progress: Callable[[str, float], None],
        ended: Callable[[str], None],
    ) -> None:
        self._packages, self._report_progress, self._ended = list(packages), report_progress, ended
        self._process: QtProcess | None = None
        self._output = b""
        self._words: deque[str] = deque(maxlen=REMEMBERED_LINES)

    def start(self) -> None:
        request = {
            "torch": TORCH.requirement if TORCH in self._packages else None,
            # The PyTorch extension is there: PyTorch is installed its way, for all extensions.
            "fitting": importlib.util.find_spec("PyTorchUtils") is not None,
            "others": [package.requirement for package in self._packages if package is not TORCH],
        }
        command = python_command("mri2mesh_slicer.installation.pip_process", json.dumps(request))
        self._report_progress(_("look up versions"), 0.0)
        self._process = QtProcess(self._read, self._hear, self._end)
        self._process.start(command.program, list(command.arguments), command.environment)

    def cancel(self) -> None:
        """The process and its children are gone; what pip had finished stays."""
        process, self._process = self._process, None
        if process is not None:
            process.kill_tree()
            process.wait(3.0)

    def _read(self, data: bytes) -> None:
        *lines, self._output = (self._output + data).split(b"\n")
        for line in lines:
            if self._process is not None and line.startswith(b"{"):
                self._take_event(json.loads(line))

    def _take_event(self, event: dict[str, Any]) -> None:
        total = sum(package.megabytes for package in self._packages)
        first = TORCH.megabytes if TORCH in self._packages else 0
        done, share = (0, first) if event["part"] == "torch" else (first, total - first)
        if event["what"]:
            what = _("install {what}").format(what=event["what"])
        else:
            what = _("install PyTorch") if event["part"] == "torch" else _("install packages")
        self._report_progress(what, (done + share * event["fraction"]) / max(total, 1))

    def _hear(self, data: bytes) -> None:
        self._words.extend(data.decode("utf-8", errors="replace").splitlines())

    def _end(self, code: int | None, crashed: bool) -> None:
        if self._process is None:
            return
        self._process = None
        importlib.invalidate_caches()
        if code == 0 and not crashed:
            self._ended("")
            return
        print("\n".join(self._words), file=sys.stderr)  # Slicer's Python console
        errors = [line.partition(":")[2].strip() for line in self._words if line.startswith("ERROR:")]
        why = errors[0] if errors else _("pip ended with status {code}").format(code=code)
        self._ended(_("The installation failed: {why} Details: Python console.").format(why=_sentence(why)))


def _sentence(text: str) -> str:
    return text if text.endswith(".") else f"{text}."

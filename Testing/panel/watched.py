"""What a test watches while the panel runs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from host.application import wait_until

LONG = 600.0
"""Seconds for a whole run on a machine that does other things too."""


def run_and_wait(panel: Any) -> list[tuple[str, int]]:
    """Presses Run and waits for the end; what was shown meanwhile: stage and progress."""
    panel.ui.runButton.click()
    return wait_for_end(panel)


def wait_for_end(panel: Any) -> list[tuple[str, int]]:
    shown: list[tuple[str, int]] = []

    def ended() -> bool:
        now = (panel.ui.stageLabel.text, panel.ui.progressBar.value)
        if not shown or shown[-1] != now:
            shown.append(now)
        return not panel.panel.running.busy

    wait_until(ended, LONG)
    return shown


def run_until(panel: Any, stage: str) -> int:
    """Presses Run and waits for a stage; the worker's process id."""
    panel.ui.runButton.click()
    wait_until(lambda: panel.ui.stageLabel.text.startswith(stage), LONG)
    return int(panel.panel.running.client.pid)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with open(f"/proc/{pid}/stat") as file:
        return file.read().rsplit(")", 1)[1].split()[0] != "Z"


def node_count(slicer: Any) -> int:
    return int(slicer.mrmlScene.GetNumberOfNodes())


def run_in_new_host(script: str) -> list[str]:
    """What a program printed, line by line, that begins where Slicer has just started: no other test has imported
    anything. It finds ``slicer``, ``start`` and ``open_module``, and ``sys``."""
    root = Path(__file__).resolve().parents[2]
    beginning = (
        "import sys, tempfile; from pathlib import Path\n"
        "from host.application import start, open_module\n"
        "slicer = start(Path(tempfile.mkdtemp()))\n"
    )
    environment = {"PYTHONPATH": f"{root / 'Testing'}:{root / 'MRI2MeshExtension'}", "PATH": ""}
    command = [sys.executable, "-c", beginning + script]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()

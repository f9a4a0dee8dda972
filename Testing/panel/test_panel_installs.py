"""Packages are installed by the real pip in a process, beside a living window: what is there stays, Cancel ends it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from host.application import wait_until
from panel.package_index import installed, make_index, make_python
from panel.watched import is_alive

pytest.importorskip("ensurepip", reason="needs a Python that can make environments with pip")
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a shell script stands in for PythonSlicer")


@pytest.fixture
def python(tmp_path, monkeypatch, repository) -> Path:
    """A Python with pip alone that finds packages in a folder only; it is PythonSlicer here."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(make_index(tmp_path / "index")))
    monkeypatch.setenv("PYTHONPATH", str(repository / "MRI2MeshExtension"))
    python = make_python(tmp_path / "python")
    launcher = tmp_path / "bin" / "PythonSlicer"
    launcher.parent.mkdir()
    launcher.write_text(f'#!/bin/sh\nexec "{python}" "$@"\n')
    launcher.chmod(0o755)
    monkeypatch.setenv("PATH", f"{launcher.parent}{os.pathsep}{os.environ['PATH']}")
    return python


def install(python: Path, torch: str | None, *others: str) -> subprocess.CompletedProcess:
    request = json.dumps({"torch": torch, "fitting": False, "others": others})
    command = [str(python), "-m", "mri2mesh_slicer.installation.pip_process", request]
    return subprocess.run(command, capture_output=True, text=True)


def test_a_dependency_brings_neither_another_torch_nor_a_vtk_or_numpy(python):
    assert install(python, "torch==2.5.0").returncode == 0
    assert installed(python) == {"torch": "2.5.0+here"}
    done = install(python, None, "viewer>=1.0")
    assert done.returncode == 0, done.stderr
    assert installed(python) == {"torch": "2.5.0+here", "viewer": "1.1", "helper": "1.0"}
    events = [json.loads(line) for line in done.stdout.splitlines()]
    fractions = [event["fraction"] for event in events]
    assert fractions == sorted(fractions) and fractions[-1] == 1.0
    assert any("viewer" in event["what"] for event in events)


def test_what_needs_another_torch_fails_and_changes_nothing(python):
    install(python, "torch==2.5.0")
    done = install(python, None, "modern")
    assert done.returncode != 0 and "ERROR" in done.stderr
    assert installed(python) == {"torch": "2.5.0+here"}


@pytest.fixture
def lacking(panel, load_volume, monkeypatch, python):
    """The panel where two packages are missing and the question is answered with OK; what was asked."""
    from mri2mesh_slicer.installation import installation
    from mri2mesh_slicer.panel import packages

    asked: list[str] = []

    def missing() -> list[installation.Package]:
        return (
            []
            if "viewer" in installed(python)
            else [installation.TORCH, installation.Package("viewer>=1", 50)]
        )

    def agree(question: str, title: str) -> bool:
        asked.append(question)
        return True

    monkeypatch.setattr(installation, "missing", missing)
    monkeypatch.setattr(installation, "obstacle", lambda packages: "")
    monkeypatch.setattr(packages, "ask", agree)
    panel.ui.inputSelector.setCurrentNode(load_volume())
    return asked


def test_after_the_installation_the_run_begins(panel, lacking, python):
    ui, shown = panel.ui, []
    ui.runButton.click()
    assert not ui.runButton.enabled and ui.cancelButton.enabled and not ui.batchButton.enabled

    def running() -> bool:
        shown.append(ui.stageLabel.text)
        return panel.panel.running.busy

    wait_until(running, 120)
    ui.cancelButton.click()
    assert len(lacking) == 1 and "viewer>=1" in lacking[0]
    assert {"torch", "viewer"} <= set(installed(python))
    assert any("viewer" in text for text in shown)


def test_cancel_ends_the_installation_and_nothing_is_run(panel, lacking, python):
    panel.ui.runButton.click()
    pid = panel.panel.packages._installing._process._pid
    assert is_alive(pid)
    panel.ui.cancelButton.click()
    assert panel.ui.messageLabel.text == "The installation was cancelled; nothing was run."
    assert not panel.panel.running.busy and panel.ui.runButton.enabled
    wait_until(lambda: not is_alive(pid), 10)


def test_a_failure_says_what_pip_said(panel, lacking, monkeypatch):
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    panel.ui.runButton.click()
    wait_until(lambda: not panel.panel.packages.busy, 120)
    message = panel.ui.messageLabel.text
    assert (
        message.startswith("The installation failed: Could not find a version")
        and "Python console" in message
    )
    assert panel.ui.runButton.enabled and not panel.panel.running.busy


def test_a_torch_that_is_too_old_is_not_replaced(panel, load_volume, monkeypatch):
    from mri2mesh_slicer.installation import installation

    monkeypatch.setattr(installation, "missing", lambda: [installation.TORCH])
    panel.ui.inputSelector.setCurrentNode(load_volume())
    panel.ui.runButton.click()
    assert "not replaced" in panel.ui.messageLabel.text and "PyTorch Utils" in panel.ui.messageLabel.text
    assert not panel.panel.packages.busy

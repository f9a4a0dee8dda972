"""Packages are installed by the real pip in a process, beside a living window: what is there stays, Cancel ends it."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from importlib.machinery import ModuleSpec
from importlib.metadata import distributions, version
from pathlib import Path
from types import SimpleNamespace

import pytest
from packaging.requirements import Requirement

from host.application import wait_until
from panel.package_index import installed, make_index, make_python
from panel.watched import is_alive

pytest.importorskip("pip", reason="needs a Python that has pip")
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


@pytest.fixture(params=["slicer.packaging", "a process of ours"])
def way(request, panel, monkeypatch):
    """Each of the two ways to run pip, by this Slicer's release."""
    if request.param == "slicer.packaging":
        module = importlib.import_module("host.slicer_packaging")
        module.__spec__ = ModuleSpec("slicer.packaging", None)
        monkeypatch.setitem(sys.modules, "slicer.packaging", module)
    return request.param


def test_what_is_installed_is_pinned_but_for_what_is_wanted(tmp_path):
    from mri2mesh_slicer.installation.constraints import write_constraints

    lines = write_constraints(tmp_path / "constraints.txt", ["Torch"]).read_text().splitlines()
    assert f"numpy=={version('numpy')}" in lines and f"simpleitk=={version('SimpleITK')}" in [
        line.lower() for line in lines
    ]
    assert not [line for line in lines if line.startswith("torch==")]
    for line in lines:
        Requirement(line)


def test_a_package_without_metadata_gets_a_version_that_nothing_has(tmp_path, monkeypatch):
    from mri2mesh_slicer.installation import constraints

    others = [one for one in distributions() if one.metadata["Name"] != "vtk"]
    monkeypatch.setattr(constraints.importlib.metadata, "distributions", lambda: others)
    text = constraints.write_constraints(tmp_path / "constraints.txt", []).read_text()
    assert "vtk==0+brought.by.slicer" in text


@pytest.fixture
def lacking(panel, load_volume, monkeypatch, python):
    """The panel where two packages are missing and the question is answered with OK; what was asked."""
    from mri2mesh_slicer.installation import requirements
    from mri2mesh_slicer.panel import packages

    asked: list[str] = []

    def missing(_also: object = ()) -> list[requirements.Package]:
        return (
            []
            if "viewer" in installed(python)
            else [requirements.TORCH, requirements.Package("viewer>=1", 50)]
        )

    def agree(question: str, title: str) -> bool:
        asked.append(question)
        return True

    monkeypatch.setattr(requirements, "missing", missing)
    monkeypatch.setattr(requirements, "obstacle", lambda packages: "")
    monkeypatch.setattr(packages, "ask", agree)
    panel.ui.inputSelector.setCurrentNode(load_volume())
    return asked


def test_after_the_installation_the_run_begins(panel, way, lacking, python):
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
    assert any(text.startswith("install ") for text in shown)


def test_cancel_ends_a_process_of_ours_and_nothing_is_run(panel, lacking, python):
    panel.ui.runButton.click()
    pid = panel.panel.packages._installing._run._process._pid
    assert is_alive(pid)
    panel.ui.cancelButton.click()
    assert panel.ui.messageLabel.text == "The installation was cancelled; nothing was run."
    assert not panel.panel.running.busy and panel.ui.runButton.enabled
    wait_until(lambda: not is_alive(pid), 10)


@pytest.mark.parametrize("way", ["slicer.packaging"], indirect=True)
def test_after_cancel_slicers_own_installation_ends_and_nothing_is_run(panel, way, lacking, python):
    panel.ui.runButton.click()
    panel.ui.cancelButton.click()
    assert "nothing is run after it" in panel.ui.messageLabel.text
    wait_until(lambda: "viewer" in installed(python), 120)
    assert not panel.panel.running.busy and panel.ui.runButton.enabled


def test_a_failure_says_what_pip_said(panel, way, lacking, monkeypatch):
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    panel.ui.runButton.click()
    wait_until(lambda: not panel.panel.packages.busy, 120)
    message = panel.ui.messageLabel.text
    assert (
        message.startswith("The installation failed: Could not find a version")
        and "Python console" in message
    )
    assert panel.ui.runButton.enabled and not panel.panel.running.busy


def test_a_package_that_brings_a_second_vtk_is_refused_and_changes_nothing(
    panel, lacking, python, monkeypatch
):
    from mri2mesh_slicer.installation import requirements

    monkeypatch.setattr(requirements, "missing", lambda *_also: [requirements.Package("second-vtk>=1", 1)])
    panel.ui.runButton.click()
    wait_until(lambda: not panel.panel.packages.busy, 120)
    assert panel.ui.messageLabel.text.startswith("The installation failed: ")
    assert installed(python) == {}


class Extension:
    """Stand-in for the module `PyTorchUtils` of the PyTorch extension: installs what it is asked for, by pip."""

    def __init__(self, python: Path) -> None:
        self.asked: list[str] = []

        def install(askConfirmation: bool, torchVersionRequirement: str) -> object | None:
            self.asked.append(torchVersionRequirement)
            command = [str(python), "-m", "pip", "install", "torch==2.5.0"]
            return self if subprocess.run(command, capture_output=True).returncode == 0 else None

        self.PyTorchUtilsLogic = lambda: SimpleNamespace(installTorch=install)
        self.__spec__ = ModuleSpec("PyTorchUtils", None)


def test_pytorch_is_left_to_the_pytorch_extension(panel, lacking, python, monkeypatch):
    from mri2mesh_slicer.installation import requirements

    def missing(_also: object = ()) -> list[requirements.Package]:
        there = installed(python)
        wanted = [requirements.TORCH, requirements.Package("helper>=1", 1)]
        return [package for package in wanted if package.name not in there]

    extension = Extension(python)
    monkeypatch.setitem(sys.modules, "PyTorchUtils", extension)
    monkeypatch.setattr(requirements, "missing", missing)
    panel.ui.runButton.click()
    wait_until(lambda: panel.panel.running.busy, 120)
    panel.ui.cancelButton.click()
    assert "does not answer" in lacking[0]
    assert extension.asked == [">=2.4"] and {"torch", "helper"} == set(installed(python))


def test_a_torch_that_is_too_old_is_not_replaced(panel, load_volume, monkeypatch):
    from mri2mesh_slicer.installation import requirements

    monkeypatch.setattr(requirements, "missing", lambda *_also: [requirements.TORCH])
    panel.ui.inputSelector.setCurrentNode(load_volume())
    panel.ui.runButton.click()
    assert "not replaced" in panel.ui.messageLabel.text and "PyTorch Utils" in panel.ui.messageLabel.text
    assert not panel.panel.packages.busy


def test_what_slicer_brings_is_not_replaced_when_it_is_too_old(panel, load_volume, monkeypatch):
    from mri2mesh_slicer.installation import requirements

    monkeypatch.setattr(requirements, "missing", lambda *_also: [requirements.PACKAGES[0]])
    monkeypatch.setattr(requirements, "BROUGHT", (requirements.Package("SimpleITK>=99", 0),))
    panel.ui.inputSelector.setCurrentNode(load_volume())
    panel.ui.runButton.click()
    message = panel.ui.messageLabel.text
    assert "SimpleITK" in message and "Install a newer Slicer" in message
    assert not panel.panel.packages.busy

"""A fresh MRML scene behind ``import slicer`` for every test, and folders of finished runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("slicer_core", reason="needs the extra 'scene': real MRML")

from host import mrml
from mri2mesh_slicer.runs.results import RunResult, read_run
from scene.made_runs import femur_from_two_views, spine_run


@pytest.fixture
def scene(tmp_path: Path) -> Any:
    return mrml.install(tmp_path / "cache").mrmlScene


@pytest.fixture(scope="session")
def spine_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return spine_run(tmp_path_factory.mktemp("spine"))


@pytest.fixture
def spine(spine_folder: Path) -> RunResult:
    return read_run(spine_folder)


@pytest.fixture(scope="session")
def femur_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return femur_from_two_views(tmp_path_factory.mktemp("femur"))


@pytest.fixture
def femur(femur_folder: Path) -> RunResult:
    return read_run(femur_folder)

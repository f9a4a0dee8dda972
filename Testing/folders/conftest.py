"""A folder of twelve images, and a program that does a case quickly."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from folders import quick_case
from measures import blocks
from mri2mesh.export.results import write_results
from mri2mesh.geometry.volume import Volume
from mri2mesh.imaging.volumes.writing import write_volume

PROGRAM = (sys.executable, str(Path(quick_case.__file__)))


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The result of one case: a vertebra and all its measures."""
    folder = tmp_path_factory.mktemp("finished") / "result"
    image = Volume(np.random.default_rng(0).random((6, 7, 8), dtype=np.float32), np.diag([9.0, 9, 9, 1]))
    write_results(blocks.reconstruction({"L3": blocks.vertebra()}), image, folder)
    return folder


@pytest.fixture
def images(tmp_path: Path) -> Path:
    folder = tmp_path / "images"
    folder.mkdir()
    volume = Volume(np.random.default_rng(0).random((6, 7, 8), dtype=np.float32), np.diag([9.0, 9, 9, 1]))
    for number in range(1, 13):
        write_volume(volume, folder / f"case_{number:02}.nii.gz")
    return folder


@pytest.fixture
def started(tmp_path: Path, finished: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file in which each start of a case is written down."""
    log = tmp_path / "started.txt"
    log.touch()
    monkeypatch.setenv(quick_case.LOG, str(log))
    monkeypatch.setenv(quick_case.RESULT, str(finished))
    return log


def starts(log: Path) -> Counter[str]:
    """How often each image was begun."""
    return Counter(line.split()[0] for line in log.read_text().splitlines())


def processes(log: Path) -> list[int]:
    return [int(line.split()[1]) for line in log.read_text().splitlines()]

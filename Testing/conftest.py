"""Fixtures for every test: data that may be absent, and a user's folder that is never the real one."""

from __future__ import annotations

import os
from pathlib import Path

if os.environ.get("PYTEST_XDIST_WORKER"):
    # Several of us share the processors: threads that wait actively for each other would take them from one another.
    for _variable in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(_variable, "1")

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get("MRI2MESH_DATA", REPOSITORY.parent / "shared" / "data"))


def _needed(folder: Path) -> Path:
    if not folder.is_dir():
        pytest.skip(
            f"needs the project's data folder {folder.name}/: put it at ../shared/data or set MRI2MESH_DATA"
        )
    return folder


@pytest.fixture(scope="session")
def training_data() -> Path:
    """The folder of data that may be learned from; the test skips where it is absent."""
    return _needed(DATA / "training")


@pytest.fixture(scope="session")
def evaluation_data() -> Path:
    """The folder of data that is only measured on; the test skips where it is absent."""
    return _needed(DATA / "evaluation")


@pytest.fixture(scope="session")
def repository() -> Path:
    return REPOSITORY


@pytest.fixture(autouse=True)
def no_weights_of_the_user(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Imported weights of whoever runs the tests neither change them nor are changed."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("user-data")))
    monkeypatch.delenv("MRI2MESH_WEIGHTS", raising=False)

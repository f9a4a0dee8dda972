"""The same cases on a real dask scheduler with two workers, of which one is killed in the middle."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from folders.conftest import PROGRAM, starts
from folders.test_run_folder import statuses, wait_until
from mri2mesh.commands.reconstruct_folder import FolderRequest, reconstruct_folder
from mri2mesh.errors import InputError

pytest.importorskip("distributed", reason='needs dask.distributed: pip install "mri2mesh[cluster]"')


@pytest.fixture
def cluster(started: Path, tmp_path: Path) -> Iterator[tuple[str, list[subprocess.Popen]]]:
    """Address of the scheduler, and the workers' processes; each does one case at a time."""
    file = tmp_path / "scheduler.json"
    root = Path(__file__).resolve().parents[2]
    paths = os.pathsep.join(str(root / name) for name in ("MRI2MeshExtension", "Testing"))
    environment = {**os.environ, "PYTHONPATH": paths}
    dask = [sys.executable, "-m", "dask"]
    quiet = {"env": environment, "cwd": tmp_path, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    address = ["--scheduler-file", str(file)]
    here = ["--host", "127.0.0.1"]
    scheduler = subprocess.Popen(
        [*dask, "scheduler", *here, "--port", "0", "--no-dashboard", *address], **quiet
    )
    worker = [*dask, "worker", *here, *address, "--nthreads", "1", "--no-nanny", "--no-dashboard"]
    workers = [subprocess.Popen(worker, **quiet) for _ in range(2)]
    try:
        wait_until(file.is_file)
        yield json.loads(file.read_text())["address"], workers
    finally:
        for process in (*workers, scheduler):
            process.kill()
            process.wait()


def test_the_cases_of_a_worker_that_is_killed_are_done_by_the_other(images, cluster, started, tmp_path):
    address, workers = cluster
    out = tmp_path / "out"
    ended = []

    def kill_one_in_the_middle() -> None:
        wait_until(lambda: len(starts(started)) >= 4)
        workers[0].kill()
        ended.append(statuses(out))

    killer = threading.Thread(target=kill_one_in_the_middle)
    killer.start()
    assert reconstruct_folder(FolderRequest(images, out, "mri2mesh", {}, 1, address, PROGRAM)) == 0
    killer.join()
    assert "waiting" in ended[0].values(), "it was killed before the end"
    assert list(statuses(out).values()) == ["done"] * 12
    assert workers[1].poll() is None
    assert set(starts(started)) == set(statuses(out))


def test_without_a_scheduler_it_says_so_in_one_line(images, tmp_path, monkeypatch):
    monkeypatch.setattr("mri2mesh.folders.cluster.executor.CONNECT_S", 1)
    with pytest.raises(InputError, match="no scheduler answers at"):
        reconstruct_folder(
            FolderRequest(images, tmp_path / "out", "mri2mesh", {}, 1, "tcp://127.0.0.1:9", PROGRAM)
        )
    assert not (tmp_path / "out").exists()

"""Damaged and hostile files, the same every time: each is read, or ends in one clear line.

`Testing/benchmarks/fuzz_readers.py` does the same with a hundred thousand.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from fuzz.corpus import Seed, seeds
from fuzz.run import _outcome

if sys.platform == "win32":
    pytest.skip("limits of time and memory are POSIX", allow_module_level=True)

INPUTS = 1500
SECONDS = 25


def test_every_damaged_file_is_read_or_ends_in_one_line(repository):
    """In a process of its own, so that a crash of compiled code is seen as what it is."""
    command = [
        sys.executable,
        "-m",
        "fuzz.run",
        "--inputs",
        str(INPUTS),
        "--seconds",
        str(SECONDS),
        "--seed",
        "2026",
    ]
    paths = [str(repository / "MRI2MeshExtension"), str(repository / "Testing")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=240)
    lines = done.stdout.splitlines()
    assert lines and lines[-1].startswith("{"), (
        f"ended at input {lines[-1:]}, status {done.returncode}: {done.stderr[-500:]}"
    )
    result = json.loads(lines[-1])
    assert result["faults"] == {}, done.stderr[-500:]
    assert result["inputs"] >= 50 and result["outcomes"]["read"] > 0 and result["outcomes"]["line"] > 0


def test_every_seed_itself_is_read(tmp_path):
    """Otherwise the fuzz would test nothing but the first check of a reader."""
    (tmp_path / "seeds").mkdir()
    for seed in seeds(tmp_path / "seeds"):
        if seed.name != "mask.png":  # which covers the whole picture
            assert _outcome(seed, seed.data, tmp_path / "input", debug=True) == "read", seed.name


def raises(error: BaseException):
    def read(path: Path) -> None:
        raise error

    return read


@pytest.mark.parametrize(
    "error", [RuntimeError("ITK"), ValueError("\0"), RecursionError(), MemoryError(), IndexError()]
)
def test_the_fuzz_sees_a_fault(tmp_path, error):
    outcome = _outcome(Seed("one", b"", raises(error)), b"", tmp_path / "input", debug=False)
    assert outcome.startswith(type(error).__name__)


def test_the_fuzz_sees_a_reader_that_never_ends(tmp_path, monkeypatch):
    from fuzz import run

    monkeypatch.setattr(run, "SLOW_S", 0.05)

    def forever(path: Path) -> None:
        while True:
            np.ones(10).sum()

    with run._watched():
        assert _outcome(Seed("one", b"", forever), b"", tmp_path / "input", debug=False).startswith("TooSlow")

"""A ring of examples: the oldest make room, a run goes on where it ended, nobody waits for a dead process."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from mri2mesh.learning.ring import FileRing, RingWorker, wanted


def test_the_oldest_make_room_for_the_newest(tmp_path: Path):
    ring = FileRing(tmp_path, 3, "x", ".txt")
    for number in range(5):
        ring.add(lambda path, text=str(number): path.write_text(text))
    assert ring.made() == 5
    assert sorted(path.read_text() for path in tmp_path.glob("x_*.txt")) == ["2", "3", "4"]
    assert FileRing(tmp_path, 3, "x", ".txt").made() == 5  # counted on, not begun again
    drawn = {ring.draw(Path.read_text, np.random.default_rng(seed)) for seed in range(30)}
    assert drawn == {"2", "3", "4"}


def test_an_example_that_cannot_be_written_is_not_counted(tmp_path: Path):
    def fails(path: Path) -> None:
        path.write_text("half")
        raise OSError("disk full")

    ring = FileRing(tmp_path, 3)
    with pytest.raises(OSError, match="disk full"):
        ring.add(fails)
    assert ring.made() == 0 and not list(tmp_path.glob("film_*"))


def test_nobody_waits_for_a_process_that_has_ended(tmp_path: Path):
    with pytest.raises(RuntimeError, match="has ended"):
        FileRing(tmp_path, 3).draw(Path.read_text, np.random.default_rng(0), alive=lambda: False)


def fill(ring: FileRing, parent: int, text: str) -> None:
    """Runs in the other process."""
    while wanted(parent):
        ring.add(lambda path: path.write_text(text))
        time.sleep(0.02)


def test_a_process_makes_them_all_along(tmp_path: Path):
    ring = FileRing(tmp_path, 4, ending=".txt")
    worker = RingWorker(ring, fill, "hello")
    try:
        assert ring.draw(Path.read_text, np.random.default_rng(0), alive=worker.alive) == "hello"
    finally:
        worker.close()
    assert not worker.alive()

"""Computing with one thread for a while, and with as many as there are cores without other work."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import ExitStack

import pytest
import torch

from mri2mesh.device import free_cores, one_thread, whole_cores


def test_within_it_torch_has_one_thread_and_afterwards_as_many_as_before():
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        with one_thread():
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 2
        with pytest.raises(ValueError, match="in the middle"), one_thread():
            raise ValueError("in the middle")
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize(
    ("given", "cores"), [(1.97, 2), (1.7, 1), (1.3, 1), (0.4, 1), (7.9, 8), (7.5, 7), (15.8, 16)]
)
def test_a_core_that_is_shared_does_not_count_and_one_is_always_used(given, cores):
    assert whole_cores(given) == cores


def test_beside_programs_that_hold_the_cores_fewer_threads_are_used_than_there_are_cores():
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        with ExitStack() as stack:
            for _ in range(3 * (os.cpu_count() or 1)):  # two threads are left some quarter of the time each
                busy = stack.enter_context(subprocess.Popen([sys.executable, "-c", "while True: pass"]))
                stack.callback(busy.kill)
            time.sleep(0.5)
            with free_cores():
                assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_no_more_threads_are_used_than_are_set():
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        with free_cores():
            assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)

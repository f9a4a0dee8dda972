"""How an end and the time left are worded."""

from __future__ import annotations

import pytest

from mri2mesh_slicer.jobs.process_end import describe_end, last_words
from mri2mesh_slicer.jobs.time_left import TimeLeft


@pytest.mark.parametrize(
    ("code", "crashed", "says"),
    [
        (9, True, "memory most likely ran out"),
        (11, True, "SIGSEGV"),
        (137, False, "memory most likely ran out"),
        (134, False, "SIGABRT"),
        (63, True, "signal 63"),
        (-1073741819, True, "access violation (0xC0000005)"),
        (0xC0000017, True, "memory most likely ran out"),
        (3, False, "exit code 3"),
        (0, False, "exit code 0"),
        (None, False, "could not be started"),
    ],
)
def test_every_end_has_its_words(code, crashed, says):
    assert says in describe_end(code, crashed, [])


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([], ""),
        (["Traceback:", '  File "x.py"', "ValueError: bad"], "ValueError: bad"),
        (
            ["Fatal Python error: Aborted", "", "Current thread 0x1:", '  File "x"'],
            "Fatal Python error: Aborted",
        ),
        (["slow", "terminate called"], "terminate called"),
        (["OSError: no '/home/Jane Doe/ct.nii'"], "OSError: no ..."),
        (["OSError: C:\\Users\\DOE\\ct.nii is gone"], "OSError: ... is gone"),
        (["RuntimeError: Jane Doe.nii is bad"], "RuntimeError: ... is bad"),
    ],
)
def test_the_last_words_are_those_of_the_error_and_name_no_file(lines, expected):
    assert last_words(lines, ["Jane Doe.nii", "Jane Doe"]) == expected


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def guesses(steps: list[tuple[float, float]]) -> list[float | None]:
    """steps: (seconds since the beginning, fraction) to the seconds left after each."""
    clock = Clock()
    left = TimeLeft(clock)
    found = []
    for seconds, fraction in steps:
        clock.now = 100.0 + seconds
        found.append(left.update(fraction))
    return found


def test_even_work_is_predicted_exactly():
    assert guesses([(0, 0), (10, 0.25), (20, 0.5), (40, 1.0)]) == pytest.approx(
        [None, 30, 20, 0], nan_ok=True
    )


def test_nothing_is_said_too_early_and_loading_the_program_does_not_count():
    assert guesses([(0, 0), (30, 0), (31, 0.01), (31.2, 0.05), (40, 0.5)]) == [None, None, None, None, 10.0]


def test_time_runs_down_while_the_fraction_stands_still():
    assert guesses([(0, 0), (10, 0.5), (13, 0.5), (19, 0.5), (30, 0.5)]) == [None, 10, 7, 1, 0]


def test_a_sudden_leap_moves_the_guess_only_in_part_and_never_below_nothing():
    *_, before, after = guesses([(0, 0), (10, 0.1), (11, 0.9)])
    assert before == 90
    assert 11 / 0.9 - 11 < after < 80
    assert guesses([(0, 0), (10, 0.9), (100, 0.95)])[-1] == pytest.approx(0, abs=20)

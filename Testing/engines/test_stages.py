"""The stages of a run: each is reported when it begins, fractions never go back, and every one is timed."""

from __future__ import annotations

import pytest

from mri2mesh.engines.stages import Stages


def test_fractions_follow_the_shares_of_the_stages():
    reported: list[tuple[str, float]] = []
    stages = Stages({"load": 1.0, "fit": 3.0}, lambda name, fraction: reported.append((name, fraction)))
    with stages.stage("load"):
        stages.share(0.5, "compile")
    with stages.stage("fit"):
        stages.share(0.5)
        stages.share(7.0)
    stages.done()
    assert reported == [
        ("load", 0),
        ("compile", 0.125),
        ("fit", 0.25),
        ("fit", 0.625),
        ("fit", 1),
        ("done", 1),
    ]
    assert list(stages.seconds) == ["load", "fit"] and min(stages.seconds.values()) >= 0


def test_a_stage_that_an_error_ends_is_timed_too():
    stages = Stages({"load": 1.0})
    with pytest.raises(ZeroDivisionError), stages.stage("load"):
        _ = 1 / 0
    assert list(stages.seconds) == ["load"]


def test_what_the_listener_raises_ends_the_run():
    def cancel(name: str, fraction: float) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError), Stages({"load": 1.0}, cancel).stage("load"):
        pytest.fail("the stage was begun")

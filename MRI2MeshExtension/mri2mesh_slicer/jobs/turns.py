"""Work on the window's thread in steps, each in a turn of the event loop of its own: the window draws in between."""

from __future__ import annotations

from collections.abc import Iterator

import qt


class Turns:
    """One piece of work at a time, a generator that yields where the window may draw."""

    def __init__(self) -> None:
        self._steps: Iterator[None] | None = None

    @property
    def busy(self) -> bool:
        return self._steps is not None

    def run(self, steps: Iterator[None]) -> None:
        """The first step is taken at once; what was left of other work is dropped. An error of a step is raised to
        whoever turns the event loop, and nothing follows."""
        self._steps = steps
        self._take(steps)

    def stop(self) -> None:
        """No further step is taken; a step may call it."""
        self._steps = None

    def _take(self, steps: Iterator[None]) -> None:
        if steps is not self._steps:
            return
        has_ended = next(steps, self) is self
        if steps is not self._steps:  # stopped, or other work begun, within that step
            return
        if has_ended:
            self._steps = None
        else:
            qt.QTimer.singleShot(0, lambda: self._take(steps))

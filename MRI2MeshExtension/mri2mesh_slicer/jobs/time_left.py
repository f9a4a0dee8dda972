"""How long a job will still take, from how far it is and how long that took."""

from __future__ import annotations

from collections.abc import Callable

LEAST_FRACTION = 0.1
LEAST_SECONDS = 1.5
"""Time before which a guess says nothing."""
SMOOTHING = 0.35
"""Weight of a new guess of the whole duration against the ones before it."""


class TimeLeft:
    """Called with the fraction done now and then; stages are of unequal speed, so guesses are smoothed, and
    between two fractions time runs down.

    clock: seconds, as `time.monotonic`. The time before the first fraction above zero does not count: loading the
    program takes long once, and then not at all.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._began: float | None = None
        self._whole: float | None = None
        self._reached = 0.0

    def update(self, fraction: float) -> float | None:
        """Seconds left, never negative; None while nothing can be said."""
        now = self._clock()
        if fraction <= 0 or self._began is None:
            self._began = now
            return None
        spent = now - self._began
        if fraction > self._reached and fraction >= LEAST_FRACTION and spent >= LEAST_SECONDS:
            guess = spent / min(fraction, 1.0)
            self._whole = guess if self._whole is None else self._whole + SMOOTHING * (guess - self._whole)
        self._reached = max(self._reached, fraction)
        return None if self._whole is None else max(0.0, self._whole - spent)

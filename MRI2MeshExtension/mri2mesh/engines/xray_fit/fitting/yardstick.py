"""What residuals are measured by while a step is tried: held fixed, so that the costs before and after compare."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from torch import Tensor


@dataclass(frozen=True)
class Yardstick:
    """spread: [B] robust standard deviation of a term's residual. window: [B, m] which residuals count, 0 to 1, or None
    for all."""

    spread: Tensor
    window: Tensor | None = None

    def of(self, candidate: int) -> Yardstick:
        """That of one candidate."""
        one = slice(candidate, candidate + 1)
        return Yardstick(self.spread[one], None if self.window is None else self.window[one])

    def common(self) -> Yardstick:
        """The least spread for all: with its own, a bad candidate's residuals look as usual as a good one's."""
        return replace(self, spread=self.spread.amin().expand_as(self.spread))


def of_one(yardsticks: Sequence[Yardstick], candidate: int) -> list[Yardstick]:
    """Every term's for one candidate."""
    return [each.of(candidate) for each in yardsticks]

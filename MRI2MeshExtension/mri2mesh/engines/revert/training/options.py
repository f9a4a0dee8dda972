"""What is trained of the engine `revert`, and how."""

from __future__ import annotations

from dataclasses import dataclass

from mri2mesh.learning.run_options import RunOptions

WHATS = ("points", "levels", "maps")
"""The published network of points; dense maps of whole films; those of one vertebra."""


@dataclass(frozen=True, kw_only=True)
class RevertTrainOptions(RunOptions):
    """what: of `WHATS`. films_elsewhere: another run makes the films. batch: crops or films a step. pixels: of their
    side, a multiple of 32. width: of the encoder of points, 64 as published. validation_people: spines of the left-out
    subject."""

    what: str = "points"
    learning_rate: float = 5e-4
    pixels: int | None = None
    films_elsewhere: bool = False
    width: int = 24
    validation_people: int = 4

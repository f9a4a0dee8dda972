"""What is trained of the engine `revert`, and how."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

WHATS = ("points", "levels", "maps")
"""The published network of points; dense maps of whole films; those of one vertebra."""


@dataclass(frozen=True)
class RevertTrainOptions:
    """what: of `WHATS`. out: checkpoints, curve, weights. films: how many are kept at a time. cases: where.
    films_elsewhere: another run makes them. batch: crops or films a step. pixels: of their side, a multiple of 32.
    width: of the encoder of points, 64 as published. validation_people: spines of the left-out subject."""

    out: Path
    what: str = "points"
    minutes: float = 60.0
    resume: bool = False
    device: str = "auto"
    seed: int = 0
    batch: int = 8
    steps: int | None = None
    schedule_steps: int = 20_000
    learning_rate: float = 5e-4
    films: int = 2000
    pixels: int | None = None
    films_elsewhere: bool = False
    width: int = 24
    validation_people: int = 4
    examine_every_s: float = 600.0
    cases: Path | None = None

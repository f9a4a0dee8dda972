"""What trainings on films have in common that are made as they go: for how long, from where, how fast."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from mri2mesh.device import choose_device
from mri2mesh.learning.loop import LoopOptions, multiplies_bfloat16
from mri2mesh.learning.muon import KERNEL_RATE


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """out: checkpoints, curve, weights. minutes, steps, schedule_steps, examine_every_s: as of `LoopOptions`. batch:
    examples a step. films: how many are kept at a time. cases: where they are kept, by default in ``out``."""

    out: Path
    minutes: float = 60.0
    resume: bool = False
    device: str = "auto"
    seed: int = 0
    batch: int = 8
    steps: int | None = None
    schedule_steps: int = 20_000
    learning_rate: float = 2e-3
    films: int = 2000
    cases: Path | None = None
    examine_every_s: float = 600.0

    @property
    def films_folder(self) -> Path:
        return self.cases or self.out / "films"

    def loop(self, examine: Callable[[dict[str, Tensor], int], None]) -> LoopOptions:
        """Muon for kernels, AdamW for the rest. examine: measures the averaged weights on left-out subjects."""
        device = str(choose_device(self.device))
        return LoopOptions(
            minutes=self.minutes,
            out=self.out,
            device=device,
            learning_rate=self.learning_rate,
            kernel_rate=KERNEL_RATE * self.learning_rate,
            schedule_steps=self.schedule_steps,
            max_steps=self.steps,
            resume=self.resume,
            cpu_bfloat16=device == "cpu" and multiplies_bfloat16(),
            examine=examine,
            examine_every_s=self.examine_every_s,
        )

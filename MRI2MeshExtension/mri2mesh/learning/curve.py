"""How a network does on what it never learns from, written down as training goes on."""

from __future__ import annotations

import copy
import csv
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

Validate = Callable[[nn.Module], dict[str, float]]
"""Takes the network with its averaged weights, in evaluation mode, and returns figures."""

Examine = Callable[[dict[str, Tensor], int], None]
"""`LoopOptions.examine`: the averaged weights and the step."""


class ValidationCurve:
    """Called with averaged weights and a step, adds a line of ``validate``'s figures to a CSV file.

    network: as training begins; a copy is measured, and where the run is new its first line is this network's.
    goes_on: the run is a resumed one, and so is the file.
    """

    def __init__(self, network: nn.Module, validate: Validate, path: Path, *, goes_on: bool = False) -> None:
        self.network = copy.deepcopy(network).eval()
        self.validate, self.path = validate, path
        if not goes_on:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True)
            self(network.state_dict(), 0)

    def __call__(self, state: dict[str, Tensor], step: int) -> None:
        self.network.load_state_dict(state)
        with torch.no_grad():
            figures = self.validate(self.network)
        begun = self.path.exists()
        with self.path.open("a", newline="") as file:
            writer = csv.DictWriter(file, ["step", *figures])
            if not begun:
                writer.writeheader()
            writer.writerow({"step": step, **{name: f"{value:.4g}" for name, value in figures.items()}})

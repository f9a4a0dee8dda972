"""The network on films of subjects that took no part, measured as training goes, a line of a CSV each time."""

from __future__ import annotations

import csv
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from mri2mesh.engines.dense_maps.network import CANONICAL_MM, Maps
from mri2mesh.engines.dense_maps.training.batches import Batch


class Validation:
    """Called with averaged weights; appends a line to a table. batches: the same films, in the same development, every
    time. bones: their names. fewest: pixels of a bone that are enough for its Dice. of_numbers: figures of found and
    true numbers, see `network.Maps`."""

    def __init__(
        self,
        network: nn.Module,
        batches: Sequence[Batch],
        bones: Sequence[str],
        path: Path,
        fewest: int = 100,
        of_numbers: Callable[[Tensor, Tensor], dict[str, float]] | None = None,
    ) -> None:
        self.network, self.batches, self.bones, self.path = network, batches, bones, path
        self.fewest, self.of_numbers = fewest, of_numbers

    def __call__(self, state: dict[str, Tensor], step: int) -> None:
        own = {name: value.clone() for name, value in self.network.state_dict().items()}
        self.network.load_state_dict(state)
        self.network.eval()
        with torch.inference_mode():
            rows = [self._figures(self.network(batch.film, batch.camera), batch) for batch in self.batches]
        self.network.load_state_dict(own)
        self.network.train()
        line = {"step": step, "time": time.strftime("%H:%M:%S")}
        line |= {name: f"{np.nanmean([row[name] for row in rows]):.4f}" for name in rows[0]}
        new = not self.path.exists()
        with self.path.open("a", newline="") as file:
            writer = csv.DictWriter(file, list(line))
            if new:
                writer.writeheader()
            writer.writerow(line)

    def _figures(self, maps: Maps, batch: Batch) -> dict[str, float]:
        found = figures(maps, batch, self.bones, self.fewest)
        if self.of_numbers is None or maps.numbers is None or batch.numbers is None:
            return found
        return found | self.of_numbers(maps.numbers, batch.numbers)


def figures(maps: Maps, batch: Batch, bones: Sequence[str], fewest: int = 100) -> dict[str, float]:
    """Means over the films of a batch: Dice of each of the bones where it has so many pixels, error of depth in mm as
    it is and after the median error of each film is taken off, error of the place on the bone in mm."""
    found = torch.sigmoid(maps.mask) > 0.5
    both, either = (found & batch.mask).sum((2, 3)), found.sum((2, 3)) + batch.mask.sum((2, 3))
    shown = batch.mask.sum((2, 3)) >= fewest
    result = {}
    for k, name in enumerate(bones):
        dice = 2 * both[:, k] / either[:, k].clamp_min(1)
        result[f"dice_{name}"] = float(dice[shown[:, k]].mean()) if shown[:, k].any() else np.nan
    reference = batch.reference_mm[:, None, None, None, None]
    error = (maps.log_depth.exp() - batch.log_depth.exp()) * reference
    raw, aligned, places = [], [], []
    for k in range(len(error)):
        on = batch.mask[k, :, None].expand_as(error[k])
        values = error[k][on]
        raw.append(float(values.abs().mean()))
        aligned.append(float((values - values.median()).abs().mean()))
        apart = (maps.canonical[k] - batch.canonical[k]).norm(dim=2) * CANONICAL_MM
        places.append(float(apart[on].mean()))
    return result | {
        "depth_mm": float(np.mean(raw)),
        "depth_shifted_mm": float(np.mean(aligned)),
        "canonical_mm": float(np.mean(places)),
    }

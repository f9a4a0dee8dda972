"""Points on films of subjects that took no part, measured in millimetres as training goes, beside the mean shape."""

from __future__ import annotations

import csv
import time
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from torch import Tensor, nn

from mri2mesh.anatomy.shapes import VertebraShapes
from mri2mesh.engines.revert.crop import decode
from mri2mesh.engines.revert.training.examples import Example, stacked
from mri2mesh.geometry.sampling import sample_surface
from mri2mesh.geometry.transforms import apply, rigid_fit

_ROUNDS = 30
_PER_BATCH = 8


class PointValidation:
    """Called with averaged weights; appends a line to ``curve.csv`` in a folder: means over the examples, mm.

    chamfer_mm: between found and true points as placed; centred_mm: after their means are put together; across_mm and
    along_mm: of those means, across and along the beam; aligned_mm: after rigid alignment; mean_shape_mm: of the mean
    vertebra of the level after rigid alignment, the baseline of that figure. Chamfer distances are the mean of both
    directions' mean distances.
    """

    def __init__(self, network: nn.Module, examples: list[Example], folder: Path) -> None:
        self.network, self.examples, self.path = network, examples, folder / "curve.csv"
        self.mean_shape = _mean_shapes(examples)

    def __call__(self, state: dict[str, Tensor], step: int) -> None:
        own = {name: value.clone() for name, value in self.network.state_dict().items()}
        self.network.load_state_dict(state)
        self.network.eval()
        rows = [figures(example, points) for example, points in self._predicted()]
        self.network.load_state_dict(own)
        self.network.train()
        line = {"step": str(step), "time": time.strftime("%H:%M:%S")}
        line |= {name: f"{np.nanmean([row[name] for row in rows]):.3f}" for name in rows[0]}
        line["mean_shape_mm"] = f"{self.mean_shape:.3f}"
        new = not self.path.exists()
        with self.path.open("a", newline="") as file:
            writer = csv.DictWriter(file, list(line))
            if new:
                writer.writeheader()
            writer.writerow(line)

    @torch.inference_mode()
    def _predicted(self) -> list[tuple[Example, NDArray]]:
        device = next(self.network.parameters()).device
        result = []
        for start in range(0, len(self.examples), _PER_BATCH):
            part = self.examples[start : start + _PER_BATCH]
            batch = stacked(part)
            found = self.network(batch.image.to(device), batch.camera.to(device))
            for k, example in enumerate(part):
                shape, centre = found.shape[k].float().cpu().numpy(), found.centre[k].float().cpu().numpy()
                result.append((example, decode(example.crop, shape, centre, float(found.depth[k]))))
        return result


def chamfer_mm(found: NDArray, true: NDArray) -> float:
    """Mean distance to the nearest of the others, mean of both directions, mm."""
    return float((cKDTree(true).query(found)[0].mean() + cKDTree(found).query(true)[0].mean()) / 2)


def figures(example: Example, found: NDArray) -> dict[str, float]:
    """Of one example: see `PointValidation`."""
    true = example.points.astype(np.float64)
    apart = found.mean(axis=0) - true.mean(axis=0)
    along = float(apart @ example.crop.camera.axes_ras[2])
    known = example.crop.known
    return {
        "chamfer_mm": chamfer_mm(found, true) if known else np.nan,
        "centred_mm": chamfer_mm(found - apart, true),
        "aligned_mm": chamfer_mm(aligned(found - apart, true), true),
        "across_mm": float(np.sqrt(max(apart @ apart - along**2, 0))) if known else np.nan,
        "along_mm": abs(along) if known else np.nan,
    }


def aligned(points: NDArray, onto: NDArray) -> NDArray[np.float64]:
    """Points moved rigidly by iterative closest points, from where they are."""
    tree, moved = cKDTree(onto), np.asarray(points, dtype=np.float64)
    for _ in range(_ROUNDS):
        moved = apply(rigid_fit(moved, onto[tree.query(moved)[1]]), moved)
    return moved


def _mean_shapes(examples: list[Example]) -> float:
    """Mean over the examples of known level; not a number where there are none."""
    scores, rng = [], np.random.default_rng(0)
    for example in examples:
        if example.level is None:
            continue
        true = example.points.astype(np.float64)
        points = sample_surface(VertebraShapes.load().mean(example.level), 2048, rng)[0]
        starts = [points - points.mean(axis=0) + true.mean(axis=0)]
        scores.append(min(chamfer_mm(aligned(start, true), true) for start in starts))
    return float(np.mean(scores)) if scores else float("nan")

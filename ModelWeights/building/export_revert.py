"""Weights of the engine `revert` from the checkpoints of its two networks.

    python ModelWeights/building/export_revert.py MAPS LEVELS OUT [CROP_PIXELS]

MAPS, LEVELS: folders in which ``mri2mesh train revert --what maps`` and ``--what levels`` keep their checkpoint; they
may
still be training. OUT: folder of weights, as ModelWeights: ``revert.safetensors`` and its line in the manifest.
CROP_PIXELS: of the crops that the maps were trained with last.
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from torch import Tensor

from mri2mesh.anatomy.lumbar_region import VERTEBRAE
from mri2mesh.anatomy.shapes import VertebraShapes
from mri2mesh.engines.revert.networks.stored import (
    CROP_PIXELS,
    FILM_PIXELS,
    crop_network,
    film_network,
    save_networks,
)
from mri2mesh.engines.revert.training.films import LEFT_OUT


def averaged(folder: Path) -> tuple[dict[str, Tensor], int]:
    """Averaged weights of a checkpoint, and its step."""
    saved = torch.load(folder / "checkpoint.pt", map_location="cpu", weights_only=True)
    return saved["average"], int(saved["step"])


def main(maps: Path, levels: Path, out: Path, crop_pixels: int = CROP_PIXELS) -> None:
    (crop, crop_steps), (film, film_steps) = averaged(maps), averaged(levels)
    shapes = VertebraShapes.load()
    save_networks(
        out,
        film,
        crop,
        {level: shapes.mean(level).vertices for level in VERTEBRAE},
        {
            "film_widths": list(film_network().widths),
            "crop_widths": list(crop_network().widths),
            "film_pixels": FILM_PIXELS,
            "crop_pixels": crop_pixels,
            "film_steps": film_steps,
            "crop_steps": crop_steps,
            "left_out": list(LEFT_OUT),
        },
    )
    print(f"levels at step {film_steps}, maps at step {crop_steps}")


if __name__ == "__main__":
    given = [Path(one) for one in sys.argv[1:4]]
    main(given[0], given[1], given[2], *[int(one) for one in sys.argv[4:5]])

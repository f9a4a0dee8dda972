"""From films and their truth to what a training step takes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mri2mesh.engines.dense_maps.inputs import STANDARD_REFERENCE_SD_MM, Reference, depth_of
from mri2mesh.engines.dense_maps.network import CANONICAL_MM
from mri2mesh.geometry.xray_camera import XrayCamera
from mri2mesh.synthesis.films.case import FilmCase, FilmTruth
from mri2mesh.synthesis.films.framing import drawn_frame, framed, whole_frame

_LOOSE_SD_MM = 35.0
_STANDARD_SHARE = 0.9
_SQUARE_SHARE = 0.65


@dataclass(frozen=True)
class Example:
    """film: [H, W], as developed. channels: [C, h, w], what the network is given besides. truth: on that half grid.
    reference_mm: the depth that log depths are relative to. numbers: [N] what is to be said of the film as a whole; not
    a number where there is nothing to say."""

    film: NDArray[np.float32]
    channels: NDArray[np.float32]
    truth: FilmTruth
    reference_mm: float
    numbers: NDArray[np.float32] | None = None


@dataclass(frozen=True)
class Batch:
    """film: [B, 1, H, W]. camera: [B, C, h, w]. mask: [B, L, h, w]. log_depth: [B, L, 2, h, w], over the reference
    depth. canonical: [B, L, 2, 3, h, w] in units of `CANONICAL_MM`. reference_mm: [B]. numbers: [B, N], see
    `Example`."""

    film: Tensor
    camera: Tensor
    mask: Tensor
    log_depth: Tensor
    canonical: Tensor
    reference_mm: Tensor
    numbers: Tensor | None = None


def stacked(examples: Sequence[Example]) -> Batch:
    """Examples of one size."""
    mask = torch.from_numpy(np.stack([example.truth.mask for example in examples]))
    depth = torch.from_numpy(np.stack([example.truth.depth for example in examples]))
    reference_mm = torch.tensor([example.reference_mm for example in examples], dtype=torch.float32)
    numbers = [example.numbers for example in examples if example.numbers is not None]
    log_depth = torch.log(depth.clamp_min(1.0) / reference_mm[:, None, None, None, None])
    return Batch(
        torch.from_numpy(np.stack([example.film for example in examples]))[:, None],
        torch.from_numpy(np.stack([example.channels for example in examples])),
        mask,
        log_depth.masked_fill(~mask[:, :, None], 0.0),
        torch.from_numpy(np.stack([example.truth.canonical for example in examples])) / CANONICAL_MM,
        reference_mm,
        torch.from_numpy(np.stack(numbers)) if numbers else None,
    )


def drawn_reference(case: FilmCase, rng: np.random.Generator, sd_mm: float | None = None) -> Reference:
    """The true depth of the middle of the region, as well known as in standard geometry or hardly at all."""
    return noisy_reference(case.camera, case.anchors_ras_mm.mean(axis=0), rng, sd_mm)


def noisy_reference(
    camera: XrayCamera, point_ras_mm: NDArray, rng: np.random.Generator, sd_mm: float | None = None
) -> Reference:
    """The depth of a place as it might be known; sd_mm: how well (default: drawn)."""
    if sd_mm is None:
        sd_mm = STANDARD_REFERENCE_SD_MM if rng.random() < _STANDARD_SHARE else rng.uniform(8.0, _LOOSE_SD_MM)
    return Reference(depth_of(camera, point_ras_mm) + float(np.clip(rng.normal(), -2.5, 2.5)) * sd_mm, sd_mm)


def drawn_parts(
    draw: Callable[[np.random.Generator], FilmCase], size: int, rng: np.random.Generator, pixels: int
) -> Iterator[list[FilmCase]]:
    """Without end: parts of films, pixels wide, all of one batch square or all broader than high."""
    while True:
        rows = pixels if rng.random() < _SQUARE_SHARE else int(0.8 * pixels) // 32 * 32
        cases = [draw(rng) for _ in range(size)]
        yield [framed(case, drawn_frame(case, (rows, pixels), rng)) for case in cases]


def whole_films(cases: list[FilmCase], pixels: int) -> list[FilmCase]:
    """All of each film on pixels x pixels."""
    return [framed(case, whole_frame(case, pixels)) for case in cases]

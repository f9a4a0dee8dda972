"""From stored films to what a training step takes: each time another appearance and another idea of the distance."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from mri2mesh.engines.ddx.inputs import STANDARD_REFERENCE_SD_MM, Reference, camera_channels, depth_of
from mri2mesh.engines.ddx.networks.unet import CANONICAL_MM
from mri2mesh.synthesis.films.case import TRUTH_GRID, FilmCase
from mri2mesh.synthesis.films.develop import Appearance, develop
from mri2mesh.synthesis.films.framing import drawn_frame, framed, whole_frame

_LOOSE_SD_MM = 35.0
_STANDARD_SHARE = 0.9
_SQUARE_SHARE = 0.65


@dataclass(frozen=True)
class Batch:
    """film: [B, 1, H, W]. camera: [B, 6, h, w]. mask: [B, L, h, w]. log_depth: [B, L, 2, h, w], over the reference
    depth. canonical: [B, L, 2, 3, h, w] in units of `CANONICAL_MM`. reference_mm: [B]."""

    film: Tensor
    camera: Tensor
    mask: Tensor
    log_depth: Tensor
    canonical: Tensor
    reference_mm: Tensor


def drawn_reference(case: FilmCase, rng: np.random.Generator, sd_mm: float | None = None) -> Reference:
    """The true depth of the hips, as well known as in standard geometry or hardly at all."""
    if sd_mm is None:
        sd_mm = STANDARD_REFERENCE_SD_MM if rng.random() < _STANDARD_SHARE else rng.uniform(8.0, _LOOSE_SD_MM)
    true = depth_of(case.camera, case.anchors_ras_mm.mean(axis=0))
    return Reference(true + float(np.clip(rng.normal(), -2.5, 2.5)) * sd_mm, sd_mm)


def make_batch(
    cases: list[FilmCase],
    rng: np.random.Generator,
    *,
    appearance: Appearance | None = None,
    reference_sd_mm: float | None = None,
) -> Batch:
    """Films of the cases developed anew."""
    films, cameras, references = [], [], []
    for case in cases:
        reference = drawn_reference(case, rng, reference_sd_mm)
        films.append(develop(case, rng, appearance))
        cameras.append(camera_channels(case.camera.coarser(TRUTH_GRID), reference))
        references.append(reference.depth_mm)
    mask = torch.from_numpy(np.stack([case.truth.mask for case in cases]))
    depth = torch.from_numpy(np.stack([case.truth.depth for case in cases]))
    reference_mm = torch.tensor(references, dtype=torch.float32)
    log_depth = torch.log(depth.clamp_min(1.0) / reference_mm[:, None, None, None, None])
    return Batch(
        torch.from_numpy(np.stack(films))[:, None],
        torch.from_numpy(np.stack(cameras)),
        mask,
        log_depth.masked_fill(~mask[:, :, None], 0.0),
        torch.from_numpy(np.stack([case.truth.canonical for case in cases])) / CANONICAL_MM,
        reference_mm,
    )


def batches(
    draw: Callable[[np.random.Generator], FilmCase], size: int, seed: int, pixels: int
) -> Iterator[Batch]:
    """Without end: parts of films, pixels wide, all of one batch square or all broader than high."""
    rng = np.random.default_rng(seed)
    while True:
        rows = pixels if rng.random() < _SQUARE_SHARE else int(0.8 * pixels) // 32 * 32
        cases = [draw(rng) for _ in range(size)]
        yield make_batch([framed(case, drawn_frame(case, (rows, pixels), rng)) for case in cases], rng)


def whole_films(cases: list[FilmCase], pixels: int) -> list[FilmCase]:
    """All of each film on pixels x pixels."""
    return [framed(case, whole_frame(case, pixels)) for case in cases]

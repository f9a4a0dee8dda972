"""A stored film framed anew: a part of it, on fewer pixels. One film serves many times, each time as another film."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import grid_sample

from mri2mesh.geometry.xray_camera import XrayCamera
from mri2mesh.synthesis.films.case import TRUTH_GRID, FilmCase, FilmTruth

_LEAST_SHARE = 0.6
_WHOLE_SHARE = 0.6


@dataclass(frozen=True)
class Frame:
    """row, column: of the upper left corner, in pixels of the stored film. step: its pixels to one of the new film.
    size: rows and columns of the new film, multiples of `TRUTH_GRID`."""

    row: float
    column: float
    step: float
    size: tuple[int, int]


def whole_frame(case: FilmCase, size: int) -> Frame:
    """All of a square film on size x size pixels."""
    return Frame(0.0, 0.0, case.camera.size[1] / size, (size, size))


def drawn_frame(case: FilmCase, size: tuple[int, int], rng: np.random.Generator) -> Frame:
    """Most often all of a film, else a part down to some six tenths of its side; a round field stays as it is, in its
    middle."""
    rows, columns = case.camera.size
    share = 1.0 if case.round_field or rng.random() < _WHOLE_SHARE else rng.uniform(_LEAST_SHARE, 1.0)
    step = share * min(rows / size[0], columns / size[1])
    free = np.array([rows - step * size[0], columns - step * size[1]])
    row, column = free * (0.5 if case.round_field else rng.random(2))
    return Frame(float(row), float(column), float(step), size)


def framed(case: FilmCase, frame: Frame) -> FilmCase:
    """The film, its truth and its camera in a frame.

    Depths and places are means over the part of each new pixel that is on the bone; a pixel is the bone's when half of
    it is.
    """
    images = torch.from_numpy(np.stack([case.cortex, case.marrow, case.tissue]).astype(np.float32))
    cortex, marrow, tissue = _sampled(images, frame, 1).numpy()
    truth = case.truth
    bones, _, rows, columns = truth.depth.shape
    values = np.concatenate(
        [truth.mask[:, None], truth.depth, truth.canonical.reshape(bones, 6, rows, columns)], axis=1
    ).astype(np.float32)
    found = _sampled(torch.from_numpy(values).flatten(0, 1), frame, TRUTH_GRID).unflatten(0, (bones, 9))
    mask = found[:, 0] > 0.5
    inner = torch.where(mask[:, None], found[:, 1:] / found[:, :1].clamp_min(0.5), 0.0).numpy()
    small = inner.shape[-2:]
    return replace(
        case,
        cortex=_half(cortex),
        marrow=_half(marrow),
        tissue=_half(tissue),
        truth=FilmTruth(mask.numpy(), inner[:, :2], inner[:, 2:].reshape(bones, 2, 3, *small)),
        camera=framed_camera(case.camera, frame),
    )


def framed_camera(camera: XrayCamera, frame: Frame) -> XrayCamera:
    """The same view on the frame's pixels."""
    (row_mm, column_mm), (column, row) = camera.pixel_spacing_mm, camera.principal_point_px
    return replace(
        camera,
        pixel_spacing_mm=(row_mm * frame.step, column_mm * frame.step),
        principal_point_px=(
            (column + 0.5 - frame.column) / frame.step - 0.5,
            (row + 0.5 - frame.row) / frame.step - 0.5,
        ),
        size=frame.size,
    )


def _sampled(images: Tensor, frame: Frame, grid: int) -> Tensor:
    """[C, h, w] bilinear values of images [C, H, W] whose pixels are grid x grid of the film's, and so are the new."""
    axes = []
    for start, count, stored in zip((frame.row, frame.column), frame.size, images.shape[1:], strict=True):
        edge = (start + (torch.arange(count // grid) + 0.5) * grid * frame.step) / grid
        axes.append(2 * edge / stored - 1)
    row, column = torch.meshgrid(*axes, indexing="ij")
    where = torch.stack([column, row], -1).to(images.dtype)[None]
    return grid_sample(images[None], where, padding_mode="border", align_corners=False)[0]


def _half(image: NDArray) -> NDArray[np.float16]:
    return image.astype(np.float16)

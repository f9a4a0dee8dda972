"""From films and from paired data to what a training step takes: the crop of one vertebra and its points."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mri2mesh.anatomy.lumbar_region import VERTEBRAE
from mri2mesh.engines.revert.contrast import local_contrast
from mri2mesh.engines.revert.crop import (
    FIELD_MM,
    Crop,
    camera_numbers,
    contrasted,
    crop_camera,
    encode,
    flipped,
    resampled,
)
from mri2mesh.engines.revert.training.polarity import shows_bone_bright
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.sampling import sample_surface
from mri2mesh.geometry.xray_camera import XrayCamera
from mri2mesh.imaging.radiographs.xray_geometry import XrayGeometry
from mri2mesh.synthesis.films.case import FilmCase
from mri2mesh.synthesis.films.develop import Appearance, develop
from mri2mesh.synthesis.films.lumbar.hardware import lumbar_hardware
from mri2mesh.synthesis.films.lumbar.parts import trunk_parts
from mri2mesh.synthesis.films.lumbar.region import ANCHORS

TARGET_POINTS = 1024
_CLICK_SD_MM = 5.0
"""How far from the middle of a vertebra people click."""
_STANDARD_SD_MM, _LOOSE_SD_MM, _STANDARD_SHARE = 5.0, 40.0, 0.5
_LEAST_SEEN = 0.6
"""Share of a vertebra's vertices that must lie in the film."""
_UNKNOWN = XrayCamera(
    np.array([0.0, 1.0, 0.0]),
    np.array([[1.0, 0, 0], [0, 0, -1], [0, -1, 0]]),
    1.0,
    (1.0, 1.0),
    (0.0, 0.0),
    (1, 1),
)


class HasSubject(Protocol):
    @property
    def subject(self) -> str: ...


class PairedCase(Protocol):
    """A vertebra of paired data: `datasets.revert.RevertCase`."""

    @property
    def id(self) -> HasSubject: ...

    @property
    def views(self) -> Sequence[object]: ...

    def image(self, number: int) -> NDArray[np.float32]: ...

    def geometry(self, number: int) -> XrayGeometry | None: ...

    def points(self, rng: np.random.Generator, count: int = ...) -> NDArray[np.float32]: ...


@dataclass(frozen=True)
class Example:
    """crop: what the network sees. points: [N, 3] RAS mm on the true surface. level: of `VERTEBRAE`, where known."""

    crop: Crop
    points: NDArray[np.float32]
    level: str | None = None


@dataclass(frozen=True)
class PointBatch:
    """image: [B, 1, h, w]. camera: [B, 9]. shape: [B, N, 3], centre: [B, 2], depth: [B], as of `crop.encode`. known:
    [B] whether the geometry is."""

    image: Tensor
    camera: Tensor
    shape: Tensor
    centre: Tensor
    depth: Tensor
    known: Tensor

    def to(self, device: torch.device) -> PointBatch:
        """The same on another device."""
        return PointBatch(**{name: value.to(device) for name, value in vars(self).items()})


def levels_in(case: FilmCase) -> list[int]:
    """Rows in `VERTEBRAE` of those that a film shows well enough."""
    assert case.vertices is not None
    parts, (rows, columns) = trunk_parts(), case.camera.size
    found = []
    for row, level in enumerate(VERTEBRAE):
        places = case.camera.project(case.vertices[parts.rows[level]][::7])
        inside = ((places > 2) & (places < [columns - 3, rows - 3])).all(axis=1)
        if inside.mean() >= _LEAST_SEEN:
            found.append(row)
    return found


def film_examples(
    case: FilmCase,
    rng: np.random.Generator,
    pixels: int,
    most: int,
    *,
    appearance: Appearance | None = None,
    sd_mm: float | None = None,
) -> list[Example]:
    """Up to ``most`` vertebrae of one development of a film, any of those in it.

    sd_mm: how well the distance is known (default: as in standard geometry, or less well).
    """
    assert case.vertices is not None
    rows = levels_in(case)
    if not rows:
        return []
    film, parts = develop(case, rng, appearance, lumbar_hardware), trunk_parts()
    film = film if shows_bone_bright(case, film) else -film
    anchors = case.anchors_ras_mm.reshape(len(VERTEBRAE), len(ANCHORS), 3)
    examples = []
    for row in rng.permutation(rows)[:most]:
        surface = Mesh(case.vertices[parts.rows[VERTEBRAE[row]]], parts.vertebra_faces)
        points = sample_surface(surface, TARGET_POINTS, rng)[0].astype(np.float32)
        crop = make_crop(film, case.camera, points.mean(axis=0), anchors[row, 0], rng, pixels, sd_mm)
        examples.append(Example(crop, points, VERTEBRAE[row]))
    return examples


def make_crop(
    film: NDArray,
    camera: XrayCamera,
    middle_ras_mm: NDArray,
    clicked_ras_mm: NDArray,
    rng: np.random.Generator,
    pixels: int,
    sd_mm: float | None = None,
) -> Crop:
    """The crop around a place somewhere near clicked_ras_mm, as people click; the distance to the middle as well known
    as sd_mm says."""
    if sd_mm is None:
        sd_mm = _STANDARD_SD_MM if rng.random() < _STANDARD_SHARE else float(rng.uniform(8.0, _LOOSE_SD_MM))
    clicked = camera.project(clicked_ras_mm + rng.normal(0, _CLICK_SD_MM, 3))
    true = float(np.linalg.norm(middle_ras_mm - camera.source_ras_mm))
    reference = true + float(np.clip(rng.standard_normal(), -2.5, 2.5)) * sd_mm
    own = crop_camera(camera, clicked, reference, pixels)
    return Crop(contrasted(resampled(film, camera, own)), own, sd_mm)


def paired_example(
    case: PairedCase, rng: np.random.Generator, pixels: int, number: int | None = None
) -> Example:
    """One view of a vertebra of paired data; without a camera the whole image is the crop."""
    number = int(rng.integers(len(case.views))) if number is None else number
    image, geometry = case.image(number), case.geometry(number)
    points = case.points(rng, TARGET_POINTS)
    if geometry is not None and geometry.scale_known:
        middle = points.mean(axis=0)
        return Example(make_crop(image, geometry.camera(), middle, middle, rng, pixels), points)
    side = torch.from_numpy(np.ascontiguousarray(image))[None, None]
    small = torch.nn.functional.interpolate(side, (pixels, pixels), mode="bilinear", antialias=True)
    return Example(Crop(contrasted(small[0, 0].numpy()), _UNKNOWN, 0.0, known=False), points)


def seen_image(crop: Crop) -> NDArray[np.float32]:
    """[h, w] a crop against the surroundings of each place, as the networks of dense maps see theirs."""
    return local_contrast(crop.image, FIELD_MM / crop.image.shape[1])


def stacked(examples: list[Example]) -> PointBatch:
    """Examples of one size of crop and one number of points as tensors."""
    coded = [encode(example.crop, example.points) for example in examples]
    return PointBatch(
        torch.from_numpy(np.stack([seen_image(example.crop) for example in examples]))[:, None],
        torch.from_numpy(np.stack([camera_numbers(example.crop) for example in examples])),
        torch.from_numpy(np.stack([one.shape for one in coded])),
        torch.from_numpy(np.stack([one.centre for one in coded])),
        torch.tensor([one.depth for one in coded], dtype=torch.float32),
        torch.tensor([example.crop.known for example in examples]),
    )


def film_batches(
    draw: Callable[[np.random.Generator], FilmCase], size: int, seed: int, pixels: int, per_film: int = 3
) -> Iterator[PointBatch]:
    """Without end: crops of films, half of them mirrored."""
    rng, waiting = np.random.default_rng(seed), list[Example]()
    while True:
        while len(waiting) < 2 * size:
            waiting += film_examples(draw(rng), rng, pixels, per_film)
        order = rng.permutation(len(waiting))
        chosen = [_perhaps_flipped(waiting[k], rng) for k in order[:size]]
        waiting = [waiting[k] for k in order[size:]]
        yield stacked(chosen)


def paired_batches(cases: Sequence[PairedCase], size: int, seed: int, pixels: int) -> Iterator[PointBatch]:
    """Without end: views of paired data. Those with a camera are mirrored half of the time."""
    rng = np.random.default_rng(seed)
    while True:
        drawn = [paired_example(cases[int(rng.integers(len(cases)))], rng, pixels) for _ in range(size)]
        yield stacked([_perhaps_flipped(example, rng) for example in drawn])


def _perhaps_flipped(example: Example, rng: np.random.Generator) -> Example:
    if example.crop.known and rng.random() < 0.5:
        return Example(flipped(example.crop), example.points, example.level)
    return example

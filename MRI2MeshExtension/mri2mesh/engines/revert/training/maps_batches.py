"""Lumbar films as the networks of dense maps take them: whole, for which vertebra is where, and cut out around one
vertebra, for its faces and places."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from mri2mesh.anatomy.lumbar_region import BONES, VERTEBRAE
from mri2mesh.engines.dense_maps.inputs import Reference, depth_of
from mri2mesh.engines.dense_maps.training.batches import (
    Batch,
    Example,
    drawn_parts,
    noisy_reference,
    stacked,
)
from mri2mesh.engines.revert.contrast import bone_is_bright, local_contrast
from mri2mesh.engines.revert.crop import FIELD_MM
from mri2mesh.engines.revert.inputs import camera_channels, film_channels
from mri2mesh.engines.revert.training.examples import levels_in, make_crop
from mri2mesh.engines.revert.training.hanging import hung
from mri2mesh.synthesis.films.case import TRUTH_GRID, FilmCase, surface_truth
from mri2mesh.synthesis.films.develop import develop
from mri2mesh.synthesis.films.lumbar.hardware import lumbar_hardware
from mri2mesh.synthesis.films.lumbar.parts import trunk_parts
from mri2mesh.synthesis.films.lumbar.region import ANCHORS

Draw = Callable[[np.random.Generator], FilmCase]
_HINTED_SHARE = 0.4
"""Of training films, how many come with the name of one of their vertebrae."""
_HINT_SD_MM = 6.0
_SDS_MM = ((5.0, 5.0), (8.0, 40.0), (40.0, 120.0))
_SD_SHARES = (0.5, 0.35, 0.15)
"""How well the distance is known: as in standard geometry, by tags or hardly, not at all because the scale is not."""
_PER_FILM = 4
_WELL_INSIDE = 0.36


def film_example(
    case: FilmCase, rng: np.random.Generator, *, sd_mm: float | None = None, hinted: float = _HINTED_SHARE
) -> Example:
    """A whole film developed anew. hinted: probability that one vertebra's name and place are given."""
    anchors = case.anchors_ras_mm.reshape(len(VERTEBRAE), len(ANCHORS), 3)
    reference = noisy_reference(case.camera, anchors[VERTEBRAE.index("L3"), 0], rng, sd_mm)
    camera = case.camera.coarser(TRUTH_GRID)
    bone, place = None, None
    if rng.random() < hinted and (rows := levels_in(case)):
        bone = int(rng.choice(rows))
        place = camera.project(anchors[bone, 0] + rng.normal(0, _HINT_SD_MM, 3))
    pixel_mm = _pixel_mm(case, reference.depth_mm)
    film = local_contrast(_developed(case, rng), pixel_mm)
    return Example(film, film_channels(camera, reference, bone, place), case.truth, reference.depth_mm)


def crop_examples(
    case: FilmCase, rng: np.random.Generator, pixels: int, most: int, *, sd_mm: float | None = None
) -> list[Example]:
    """Crops around up to so many vertebrae of one development of a film; the truth is that vertebra's alone."""
    assert case.vertices is not None
    parts = trunk_parts()
    anchors = case.anchors_ras_mm.reshape(len(VERTEBRAE), len(ANCHORS), 3)
    label = np.zeros(len(parts.vertebra_faces), np.int64)
    film = _developed(case, rng)
    examples = []
    shown = [row for row in levels_in(case) if _in_field(case, anchors[row, 0])]
    for row in rng.permutation(shown)[:most]:
        rows = parts.rows[VERTEBRAE[row]]
        vertices = case.vertices[rows]
        sd = _drawn_sd(rng) if sd_mm is None else sd_mm
        crop = make_crop(film, case.camera, vertices.mean(axis=0), anchors[row, 0], rng, pixels, sd)
        camera = crop.camera.coarser(TRUTH_GRID)
        reference = Reference(crop.camera.source_to_detector_mm, sd)
        truth = surface_truth(vertices, parts.vertebra_faces, label, parts.canonical[rows], 1, camera)
        image = local_contrast(crop.image, FIELD_MM / pixels)
        examples.append(Example(image, camera_channels(camera, reference), truth, reference.depth_mm))
    return examples


def film_batches(draw: Draw, size: int, seed: int, pixels: int) -> Iterator[Batch]:
    """Without end: parts of films, see `drawn_parts`."""
    rng = np.random.default_rng(seed)
    for cases in drawn_parts(lambda one: hung(draw(one)), size, rng, pixels):
        yield stacked([film_example(case, rng) for case in cases])


def crop_batches(draw: Draw, size: int, seed: int, pixels: int) -> Iterator[Batch]:
    """Without end: crops of several films mixed."""
    rng, waiting = np.random.default_rng(seed), list[Example]()
    while True:
        while len(waiting) < 2 * size:
            waiting += crop_examples(hung(draw(rng)), rng, pixels, _PER_FILM)
        order = rng.permutation(len(waiting))
        chosen = [waiting[k] for k in order[:size]]
        waiting = [waiting[k] for k in order[size:]]
        yield stacked(chosen)


def _developed(case: FilmCase, rng: np.random.Generator) -> NDArray[np.float32]:
    """The film developed anew, bone bright: how it is shown is found out before the networks look at it."""
    film = develop(case, rng, None, lumbar_hardware)
    return film if shows_bone_bright(case, film) else -film


def shows_bone_bright(case: FilmCase, film: NDArray) -> bool:
    """Whether a development [H, W] of a case shows bone bright."""
    bone = case.cortex.astype(np.float32)
    if bone.max() == 0:  # from a CT: all of it counts as water
        bone = case.tissue.astype(np.float32)
    bone = bone + 0.3 * case.marrow.astype(np.float32)
    pixel_mm = _pixel_mm(case, depth_of(case.camera, case.anchors_ras_mm.mean(axis=0)))
    step = max(1, round(3.0 / pixel_mm))
    return bone_is_bright(film[::step, ::step], bone[::step, ::step], step * pixel_mm)


def _in_field(case: FilmCase, point_ras_mm: NDArray) -> bool:
    """Whether a place is well inside the round field of an intensifier; everything is where there is none."""
    rows, columns = case.camera.size
    away = case.camera.project(point_ras_mm) - [(columns - 1) / 2, (rows - 1) / 2]
    return not case.round_field or float(np.linalg.norm(away)) < _WELL_INSIDE * columns


def _pixel_mm(case: FilmCase, depth_mm: float) -> float:
    return case.camera.pixel_spacing_mm[0] * depth_mm / case.camera.source_to_detector_mm


def _drawn_sd(rng: np.random.Generator) -> float:
    return float(rng.uniform(*_SDS_MM[rng.choice(len(_SDS_MM), p=_SD_SHARES)]))


LEVEL_BONES, CROP_BONES = BONES, ("vertebra",)
"""What each network has maps of."""

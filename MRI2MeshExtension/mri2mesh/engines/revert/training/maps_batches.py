"""Lumbar films as the networks of dense maps take them: whole, for which vertebra is where, and cut out around one
vertebra, for its faces and places."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

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
from mri2mesh.engines.revert.contrast import local_contrast
from mri2mesh.engines.revert.crop import FIELD_MM, contrasted, crop_camera, resampled
from mri2mesh.engines.revert.inputs import camera_channels, film_channels
from mri2mesh.engines.revert.key_points import KEY_VERTICES, coded, nothing
from mri2mesh.engines.revert.training.elsewhere import without_bone
from mri2mesh.engines.revert.training.examples import levels_in, make_crop
from mri2mesh.engines.revert.training.hanging import hung
from mri2mesh.engines.revert.training.polarity import pixel_mm_of, shows_bone_bright
from mri2mesh.synthesis.films.case import TRUTH_GRID, FilmCase, FilmTruth, surface_truth
from mri2mesh.synthesis.films.develop import develop
from mri2mesh.synthesis.films.lumbar.hardware import lumbar_hardware
from mri2mesh.synthesis.films.lumbar.parts import trunk_parts
from mri2mesh.synthesis.films.lumbar.region import ANCHORS

Draw = Callable[[np.random.Generator], FilmCase]
_HINTED_SHARE = 0.4
"""Of training films, how many come with the name of one of their vertebrae."""
_HINT_SD_MM = 6.0
_ELSEWHERE_SHARE, _BARE_SHARE = 0.25, 0.04
"""Of training films, how many are of hips or chests, and how many pictures have no bone at all."""
_SDS_MM = ((5.0, 5.0), (8.0, 40.0), (40.0, 120.0))
_SD_SHARES = (0.5, 0.35, 0.15)
"""How well the distance is known: as in standard geometry, by tags or hardly, not at all because the scale is not."""
_PER_FILM = 4
_WELL_INSIDE = 0.36
_EMPTY_SHARE = 0.06
"""Of training crops, how many have no vertebra in their middle: clicks beside the bone."""
_BESIDE_MM = 45.0
"""How far from every body of the film their middle is, at least."""
_TRIES = 10
_NOISE = 0.2
_KEPT = 360
_NEW_SHARE = 0.34
"""Crops are kept, and so many of a batch are new ones: to make a crop takes longer than to learn from it."""


def film_example(
    case: FilmCase, rng: np.random.Generator, *, sd_mm: float | None = None, hinted: float = _HINTED_SHARE
) -> Example:
    """A whole film developed anew. hinted: probability that one vertebra's name and place are given."""
    anchors = case.anchors_ras_mm.reshape(len(VERTEBRAE), len(ANCHORS), 3)
    reference = noisy_reference(case.camera, anchors[VERTEBRAE.index("L3"), 0], rng, sd_mm)
    camera = case.camera.coarser(TRUTH_GRID)
    bone, place = None, None
    if case.vertices is not None and rng.random() < hinted and (rows := levels_in(case)):
        bone = int(rng.choice(rows))
        place = camera.project(anchors[bone, 0] + rng.normal(0, _HINT_SD_MM, 3))
    pixel_mm = pixel_mm_of(case, reference.depth_mm)
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
        numbers = coded(crop, vertices[KEY_VERTICES])
        examples.append(
            Example(image, camera_channels(camera, reference), truth, reference.depth_mm, numbers)
        )
    if rng.random() < _EMPTY_SHARE * most:
        examples += _empty_example(case, film, rng, pixels)
    return examples


def _empty_example(
    case: FilmCase, film: NDArray[np.float32], rng: np.random.Generator, pixels: int
) -> list[Example]:
    """A crop beside the spine, where the film has such a place."""
    bodies = case.anchors_ras_mm.reshape(len(VERTEBRAE), len(ANCHORS), 3)[:, 0]
    middle, (rows, columns) = bodies[VERTEBRAE.index("L3")], case.camera.size
    pixel_mm = pixel_mm_of(case, depth_of(case.camera, middle))
    for _ in range(_TRIES):
        place = rng.uniform([0, 0], [columns - 1, rows - 1])
        if np.linalg.norm(case.camera.project(bodies) - place, axis=1).min() * pixel_mm > _BESIDE_MM:
            break
    else:
        return []
    sd = _drawn_sd(rng)
    own = crop_camera(case.camera, place, float(np.linalg.norm(middle - case.camera.source_ras_mm)), pixels)
    image = local_contrast(contrasted(resampled(film, case.camera, own)), FIELD_MM / pixels)
    camera = own.coarser(TRUTH_GRID)
    height, width = camera.size
    truth = FilmTruth(
        np.zeros((1, height, width), bool),
        np.zeros((1, 2, height, width), np.float32),
        np.zeros((1, 2, 3, height, width), np.float32),
    )
    reference = Reference(own.source_to_detector_mm, sd)
    return [Example(image, camera_channels(camera, reference), truth, reference.depth_mm, nothing())]


def film_batches(
    draw: Draw, size: int, seed: int, pixels: int, draw_elsewhere: Draw | None = None
) -> Iterator[Batch]:
    """Without end: parts of films, see `drawn_parts`. draw_elsewhere: films of hips and chests, which take the place of
    some of them, as pictures without any bone then do."""
    rng = np.random.default_rng(seed)

    def drawn(one: np.random.Generator) -> FilmCase:
        if draw_elsewhere is not None and one.random() < _ELSEWHERE_SHARE:
            return hung(draw_elsewhere(one))
        return hung(draw(one))

    bare = _BARE_SHARE if draw_elsewhere is not None else 0.0
    for cases in drawn_parts(drawn, size, rng, pixels):
        yield stacked(
            [without_bone(case, rng) if rng.random() < bare else film_example(case, rng) for case in cases]
        )


def crop_batches(draw: Draw, size: int, seed: int, pixels: int) -> Iterator[Batch]:
    """Without end: crops of several films mixed, each seen about three times, with other noise."""
    rng, kept = np.random.default_rng(seed), list[Example]()
    while True:
        wanted = max(size, min(_KEPT, len(kept) + round(_NEW_SHARE * size)))
        made = 0
        while len(kept) < wanted or made < _NEW_SHARE * size:
            fresh = crop_examples(hung(draw(rng)), rng, pixels, _PER_FILM)
            made, kept = made + len(fresh), kept + fresh
        kept = kept[-max(size, _KEPT) :]
        chosen = rng.choice(len(kept), size, replace=False)
        yield stacked([_noisier(kept[k], rng) for k in chosen])


def _noisier(example: Example, rng: np.random.Generator) -> Example:
    noise = rng.standard_normal(example.film.shape, np.float32) * np.float32(rng.uniform(0, _NOISE))
    return replace(example, film=example.film + noise)


def _developed(case: FilmCase, rng: np.random.Generator) -> NDArray[np.float32]:
    """The film developed anew, bone bright: how it is shown is found out before the networks look at it."""
    film = develop(case, rng, None, lumbar_hardware)
    return film if shows_bone_bright(case, film) else -film


def _in_field(case: FilmCase, point_ras_mm: NDArray) -> bool:
    """Whether a place is well inside the round field of an intensifier; everything is where there is none."""
    rows, columns = case.camera.size
    away = case.camera.project(point_ras_mm) - [(columns - 1) / 2, (rows - 1) / 2]
    return not case.round_field or float(np.linalg.norm(away)) < _WELL_INSIDE * columns


def _drawn_sd(rng: np.random.Generator) -> float:
    return float(rng.uniform(*_SDS_MM[rng.choice(len(_SDS_MM), p=_SD_SHARES)]))


LEVEL_BONES, CROP_BONES = BONES, ("vertebra",)
"""What each network has maps of."""

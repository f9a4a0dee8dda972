"""Films that the network of levels meets besides lumbar ones: hips and pelves, chests, pictures without any bone.

What of the lumbar spine they show has its truth, the rest of them shows that there is nothing to be named.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter

from mri2mesh.anatomy.lumbar_region import BONES, VERTEBRAE
from mri2mesh.engines.dense_maps.training.batches import Example, noisy_reference
from mri2mesh.engines.revert.contrast import local_contrast
from mri2mesh.engines.revert.inputs import film_channels
from mri2mesh.engines.revert.training.polarity import pixel_mm_of
from mri2mesh.errors import InputError
from mri2mesh.learning.ring import FileRing
from mri2mesh.synthesis.films.case import TRUTH_GRID, FilmCase, FilmTruth
from mri2mesh.synthesis.films.lumbar.chest import draw_chest_view, make_chest_case
from mri2mesh.synthesis.films.lumbar.hips import hip_maker, make_hip_case
from mri2mesh.synthesis.films.lumbar.region import ANCHORS, LumbarMaker
from mri2mesh.synthesis.films.lumbar.trunks import Trunks
from mri2mesh.synthesis.films.views import draw_view

FOLDER = "elsewhere"
SHARE_OF_FILMS = 1 / 6
"""So many of these are kept, and made, for each lumbar film."""
_VIEWS = 2
_HIPS_SHARE = 0.5
_FALSE_HINT_SHARE = 0.25
"""Of pictures without bone, in how many a vertebra is said to be somewhere."""


def elsewhere_ring(films: FileRing) -> FileRing:
    """Where they are kept: beside the lumbar films."""
    return FileRing(films.folder / FOLDER, max(1, round(films.capacity * SHARE_OF_FILMS)))


def films_elsewhere(trunk: Trunks, rng: np.random.Generator, pixels: int) -> list[FilmCase]:
    """A few films of one invented person's hips or chest."""
    if rng.random() < _HIPS_SHARE:
        maker = hip_maker(trunk)
        hips = maker.draw(rng)

        def film() -> FilmCase:
            return make_hip_case(maker, hips, draw_view(hips, rng, pixels), rng)

    else:
        chest = LumbarMaker(trunk).draw(rng)

        def film() -> FilmCase:
            return make_chest_case(chest, draw_chest_view(chest, rng, pixels), rng)

    films = list[FilmCase]()
    for _ in range(_VIEWS):
        try:
            films.append(film())
        except InputError:
            continue  # a bone that reaches the source: another view
    return films


def without_bone(case: FilmCase, rng: np.random.Generator) -> Example:
    """A picture of the size of a film, of the same camera, in which there is nothing: noise, clouds, an even field."""
    size, grid = case.camera.size, case.camera.coarser(TRUTH_GRID)
    image = rng.standard_normal(size, np.float32)
    if rng.random() < 0.7:
        clouds = gaussian_filter(rng.standard_normal(size), float(rng.uniform(1.0, 20.0)))
        image = image * rng.uniform(0, 0.5) + clouds / clouds.std()
    anchors = case.anchors_ras_mm.reshape(len(VERTEBRAE), len(ANCHORS), 3)
    # As well known as in other films: otherwise how well would say that there is no bone.
    reference = noisy_reference(case.camera, anchors[VERTEBRAE.index("L3"), 0], rng)
    bone, place = None, None
    if rng.random() < _FALSE_HINT_SHARE:
        bone, place = int(rng.integers(len(VERTEBRAE))), rng.uniform(0, [grid.size[1] - 1, grid.size[0] - 1])
    shape = (len(BONES), 2, *grid.size)
    truth = FilmTruth(
        np.zeros((len(BONES), *grid.size), bool),
        np.zeros(shape, np.float32),
        np.zeros((len(BONES), 2, 3, *grid.size), np.float32),
    )
    film = local_contrast(image, pixel_mm_of(case, reference.depth_mm))
    return Example(film, film_channels(grid, reference, bone, place), truth, reference.depth_mm)

"""Where the network of `ddx` sees a bone and where the fit has it: two answers that know nothing of each other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mri2mesh.anatomy.shape_models.model import ShapeModel
from mri2mesh.anatomy.structures import STRUCTURES
from mri2mesh.engines.dense_maps.maps import SURE
from mri2mesh.engines.dense_maps.surfaces import shadows
from mri2mesh.geometry.overlap import dice
from mri2mesh.reconstruction import PixelMaps

ALIKE = 0.75
"""Dice from which both are taken to mean the same."""


def differing(maps: PixelMaps, model: ShapeModel, vertices: NDArray) -> list[str]:
    """A sentence for each bone that is seen elsewhere than it was fitted. vertices: [V, 3] RAS mm of the model, as the
    radiograph of the maps sees them. What lies outside the film is not compared."""
    found = dict(zip(model.part_names, shadows(model, vertices, maps.camera), strict=True))
    shown = np.ones(maps.camera.size, bool) if maps.shown is None else maps.shown
    sentences = []
    for name, presence in zip(maps.names, maps.presence, strict=True):
        seen, fitted = (presence > SURE) & shown, found[name] & shown
        overlap = dice(seen, fitted)
        if overlap < ALIKE:
            sentences.append(
                f"{STRUCTURES[name].in_words}: the network sees it elsewhere in image {maps.image + 1} than "
                f"the fit has it (overlap {overlap:.2f}, Dice): "
                "one of both is wrong, see the dashed line of the overlay"
            )
    return sentences

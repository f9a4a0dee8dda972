"""Which vertices the image shows, and which the prior filled in."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from mri2mesh.anatomy.semantic import Semantic
from mri2mesh.anatomy.structures import Kind
from mri2mesh.engines.mri2mesh.localisation.evidence import Evidence
from mri2mesh.geometry.volume import Volume
from mri2mesh.quality.field_of_view import inside_image

SEEN_AS: dict[Kind, tuple[Semantic, ...]] = {
    "vertebra": (Semantic.BODY, Semantic.POSTERIOR),
    "disc": (Semantic.DISC,),
    "sacrum": (Semantic.SACRUM,),
}
MIN_SUPPORT = 0.25
"""Least mean support over the vertices of a structure. With less, the surface would be the prior's and not the
patient's, so it is left out."""


def support_of(vertices: NDArray, kind: Kind, volume: Volume, evidence: Evidence) -> NDArray[np.float32]:
    """[V] in 0..1: 0 outside the image; inside, how strongly the localiser sees this tissue within a voxel or two."""
    tissue = evidence.semantic[list(SEEN_AS[kind])].sum(0)
    nearby = ndimage.maximum_filter(tissue, size=3)
    seen = ndimage.map_coordinates(nearby, evidence.kji_from_ras(vertices).T, order=1, mode="nearest")
    return (np.clip(seen, 0, 1) * inside_image(volume, vertices)).astype(np.float32)


def seen_enough(support: NDArray[np.float32]) -> bool:
    """Whether the image shows enough of a structure, with this support [V], for it to be returned at all."""
    return bool(support.mean() >= MIN_SUPPORT)

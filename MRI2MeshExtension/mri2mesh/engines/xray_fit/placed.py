"""Where the network of the engine ddx sees the bones of a film, as a fit takes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

from mri2mesh.anatomy.hip_region import BONES
from mri2mesh.engines.ddx.placing import PlacedBones
from mri2mesh.engines.dense_maps.maps import SURE
from mri2mesh.imaging.radiographs.radiograph import Radiograph

PARTS = {"pelvis": ("hip_left", "hip_right", "sacrum")}
"""Anatomies of several bones; others are called as their bone."""


@dataclass(frozen=True)
class PlacedInViews:
    """vertices: as of `PlacedBones`, of the views in which it sees them. shown: per view the pixels [rows, columns] of
    the radiograph in which it sees the wanted bone, or None."""

    vertices: Sequence[NDArray[np.float64]] = field(default_factory=list)
    shown: Sequence[NDArray[np.bool_] | None] = field(default_factory=list)

    @classmethod
    def of(
        cls, placed: Sequence[PlacedBones | None], radiographs: Sequence[Radiograph], anatomy: str
    ) -> PlacedInViews:
        """Of each radiograph what was placed in it, if anything."""
        return cls(
            [one.vertices for one in placed if one is not None],
            [
                None if one is None else pixels_of(one, radiograph, anatomy)
                for one, radiograph in zip(placed, radiographs, strict=True)
            ],
        )


def pixels_of(placed: PlacedBones, radiograph: Radiograph, anatomy: str) -> NDArray[np.bool_]:
    """[rows, columns] of a radiograph, where an anatomy is seen in its maps, which have the same source and beam but
    another grid."""
    bones = [BONES.index(name) for name in PARTS.get(anatomy, (anatomy,))]
    there = placed.presence[bones].max(0)
    film, maps = radiograph.camera, placed.camera
    places = []
    for axis, length in enumerate(film.size):
        per_pixel = film.pixel_spacing_mm[axis] / film.source_to_detector_mm
        tangent = (np.arange(length) - film.principal_point_px[1 - axis]) * per_pixel
        of_map = maps.pixel_spacing_mm[axis] / maps.source_to_detector_mm
        places.append(tangent / of_map + maps.principal_point_px[1 - axis])
    at = np.meshgrid(*places, indexing="ij")
    return np.asarray(map_coordinates(there, at, order=1) > SURE)

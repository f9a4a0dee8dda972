"""Where the bones of the hip region are in one front view, roughly: what other engines begin from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mri2mesh.engines.ddx.engine import SAMPLES
from mri2mesh.engines.ddx.networks.stored import TrainedNetwork, load_network
from mri2mesh.engines.ddx.region import complete_region
from mri2mesh.engines.ddx.seeing import Seen, see
from mri2mesh.engines.ddx.targets import Target, plain_targets
from mri2mesh.engines.dense_maps.checks import MAX_APART_MM, MAX_TURN_DEG, MIN_CERTAINTY
from mri2mesh.engines.dense_maps.completion.complete import Completion, turn_deg
from mri2mesh.engines.dense_maps.maps import BoneMaps
from mri2mesh.engines.dense_maps.reference import reference_of
from mri2mesh.engines.model_cache import Cache, no_cache
from mri2mesh.errors import InputError
from mri2mesh.geometry.xray_camera import XrayCamera
from mri2mesh.imaging.radiographs.radiograph import Radiograph

LEAST_SEEN = 0.1
"""Share of a bone's vertices that must be measured for it to be placed."""


@dataclass(frozen=True)
class PlacedBones:
    """vertices: [V, 3] RAS mm, in the order of the joint shape model of pelvis and femora; NaN for femora that the film
    does not show. seen: what the network saw."""

    vertices: NDArray[np.float64]
    seen: Seen

    @property
    def presence(self) -> NDArray[np.float32]:
        """[5, H, W] how surely a pixel shows each of `hip_region.BONES`."""
        return self.seen.maps.presence

    @property
    def camera(self) -> XrayCamera:
        """Of H x W pixels."""
        return self.seen.maps.camera


def place_bones(
    radiograph: Radiograph,
    hips_to_detector_mm: float | None = None,
    option: str = "",
    *,
    device: str = "cpu",
    cache: Cache = no_cache,
) -> PlacedBones | None:
    """hips_to_detector_mm: as of `reference.reference_of`, with the option that gives it. None where the network does
    not apply: there are no weights, it is no front view, its scale is unknown, no pelvis is in it, or the engine's own
    checks say that what was seen makes no pelvis. Raises InputError for a distance that the geometry has no room for.
    """
    reference = reference_of(radiograph.geometry, hips_to_detector_mm, option)
    if not radiograph.scale_known:
        return None
    try:
        trained: TrainedNetwork = cache(load_network, None, device)
        bones: tuple[Target, ...] = cache(plain_targets)
        seen = see(radiograph, trained, reference, bones[0])
    except InputError:
        return None
    completed = complete_region(seen.maps, bones, trained.places, SAMPLES, reference)
    vertices = np.full((bones[-1].rows.stop, 3), np.nan)
    for target, found in zip(bones, completed, strict=True):
        if found is not None and _makes_a_bone(found, target, seen.maps):
            vertices[target.rows] = found.vertices
        elif target is bones[0]:
            return None
    return PlacedBones(vertices, seen)


def _makes_a_bone(found: Completion, target: Target, maps: BoneMaps) -> bool:
    return bool(
        found.apart_mm <= MAX_APART_MM
        and turn_deg(found.matrix) <= MAX_TURN_DEG
        and maps.certainty_of(*target.bones) >= MIN_CERTAINTY
        and found.measured.mean() >= LEAST_SEEN
    )

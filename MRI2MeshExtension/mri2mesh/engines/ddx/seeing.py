"""From a radiograph to its maps, with what has to be found out on the way: how it shows bone, and how large it is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mri2mesh.engines.ddx.inputs import camera_channels
from mri2mesh.engines.ddx.mirror import maps_of_both
from mri2mesh.engines.ddx.networks.stored import TrainedNetwork
from mri2mesh.engines.ddx.targets import Target
from mri2mesh.engines.dense_maps.completion.complete import FEWEST_POINTS, complete
from mri2mesh.engines.dense_maps.film import NetworkFilm, network_film, scaled
from mri2mesh.engines.dense_maps.inputs import Reference
from mri2mesh.engines.dense_maps.maps import BoneMaps, bone_seen
from mri2mesh.engines.dense_maps.network import GRID
from mri2mesh.errors import InputError
from mri2mesh.imaging.radiographs.radiograph import Radiograph

TABLE_FIELD_MM = 430.0
"""Longer side of the detector under a table, usually."""
_SIZES = (0.55, 1.8)
"""What a picture without a scale may be off that field."""
_LEAST_FRONTAL = np.cos(np.radians(50.0))
_BETTER = 1.15
"""How much more bone, and more surely, the other polarity has to show to be believed, of a picture: most show bone
bright. Pictures with a round field show it either way: there the one that shows more is believed."""


@dataclass(frozen=True)
class Seen:
    """film, maps: in a world that is ``scale`` times as large as the radiograph's own, about the origin, where its
    scale is unknown; else 1. inverted: whether the radiograph shows bone the other way round than it was taken to."""

    film: NetworkFilm
    maps: BoneMaps
    scale: float
    inverted: bool


def see(radiograph: Radiograph, trained: TrainedNetwork, reference: Reference, pelvis: Target) -> Seen:
    """Raises InputError for a view from the side, and as `network_film` does."""
    if abs(radiograph.camera.axes_ras[2, 1]) < _LEAST_FRONTAL:
        raise InputError(
            "the engine ddx takes views from the front, and the geometry of this radiograph is another: give such a "
            "view, or correct its angles with --camera"
        )
    scale = 1.0
    if not radiograph.scale_known:
        scale = _guessed_scale(radiograph)
    seen = _polarised(radiograph, trained, reference, scale)
    if radiograph.scale_known:
        return seen
    # The bones say how large the picture is, if they are of the usual size.
    samples = seen.maps.samples(*pelvis.bones)
    if len(samples) < FEWEST_POINTS:
        return seen
    found = complete(pelvis.model, trained.places[pelvis.rows], samples, scale=True)
    size = float(np.cbrt(np.linalg.det(found.matrix[:3, :3])))
    scale = float(np.clip(scale / size, _SIZES[0], _SIZES[1] * scale))
    return _seen(radiograph, trained, reference, scale, seen.inverted)


def _guessed_scale(radiograph: Radiograph) -> float:
    """Of a table film its usual size; that of the round field of an intensifier is assumed already."""
    geometry = radiograph.geometry
    if abs(geometry.primary_angle_deg.value) < 90:
        return 1.0
    spacing, size = geometry.pixel_spacing_mm.value, geometry.size.value
    return TABLE_FIELD_MM / max(spacing[0] * size[0], spacing[1] * size[1])


def _polarised(radiograph: Radiograph, trained: TrainedNetwork, reference: Reference, scale: float) -> Seen:
    first = _seen(radiograph, trained, reference, scale, False)
    if radiograph.scale == "logarithmic":  # the file says how its values follow the beam
        return first
    other = _seen(radiograph, trained, reference, scale, True)
    better = 1.0 if _is_round(radiograph) else _BETTER
    return other if bone_seen(other.maps.presence) > better * bone_seen(first.maps.presence) else first


def _seen(
    radiograph: Radiograph, trained: TrainedNetwork, reference: Reference, scale: float, inverted: bool
) -> Seen:
    camera = scaled(radiograph.camera, scale)
    pixels = -radiograph.pixels if inverted else radiograph.pixels
    # blades on a table film are as films of training have them, and cut off bones that the network can guess
    exposed = radiograph.exposed if _is_round(radiograph) else None
    film = network_film(pixels, camera, trained.pixels, exposed)
    deep = Reference(reference.depth_mm * scale, reference.sd_mm)
    return Seen(film, look(trained, film, deep), scale, inverted)


def _is_round(radiograph: Radiograph) -> bool:
    return "intensifier" in radiograph.unusable


def look(trained: TrainedNetwork, film: NetworkFilm, reference: Reference) -> BoneMaps:
    """What the network sees in a film. reference: how deep the hips are expected to be."""
    channels = camera_channels(film.camera.coarser(GRID), reference)
    maps = maps_of_both(trained.network, film, channels, reference.depth_mm)
    return maps.first_surface() if trained.loss == "single" else maps

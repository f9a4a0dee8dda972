"""From a radiograph to its maps, with what has to be found out on the way: how it shows bone, and how large it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mri2mesh.engines.ddx.inputs import camera_channels
from mri2mesh.engines.ddx.mirror import maps_of_both
from mri2mesh.engines.ddx.networks.stored import TrainedNetwork
from mri2mesh.engines.ddx.targets import Target
from mri2mesh.engines.dense_maps.completion.complete import FEWEST_POINTS, complete
from mri2mesh.engines.dense_maps.film import NetworkFilm, network_film, scaled, upright
from mri2mesh.engines.dense_maps.inputs import Reference
from mri2mesh.engines.dense_maps.maps import BoneMaps, bone_seen
from mri2mesh.engines.dense_maps.network import GRID
from mri2mesh.engines.dense_maps.turned import turned
from mri2mesh.errors import InputError
from mri2mesh.geometry.xray_camera import XrayCamera
from mri2mesh.imaging.radiographs.radiograph import Radiograph

TABLE_FIELD_MM = 430.0
"""Longer side of the detector under a table, usually."""
_SIZES = (0.55, 1.8)
"""What a picture without a scale may be off that field."""
_LEAST_FRONTAL = np.cos(np.radians(50.0))
_BETTER = 1.15
"""How much more bone the other polarity has to show in a picture, of which most show bone bright. Those with a round
field show it either way: there the one that shows more is believed."""


@dataclass(frozen=True)
class Seen:
    """film, maps: in a world that is ``scale`` times as large as the radiograph's own, about the origin, where its
    scale is unknown; else 1. inverted: whether the radiograph shows bone the other way round than it was taken to."""

    film: NetworkFilm
    maps: BoneMaps
    scale: float
    inverted: bool


@dataclass(frozen=True)
class Picture:
    """What of a radiograph the network is shown. pixels: [rows, columns] of the camera. exposed: its field, None for
    everywhere. better: how much more bone, and more surely, the other polarity has to show to be believed; None where
    that is known. true_axes_ras: of the camera, where the network is let believe others;
    what was seen has these."""

    pixels: NDArray[np.float32]
    camera: XrayCamera
    exposed: NDArray[np.bool_] | None
    better: float | None
    true_axes_ras: NDArray[np.float64] | None = None

    @classmethod
    def of(cls, radiograph: Radiograph) -> Picture:
        round_field = "intensifier" in radiograph.unusable
        better = None if radiograph.polarity_known else 1.0 if round_field else _BETTER
        # blades on a table film are as films of training have them, and cut off bones that the network can guess
        return cls(radiograph.pixels, radiograph.camera, radiograph.exposed if round_field else None, better)

    def turned(self, degrees: float) -> Picture:
        """As `turned.turned`, and the network is let believe that the person was turned so; what comes from beyond the
        picture lies outside its field."""
        exposed = np.ones(self.pixels.shape, bool) if self.exposed is None else self.exposed
        pixels, camera = upright(self.pixels, self.camera)
        exposed, _ = upright(exposed, self.camera)
        if np.linalg.det(camera.axes_ras) * np.linalg.det(self.camera.axes_ras) < 0:  # it was mirrored
            degrees = -degrees
        moved, askew = turned(pixels, camera, degrees, float(pixels[exposed].min()))
        inside, _ = turned(exposed, camera, degrees, 0.0)
        believed = replace(askew, axes_ras=camera.axes_ras)
        return replace(
            self, pixels=moved, camera=believed, exposed=inside > 0.5, true_axes_ras=askew.axes_ras
        )


def see(radiograph: Radiograph, trained: TrainedNetwork, reference: Reference, pelvis: Target) -> Seen:
    """Raises InputError for a view from the side, and as `network_film` does."""
    if not from_the_front(radiograph.camera):
        raise InputError(
            "the engine ddx takes views from the front, and the geometry of this radiograph is another: give such a "
            "view, or correct its angles with --camera"
        )
    scale, picture = 1.0, Picture.of(radiograph)
    if not radiograph.scale_known:
        scale = _guessed_scale(radiograph)
    seen = polarised(picture, trained, reference, scale)
    if radiograph.scale_known:
        return seen
    # The bones say how large the picture is, if they are of the usual size.
    samples = seen.maps.samples(*pelvis.bones)
    if len(samples) < FEWEST_POINTS:
        return seen
    found = complete(pelvis.model, trained.places[pelvis.rows], samples, scale=True)
    size = float(np.cbrt(np.linalg.det(found.matrix[:3, :3])))
    scale = float(np.clip(scale / size, _SIZES[0], _SIZES[1] * scale))
    return _seen(picture, trained, reference, scale, seen.inverted)


def from_the_front(camera: XrayCamera) -> bool:
    """Whether the network knows such views."""
    return bool(abs(camera.axes_ras[2, 1]) >= _LEAST_FRONTAL)


def _guessed_scale(radiograph: Radiograph) -> float:
    """Of a table film its usual size; that of the round field of an intensifier is assumed already."""
    geometry = radiograph.geometry
    if abs(geometry.primary_angle_deg.value) < 90:
        return 1.0
    spacing, size = geometry.pixel_spacing_mm.value, geometry.size.value
    return TABLE_FIELD_MM / max(spacing[0] * size[0], spacing[1] * size[1])


def polarised(
    picture: Picture,
    trained: TrainedNetwork,
    reference: Reference,
    scale: float,
    shown: Callable[[BoneMaps], float] = lambda maps: bone_seen(maps.presence),
) -> Seen:
    """What is seen in a world that is so many times as large, bone bright or dark. shown: how much bone maps show, by
    which that is decided."""
    first = _seen(picture, trained, reference, scale, False)
    if picture.better is None:
        return first
    other = _seen(picture, trained, reference, scale, True)
    return other if shown(other.maps) > picture.better * shown(first.maps) else first


def _seen(
    picture: Picture, trained: TrainedNetwork, reference: Reference, scale: float, inverted: bool
) -> Seen:
    camera = scaled(picture.camera, scale)
    pixels = -picture.pixels if inverted else picture.pixels
    film = network_film(pixels, camera, trained.pixels, picture.exposed)
    deep = Reference(reference.depth_mm * scale, reference.sd_mm)
    maps, axes = look(trained, film, deep), picture.true_axes_ras
    if axes is not None:
        film = replace(film, camera=replace(film.camera, axes_ras=axes))
        maps = replace(maps, camera=replace(maps.camera, axes_ras=axes))
    return Seen(film, maps, scale, inverted)


def look(trained: TrainedNetwork, film: NetworkFilm, reference: Reference) -> BoneMaps:
    """What the network sees in a film. reference: how deep the hips are expected to be."""
    channels = camera_channels(film.camera.coarser(GRID), reference)
    maps = maps_of_both(trained.network, film, channels, reference.depth_mm)
    return maps.first_surface() if trained.loss == "single" else maps

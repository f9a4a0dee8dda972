"""One vertebra: the crop around it, what the network sees there, and the surface that the shape model makes of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from mri2mesh.anatomy.shape_models.model import ShapeModel
from mri2mesh.engines.dense_maps.completion.complete import FEWEST_POINTS, Completion, Noise, complete
from mri2mesh.engines.dense_maps.completion.held import HeldPoint
from mri2mesh.engines.dense_maps.completion.outlines import Outlines
from mri2mesh.engines.dense_maps.film import NetworkFilm
from mri2mesh.engines.dense_maps.inputs import Reference
from mri2mesh.engines.dense_maps.maps import BoneMaps
from mri2mesh.engines.dense_maps.network import CANONICAL_MM, GRID, DepthNet
from mri2mesh.engines.revert.contrast import local_contrast
from mri2mesh.engines.revert.crop import FIELD_MM, Crop, contrasted, crop_camera, resampled
from mri2mesh.engines.revert.inputs import camera_channels
from mri2mesh.engines.revert.key_points import COUNT, KEY_VERTICES, decoded
from mri2mesh.geometry.transforms import rigid_fit

SAMPLES = Noise(along=4.0, across=4.0, independent=40)
"""How far the network's samples are off, mm, and how many of them err independently."""


@dataclass(frozen=True)
class KeyNoise:
    """Standard deviations of a key point, mm, along the beam and across it, and how many of them err independently."""

    along: float = 4.0
    across: float = 3.0
    independent: float = 6.0


KEY_POINTS = KeyNoise()
LARGER_ERRORS = 2.7
"""Errors over the posterior's standard deviation, on films of subjects that the networks learned from: most of an error
is the turn of the whole vertebra, in which all pixels and points err alike."""


@dataclass(frozen=True)
class SeenVertebra:
    """crop: around it. maps: of it alone, one bone, on the crop's grid. points: [N, 3] RAS mm of its `key_points`,
    where the network says where they are."""

    crop: Crop
    maps: BoneMaps
    points: NDArray[np.float64] | None = None

    def moved_along_rays(self, factor: float) -> SeenVertebra:
        """The same picture of a vertebra so many times as far from the source."""
        source = self.crop.camera.source_ras_mm
        points = None if self.points is None else source + factor * (self.points - source)
        maps = replace(self.maps, depth_mm=self.maps.depth_mm * np.float32(factor))
        return replace(self, maps=maps, points=points)


def crop_of(film: NetworkFilm, centre_ras_mm: NDArray, reference: Reference, pixels: int) -> Crop:
    """The crop around a body, so many pixels wide. film: with pixels of about a millimetre. reference: how deep
    the body is expected, along the film's beam."""
    ray = np.asarray(centre_ras_mm) - film.camera.source_ras_mm
    ray = ray / np.linalg.norm(ray)
    away = reference.depth_mm / float(ray @ film.camera.axes_ras[2])
    camera = crop_camera(film.camera, film.camera.project(np.asarray(centre_ras_mm)), away, pixels)
    image = contrasted(resampled(film.film, film.camera, camera))
    return Crop(local_contrast(image, FIELD_MM / pixels), camera, reference.sd_mm)


def look_at(network: DepthNet, crops: Sequence[Crop]) -> list[SeenVertebra]:
    """What the network sees in each of the crops, all at once."""
    on = next(network.parameters()).device
    cameras = [crop.camera.coarser(GRID) for crop in crops]
    channels = [
        camera_channels(camera, Reference(crop.camera.source_to_detector_mm, crop.sd_mm))
        for crop, camera in zip(crops, cameras, strict=True)
    ]
    with torch.inference_mode():
        found = network(
            torch.from_numpy(np.stack([crop.image for crop in crops]))[:, None].to(on),
            torch.from_numpy(np.stack(channels)).to(on),
        )
    presence = torch.sigmoid(found.mask).cpu().numpy()
    depth, places = found.log_depth.exp().cpu().numpy(), found.canonical.cpu().numpy() * CANONICAL_MM
    points: list[NDArray[np.float64] | None] = [None] * len(crops)
    if found.numbers is not None:
        numbers = found.numbers.cpu().numpy()
        points = [decoded(crop, numbers[k]) for k, crop in enumerate(crops)]
    return [
        SeenVertebra(
            crop,
            BoneMaps(presence[k], depth[k] * crop.camera.source_to_detector_mm, places[k], cameras[k]),
            points[k],
        )
        for k, crop in enumerate(crops)
    ]


def completed(
    seen: SeenVertebra,
    model: ShapeModel,
    places: NDArray,
    shift_sd_mm: float,
    *,
    scale: bool = False,
    noise: Noise = SAMPLES,
    key: KeyNoise = KEY_POINTS,
    outlined: bool = True,
) -> Completion | None:
    """The model of the level laid on what is seen; None where that is too little. places: [V, 3] of its vertices on the
    mean vertebra."""
    samples = seen.maps.samples(0)
    if len(samples) < FEWEST_POINTS:
        return None
    outlines = Outlines(model, seen.maps.presence, seen.maps.shown, seen.maps.camera) if outlined else None
    found = complete(
        model,
        places,
        samples,
        noise=replace(noise, shift=shift_sd_mm),
        scale=scale,
        outlines=outlines,
        held=_held(seen, key),
        start=None if seen.points is None else rigid_fit(model.mean[KEY_VERTICES], seen.points),
    )
    return replace(found, uncertainty_mm=LARGER_ERRORS * found.uncertainty_mm)


def _held(seen: SeenVertebra, noise: KeyNoise) -> list[HeldPoint]:
    """The key points, as exactly as they are known."""
    if seen.points is None:
        return []
    beam = seen.crop.camera.axes_ras[2]
    along = np.outer(beam, beam)
    information = along / noise.along**2 + (np.eye(3) - along) / noise.across**2
    information *= noise.independent / COUNT
    return [
        HeldPoint([np.array([row])], point, information)
        for row, point in zip(KEY_VERTICES, seen.points, strict=True)
    ]

"""One vertebra: the crop around it, what the network sees there, and the surface that the shape model makes of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from mri2mesh.anatomy.shape_models.model import ShapeModel
from mri2mesh.engines.dense_maps.completion.complete import FEWEST_POINTS, Completion, Noise, complete
from mri2mesh.engines.dense_maps.film import NetworkFilm
from mri2mesh.engines.dense_maps.inputs import Reference
from mri2mesh.engines.dense_maps.maps import BoneMaps
from mri2mesh.engines.dense_maps.network import CANONICAL_MM, GRID, DepthNet
from mri2mesh.engines.revert.contrast import local_contrast
from mri2mesh.engines.revert.crop import FIELD_MM, Crop, contrasted, crop_camera, resampled
from mri2mesh.engines.revert.inputs import camera_channels

SAMPLES = Noise(along=4.0, across=4.0, independent=40)
"""How far the network's samples are off, mm, and how many of them err independently."""


@dataclass(frozen=True)
class SeenVertebra:
    """crop: around it. maps: of it alone, one bone, on the crop's grid."""

    crop: Crop
    maps: BoneMaps


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
    return [
        SeenVertebra(
            crop, BoneMaps(presence[k], depth[k] * crop.camera.source_to_detector_mm, places[k], cameras[k])
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
) -> Completion | None:
    """The model of the level laid on what is seen; None where that is too little. places: [V, 3] of its vertices on the
    mean vertebra."""
    samples = seen.maps.samples(0)
    if len(samples) < FEWEST_POINTS:
        return None
    known = Noise(noise.along, noise.across, shift_sd_mm, noise.independent)
    return complete(model, places, samples, noise=known, scale=scale)

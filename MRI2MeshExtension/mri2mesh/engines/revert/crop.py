"""The part of a film around one vertebra, as a camera of its own that looks straight at it; points in its frame.

The new camera has the film's source and axes turned so that the middle of the crop lies on the beam: perspective is
kept exactly. Its detector stands at the reference distance, where the vertebra is expected, so that its pixels are
millimetres there, however far the film was.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from mri2mesh.geometry.xray_camera import XrayCamera

FIELD_MM = 144.0
"""Side of a crop at the reference distance, its middle on the body: a spinous process ends some 70 mm behind that."""
UNIT_MM = 30.0
"""What one unit of the network's coordinates stands for."""
DEPTH_GAIN = 10.0
_TYPICAL_MM = 900.0


@dataclass(frozen=True)
class Crop:
    """image: [H, W]. camera: of the crop; its distance from source to detector is the reference distance. sd_mm: how
    far off that may be. known: False for an image without a geometry: then points are patient axes about their centre.
    """

    image: NDArray[np.float32]
    camera: XrayCamera
    sd_mm: float
    known: bool = True


def crop_camera(camera: XrayCamera, centre_px: ArrayLike, reference_mm: float, size: int) -> XrayCamera:
    """The camera of a crop of size x size pixels around centre_px (column, row) of a film.

    reference_mm: from the source to where the vertebra is expected, along the ray through that pixel.
    """
    column, row = np.asarray(centre_px, dtype=np.float64)
    ray = np.linalg.solve(camera.matrix[:, :3], [column, row, 1.0])
    beam = ray / np.linalg.norm(ray) * np.sign(ray @ camera.axes_ras[2])
    columns = camera.axes_ras[0] - (camera.axes_ras[0] @ beam) * beam
    columns /= np.linalg.norm(columns)
    rows = np.cross(beam, columns) * np.sign(np.linalg.det(camera.axes_ras))
    spacing = FIELD_MM / size
    return XrayCamera(
        camera.source_ras_mm,
        np.stack([columns, rows, beam]),
        reference_mm,
        (spacing, spacing),
        ((size - 1) / 2, (size - 1) / 2),
        (size, size),
    )


def resampled(image: NDArray, camera: XrayCamera, crop: XrayCamera) -> NDArray[np.float32]:
    """[h, w] the film [H, W] as the crop's camera sees it; beyond the film its border goes on."""
    row, column = np.indices(crop.size)
    pixels = np.stack([column, row, np.ones_like(row)], -1).reshape(-1, 3) * crop.source_to_detector_mm
    points = (pixels - crop.matrix[:, 3]) @ np.linalg.inv(crop.matrix[:, :3]).T
    places = camera.project(points).reshape(*crop.size, 2)
    rows, columns = image.shape
    grid = (2 * places + 1) / [columns, rows] - 1
    film = torch.from_numpy(np.ascontiguousarray(image, dtype=np.float32))[None, None]
    found = torch.nn.functional.grid_sample(
        film, torch.from_numpy(grid.astype(np.float32))[None], padding_mode="border", align_corners=False
    )
    return found[0, 0].numpy()


def contrasted(image: NDArray) -> NDArray[np.float32]:
    """[h, w] between about -1 and 1: the 2nd and 98th percentile there, clipped at 1.5."""
    low, high = np.percentile(image, [2, 98])
    return np.clip((image - low) / max(high - low, 1e-6) * 2 - 1, -1.5, 1.5).astype(np.float32)


def flipped(crop: Crop) -> Crop:
    """The same view mirrored left to right, image and camera together: points in its frame are mirrored with it."""
    (columns, rows, beam), (column, row) = crop.camera.axes_ras, crop.camera.principal_point_px
    camera = replace(
        crop.camera,
        axes_ras=np.stack([-columns, rows, beam]),
        principal_point_px=(crop.camera.size[1] - 1 - column, row),
    )
    return replace(crop, image=np.ascontiguousarray(crop.image[:, ::-1]), camera=camera)


def camera_numbers(crop: Crop) -> NDArray[np.float32]:
    """[9]: the directions of the beam and of the image's columns in the patient, the logarithm of the reference
    distance, how uncertain it is, and 1; all zero for an unknown geometry."""
    if not crop.known:
        return np.zeros(9, np.float32)
    columns, _, beam = crop.camera.axes_ras
    distance = np.log(crop.camera.source_to_detector_mm / _TYPICAL_MM)
    return np.array([*beam, *columns, 2 * distance, crop.sd_mm / 30.0, 1.0], dtype=np.float32)


@dataclass(frozen=True)
class CodedTruth:
    """What `networks.points_net.CodedPoints` should be: shape [N, 3], centre [2], depth."""

    shape: NDArray[np.float32]
    centre: NDArray[np.float32]
    depth: float


def encode(crop: Crop, points_ras_mm: NDArray) -> CodedTruth:
    """Points of a vertebra in the frame and units of a crop."""
    if not crop.known:
        middle = points_ras_mm.mean(axis=0)
        return CodedTruth(
            ((points_ras_mm - middle) / UNIT_MM).astype(np.float32), np.zeros(2, np.float32), 0.0
        )
    local = (points_ras_mm - crop.camera.source_ras_mm) @ crop.camera.axes_ras.T
    middle = local.mean(axis=0)
    apart = middle[2] / crop.camera.source_to_detector_mm
    shape = (local - middle) / apart / UNIT_MM
    centre = middle[:2] / apart / UNIT_MM
    return CodedTruth(shape.astype(np.float32), centre.astype(np.float32), float(DEPTH_GAIN * np.log(apart)))


def decode(crop: Crop, shape: NDArray, centre: NDArray, depth: float) -> NDArray[np.float64]:
    """[N, 3] RAS mm: the inverse of `encode`. For an unknown geometry millimetres about zero, patient axes."""
    if not crop.known:
        return np.asarray(shape, dtype=np.float64) * UNIT_MM
    apart = np.exp(depth / DEPTH_GAIN)
    local = (np.asarray(shape, dtype=np.float64) + [*centre, 0.0]) * UNIT_MM * apart
    local[:, 2] += crop.camera.source_to_detector_mm * apart
    return np.asarray(local @ crop.camera.axes_ras + crop.camera.source_ras_mm)

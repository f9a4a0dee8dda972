"""What the network sees of a bone of which landmarks were picked.

The network knows bones of the usual size that stand as people stand. Landmarks say how large a picture of unknown scale
is and how the bone lies in it; and what is seen far from where they put the bone is not that bone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, label

from mri2mesh.anatomy.hip_region import BONES
from mri2mesh.anatomy.shape_models.model import ShapeModel
from mri2mesh.engines.ddx.networks.stored import TrainedNetwork
from mri2mesh.engines.ddx.seeing import Picture, Seen, from_the_front, polarised
from mri2mesh.engines.dense_maps.inputs import Reference
from mri2mesh.engines.dense_maps.maps import SURE, BoneMaps, bone_seen
from mri2mesh.geometry.xray_camera import XrayCamera
from mri2mesh.imaging.radiographs.radiograph import Radiograph

FEWEST = 2
REACH_MM = 15.0
"""How far from the mean bone, laid on the landmarks, the bone can be seen."""
_SIZES = (0.4, 2.5)
"""What a picture's assumed scale may be wrong by."""


@dataclass(frozen=True)
class Laid:
    """The mean bone on its landmarks, as seen in a picture: turned clockwise by so many degrees, and so many times as
    large as in life. pixels: [V, 2] (column, row) of its vertices."""

    degrees: float
    larger: float
    pixels: NDArray[np.float64]


def see_picked(
    radiograph: Radiograph,
    trained: TrainedNetwork,
    reference: Reference,
    model: ShapeModel,
    picked: Mapping[str, tuple[float, float]],
) -> Seen | None:
    """picked: name -> (column, row) of the model's landmarks. None for a view from the side, and where there are fewer
    than two landmarks.

    A picture is taken to show bone as it shows more of this one: of 36 round fields of left-out people that was right
    in all, by all bones together in 31; of 36 others in 28, either way.
    """
    if len(picked) < FEWEST or not from_the_front(radiograph.camera):
        return None
    laid = laid_on(radiograph.camera, reference.depth_mm, model, picked)
    scale = 1.0 if radiograph.scale_known else float(np.clip(1 / laid.larger, *_SIZES))
    own = [BONES.index(name) for name in model.part_names if name in BONES]

    def near(maps: BoneMaps) -> BoneMaps:
        return _near(maps, radiograph.camera, reference.depth_mm, model, laid)

    picture = Picture.of(radiograph).turned(laid.degrees)
    seen = polarised(picture, trained, reference, scale, lambda maps: bone_seen(near(maps).presence[own]))
    return replace(seen, maps=near(seen.maps))


def laid_on(
    camera: XrayCamera, depth_mm: float, model: ShapeModel, picked: Mapping[str, tuple[float, float]]
) -> Laid:
    """By the similarity of the plane that brings the mean landmarks, as seen from the front, nearest to the picked ones
    (Procrustes). depth_mm: of the bone from the source."""
    pixels_per_mm = camera.source_to_detector_mm / depth_mm / np.array(camera.pixel_spacing_mm)[::-1]
    on_film = np.array(list(picked.values()), dtype=np.float64)
    middle = on_film.mean(axis=0)
    known = np.array([model.mean[model.landmarks[name]].mean(axis=0) for name in picked])
    flat = (known - known.mean(axis=0)) @ camera.axes_ras[:2].T
    there = (on_film - middle) / pixels_per_mm
    a, b = (one[:, 0] + 1j * one[:, 1] for one in (flat, there))
    by = complex((a.conj() @ b) / max(float((a.conj() @ a).real), 1e-9))
    whole = (model.mean - known.mean(axis=0)) @ camera.axes_ras[:2].T
    moved = by * (whole[:, 0] + 1j * whole[:, 1])
    pixels = np.stack([moved.real, moved.imag], axis=1) * pixels_per_mm + middle
    return Laid(float(np.degrees(np.angle(by))), max(abs(by), 1e-6), pixels)


def _near(maps: BoneMaps, camera: XrayCamera, depth_mm: float, model: ShapeModel, laid: Laid) -> BoneMaps:
    """The maps, with nothing of this bone far from where it was laid, and of what is near the largest part."""
    at = rays_in(maps.camera, camera, laid.pixels)
    rows, columns = maps.camera.size
    column, row = np.rint(at).astype(int).T
    inside = (column >= 0) & (column < columns) & (row >= 0) & (row < rows)
    mean = np.zeros((rows, columns), bool)
    mean[row[inside], column[inside]] = True
    # pixels of the maps, in millimetres of a bone of the usual size
    pixel = maps.camera.pixel_spacing_mm[0] / maps.camera.source_to_detector_mm * depth_mm / laid.larger
    near = distance_transform_edt(~mean) * pixel <= REACH_MM if mean.any() else np.ones((rows, columns), bool)
    presence = maps.presence.copy()
    for name in model.part_names:
        if name in BONES:
            presence[BONES.index(name)] *= near
            if len(model.part_names) == 1:
                presence[BONES.index(name)] *= _largest(presence[BONES.index(name)] > SURE)
    return replace(maps, presence=presence)


def _largest(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """[H, W] True in the largest part, and everywhere that is in no part."""
    parts, count = label(mask)
    return np.asarray(~mask | (parts == 1 + np.argmax(np.bincount(parts.ravel())[1:]))) if count else ~mask


def rays_in(camera: XrayCamera, other: XrayCamera, pixels: NDArray) -> NDArray[np.float64]:
    """[N, 2] (column, row) in a camera where it shows what another, whose source and beam are the same in a world that
    may be larger, shows at pixels [N, 2]."""
    rays = other.on_detector(pixels) - other.source_ras_mm
    along, down, beam = (rays @ axis for axis in camera.axes_ras)
    row_mm, column_mm = camera.pixel_spacing_mm
    distance, (column, row) = camera.source_to_detector_mm, camera.principal_point_px
    return np.stack(
        [column + along / beam * distance / column_mm, row + down / beam * distance / row_mm], axis=1
    )

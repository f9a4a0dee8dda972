"""The outline of every bone in a film, as what a surface's own outline is drawn to.

A network sees the outline of a bone more exactly than its depth or which point of the bone a pixel shows. What grazes
the beam on the surface (its contour generator) has to lie on that outline: only where the film ends there is none.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import binary_erosion, distance_transform_edt, map_coordinates, zoom

from mri2mesh.anatomy.shape_models.model import ShapeModel
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.sampling import vertex_normals
from mri2mesh.geometry.xray_camera import XrayCamera
from mri2mesh.rendering.both_faces import render_both_faces
from mri2mesh.rendering.projective import ProjectiveCameras

_FINER = 4
"""Presence is looked at on so many times as many pixels along each side: its half-way line runs between pixels."""
_RENDERED_FINER = 2
_GRAZING = 0.35
"""Cosine between normal and ray below which a vertex can be on the outline."""
_FROM_EDGE_PX = 1.5
_MOST_VERTICES = 160
"""Of each part: neighbours say the same."""
_FEWEST_PIXELS = 12
_NEARBY_PX = 6


@dataclass(frozen=True)
class OutlineResiduals:
    """rows: [K] vertices of the model. direction: [K, 3] how a residual grows as the vertex moves, about a unit vector
    across the beam. outside_mm: [K] how far each lies outside the outline, at its own depth."""

    rows: NDArray[np.int64]
    direction: NDArray[np.float64]
    outside_mm: NDArray[np.float64]


class Outlines:
    """presence: [P, H, W], 0 to 1, of the parts of a model. shown: [H, W] where the film is, None for everywhere.
    camera: of H x W."""

    def __init__(
        self, model: ShapeModel, presence: NDArray, shown: NDArray[np.bool_] | None, camera: XrayCamera
    ) -> None:
        self.model, self.camera = model, camera
        self.distance = [signed_distance(part, _FINER) for part in presence]
        inner = np.pad(np.ones(camera.size, bool) if shown is None else shown, 1)
        self.from_edge = distance_transform_edt(inner)[1:-1, 1:-1] - 0.5
        part = np.zeros(len(model.mean), np.int64)
        part[model.faces.ravel()] = np.repeat(model.part, 3)
        self.part = part

    def residuals(self, vertices: NDArray) -> OutlineResiduals:
        """Of posed vertices [V, 3] RAS mm. Empty where no outline is in the film."""
        camera = self.camera
        normals = vertex_normals(Mesh(vertices.astype(np.float32), self.model.faces))
        rays = vertices - camera.source_ras_mm
        grazing = np.abs((normals * rays).sum(1)) < _GRAZING * np.linalg.norm(rays, axis=1)
        pixels = camera.project(vertices)
        inside = self._value(self.from_edge, pixels) > _FROM_EDGE_PX
        rows = []
        for number, (seen, own) in enumerate(zip(self.distance, self._own_outlines(vertices), strict=True)):
            if seen is None or own is None:
                continue
            here = np.flatnonzero(grazing & inside & (self.part == number))
            here = here[np.abs(self._value(own, pixels[here])) < 1.0 / _RENDERED_FINER]
            rows.append(here[:: max(1, len(here) // _MOST_VERTICES)])
        chosen = np.concatenate(rows) if rows else np.zeros(0, np.int64)
        return self._measured(chosen, pixels[chosen], vertices[chosen])

    def _measured(self, rows: NDArray, pixels: NDArray, points: NDArray) -> OutlineResiduals:
        outside, slope = np.zeros(len(rows)), np.zeros((len(rows), 2))
        for number, distance in enumerate(self.distance):
            here = self.part[rows] == number
            if distance is None or not here.any():
                continue
            outside[here] = self._value(distance, pixels[here])
            for axis in (0, 1):  # columns, rows
                step = np.zeros(2)
                step[axis] = 0.5
                further = self._value(distance, pixels[here] + step)
                slope[here, axis] = further - self._value(distance, pixels[here] - step)
        matrix = self.camera.matrix[:, :3]
        depth = points @ matrix[2] + self.camera.matrix[2, 3]
        moved = (matrix[None, :2] - pixels[:, :, None] * matrix[None, 2:]) / depth[:, None, None]
        pixel_mm = self.camera.pixel_spacing_mm[0] * depth / self.camera.source_to_detector_mm
        direction = pixel_mm[:, None] * np.einsum("ka,kac->kc", slope, moved)
        return OutlineResiduals(rows, direction, outside * pixel_mm)

    def _own_outlines(self, vertices: NDArray) -> list[NDArray | None]:
        camera = self.camera.finer(_RENDERED_FINER)
        rendered = render_both_faces(
            torch.from_numpy(vertices.astype(np.float32))[None],
            torch.from_numpy(self.model.faces),
            torch.from_numpy(self.model.part),
            len(self.distance),
            ProjectiveCameras.of([camera]),
        ).mask[0, 0]
        found = [_distance_nearby(part.numpy().astype(np.float32)) for part in rendered]
        return [None if one is None else zoom_down(one, _RENDERED_FINER) for one in found]

    @staticmethod
    def _value(image: NDArray, pixels: NDArray) -> NDArray[np.float64]:
        return np.asarray(map_coordinates(image, pixels[:, ::-1].T, order=1, mode="nearest"))


def _distance_nearby(presence: NDArray) -> NDArray[np.float64] | None:
    """[H, W] as `signed_distance`, of a part that is there or not; far away it is just large, and quick to find."""
    rows, columns = (np.flatnonzero(presence.any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return None
    box = tuple(slice(max(0, one[0] - _NEARBY_PX), one[-1] + _NEARBY_PX + 1) for one in (rows, columns))
    there = signed_distance(presence[box], 1)
    if there is None:
        return None
    distance = np.full(presence.shape, float(_NEARBY_PX))
    distance[box] = there
    return distance


def signed_distance(presence: NDArray, finer: int) -> NDArray[np.float64] | None:
    """[H, W] pixels to the line where presence is one half, + outside; nothing where there is hardly any bone."""
    large = zoom(presence, finer, order=1, grid_mode=True, mode="nearest") if finer > 1 else presence
    on = large > 0.5
    if on.sum() < _FEWEST_PIXELS * finer**2 or on.all() or not binary_erosion(on).any():
        return None
    distance = (distance_transform_edt(~on) - distance_transform_edt(on)) / finer
    # Half a small pixel lies between the middle of the last one outside and the line.
    distance -= np.sign(distance) * 0.5 / finer
    return zoom_down(distance, finer) if finer > 1 else distance


def zoom_down(image: NDArray, factor: int) -> NDArray[np.float64]:
    """Means over factor x factor pixels; distances in the larger pixels are meant."""
    rows, columns = image.shape
    return np.asarray(image.reshape(rows // factor, factor, columns // factor, factor).mean(axis=(1, 3)))

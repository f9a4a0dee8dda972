"""Depth maps to points in space, exactly through the camera, with the place on the bone that each belongs to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mri2mesh.geometry.xray_camera import XrayCamera


@dataclass(frozen=True)
class SurfacePoints:
    """Samples of one bone's surface, both faces together.

    points: [N, 3] RAS mm. places: [N, 3] mm, where on the mean bone each lies. rays: [N, 3] unit vectors from the
    source. confidence: [N], 0 to 1. back: [N], whether it is of the face farthest from the source.
    """

    points: NDArray[np.float64]
    places: NDArray[np.float64]
    rays: NDArray[np.float64]
    confidence: NDArray[np.float64]
    back: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.points)

    def some(self, rows: NDArray) -> SurfacePoints:
        """The points of some rows."""
        return SurfacePoints(
            self.points[rows], self.places[rows], self.rays[rows], self.confidence[rows], self.back[rows]
        )


def points_from_depth(
    camera: XrayCamera, column: NDArray, row: NDArray, depth_mm: NDArray
) -> NDArray[np.float64]:
    """[N, 3] RAS mm of pixels at depths along the beam (not along their rays): the inverse of the projection."""
    depth = np.asarray(depth_mm, dtype=np.float64)
    homogeneous = np.stack([np.asarray(column) * depth, np.asarray(row) * depth, depth], axis=-1)
    inner, shift = camera.matrix[:, :3], camera.matrix[:, 3]
    return np.asarray((homogeneous - shift) @ np.linalg.inv(inner).T)


def surface_points(
    camera: XrayCamera, presence: NDArray, depth_mm: NDArray, canonical_mm: NDArray, *, least: float = 0.5
) -> SurfacePoints:
    """The samples of one bone on the camera's own grid.

    presence: [H, W] how likely the bone is there. depth_mm: [2, H, W] along the beam, nearest and farthest face; a
    pixel without a known depth (NaN) gives no sample. canonical_mm: [2, 3, H, W]. least: presence from which a pixel is
    used. Faces closer together than a pixel, as at the outline, are the least certain: their confidence falls with the
    step of depth from pixel to pixel.
    """
    sides = []
    for side in (0, 1):
        depth = depth_mm[side]
        on = (presence >= least) & np.isfinite(depth)
        row, column = np.nonzero(on)
        points = points_from_depth(camera, column, row, depth[row, column])
        ray = points - camera.source_ras_mm
        ray /= np.linalg.norm(ray, axis=1, keepdims=True)
        steep = _steps(depth, on)[row, column]
        pixel = camera.pixel_spacing_mm[0] * depth[row, column] / camera.source_to_detector_mm
        certain = presence[row, column] / (1 + (steep / (2 * pixel)) ** 2)
        places = canonical_mm[side][:, row, column].T
        sides.append((points, places, ray, certain, np.full(len(row), bool(side))))
    points, places, ray, certain, back = (np.concatenate(both) for both in zip(*sides, strict=True))
    return SurfacePoints(points, places.astype(np.float64), ray, certain, back)


def _steps(depth: NDArray, on: NDArray) -> NDArray[np.float64]:
    """[H, W] the largest change of depth to a neighbour on the same bone."""
    largest = np.zeros(depth.shape)
    for axis in (0, 1):
        change = np.abs(np.diff(depth, axis=axis))
        both = on[1:] & on[:-1] if axis == 0 else on[:, 1:] & on[:, :-1]
        change = np.where(both, change, 0.0)
        first = (slice(None, -1), slice(None)) if axis == 0 else (slice(None), slice(None, -1))
        second = (slice(1, None), slice(None)) if axis == 0 else (slice(None), slice(1, None))
        largest[first] = np.maximum(largest[first], change)
        largest[second] = np.maximum(largest[second], change)
    return largest

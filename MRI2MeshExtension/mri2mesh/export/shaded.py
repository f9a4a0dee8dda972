"""Shaded pictures of surfaces without a graphics card, a display or a driver.

Off-screen OpenGL ends the whole process where neither EGL nor OSMesa is installed, so the few pictures of a
report are drawn here: a depth buffer filled from samples of the faces, dense enough that no pixel is missed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mri2mesh.geometry.mesh import Mesh

SAMPLE_PX = 0.8
"""Longest side of the triangles between samples: their circumcircle stays inside a pixel."""


@dataclass(frozen=True)
class Camera:
    """Parallel projection. right, up: unit vectors in RAS; their cross product points to the viewer."""

    right: tuple[float, float, float]
    up: tuple[float, float, float]

    @property
    def towards_viewer(self) -> NDArray[np.float64]:
        return np.cross(self.right, self.up)


ANTERIOR = Camera((-1, 0, 0), (0, 0, 1))
"""From the front: the patient's right is on the left of the picture."""
LEFT_LATERAL = Camera((0, -1, 0), (0, 0, 1))
"""From the patient's left: anterior is on the left of the picture."""


def shade(
    meshes: Sequence[Mesh],
    colours: Sequence[tuple[float, float, float]],
    camera: Camera,
    extent: tuple[float, float, float, float],
    pixel_mm: float,
) -> NDArray[np.float32]:
    """[rows, columns, 4] RGBA 0..1, first row on top, transparent where there is nothing.

    meshes: closed, outward. colours: RGB of each. extent: left, right, bottom, top in millimetres along the
    camera's right and up. Drawn at twice the resolution and averaged.
    """
    fine = pixel_mm / 2
    columns, rows = (2 * int(np.ceil((extent[1 + n] - extent[n]) / pixel_mm)) for n in (0, 2))
    depth = np.full(rows * columns, -np.inf, dtype=np.float32)
    image = np.zeros((rows * columns, 4), dtype=np.float32)
    axes = np.array([camera.right, camera.up, camera.towards_viewer], dtype=np.float64)
    for mesh, colour in zip(meshes, colours, strict=True):
        points = ((mesh.vertices @ axes.T - [extent[0], extent[2], 0]) / fine).astype(np.float32)
        normals = (_vertex_normals(mesh) @ axes.T).astype(np.float32)
        for corners, weights in _facing(points, mesh.faces):
            position = (weights @ points[corners]).reshape(-1, 3)
            at = np.floor(position[:, :2]).astype(np.int64)
            kept = np.flatnonzero(((at >= 0) & (at < [columns, rows])).all(axis=1))
            pixel, nearness = at[kept, 1] * columns + at[kept, 0], position[kept, 2]
            np.maximum.at(depth, pixel, nearness)
            front = nearness >= depth[pixel]
            face, sample = np.divmod(kept[front], len(weights))
            normal = (weights[sample, None] @ normals[corners[face]])[:, 0]
            image[pixel[front], :3] = _light(normal, colour)
            image[pixel[front], 3] = 1
    image[:, :3] *= image[:, 3:]
    small = image.reshape(rows // 2, 2, columns // 2, 2, 4).mean(axis=(1, 3))
    small[..., :3] /= np.maximum(small[..., 3:], 1e-6)
    return small[::-1].clip(0, 1)


def _facing(points: NDArray, faces: NDArray) -> Iterator[tuple[NDArray, NDArray]]:
    """Faces turned to the viewer, like sizes together: [N, 3] vertices and [S, 3] barycentric samples."""
    corner = points[faces][..., :2]
    side = corner[:, 1:] - corner[:, :1]
    facing = side[:, 0, 0] * side[:, 1, 1] - side[:, 0, 1] * side[:, 1, 0] > 0
    longest = np.linalg.norm(corner - np.roll(corner, 1, axis=1), axis=2).max(axis=1)
    steps = np.where(facing, np.ceil(longest / SAMPLE_PX).astype(np.int64), 0)
    for n in np.unique(steps[facing]):
        a, b = np.meshgrid(np.arange(n + 1), np.arange(n + 1))
        weights = np.stack([a, b, n - a - b], axis=-1)[a + b <= n] / n
        yield faces[steps == n], weights.astype(np.float32)


def _vertex_normals(mesh: Mesh) -> NDArray[np.float64]:
    """[V, 3] area-weighted, not normalised."""
    corner = mesh.vertices.astype(np.float64)[mesh.faces]
    face = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
    normals = np.zeros((len(mesh.vertices), 3))
    for n in range(3):
        np.add.at(normals, mesh.faces[:, n], face)
    return normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)


def _light(normals: NDArray, colour: tuple[float, float, float]) -> NDArray:
    """Headlight a little above and to the left of the viewer, some ambient light, a soft highlight."""
    unit = normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    light = np.array([-0.35, 0.45, 0.82])
    light /= np.linalg.norm(light)
    diffuse = np.clip(unit @ light, 0, 1)[:, None]
    half = light + [0, 0, 1]
    highlight = np.clip(unit @ (half / np.linalg.norm(half)), 0, 1)[:, None] ** 30
    return np.array(colour) * (0.28 + 0.72 * diffuse) + 0.18 * highlight

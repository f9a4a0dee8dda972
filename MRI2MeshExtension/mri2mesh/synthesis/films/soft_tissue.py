"""Soft tissue around hips and pelvis along every ray: trunk and thighs with fat, and gas in the bowel. Water-equivalent
millimetres. Lengths inside ellipsoids are exact, and so is the length inside their union."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import zoom
from scipy.spatial.transform import Rotation

from mri2mesh.geometry.xray_camera import XrayCamera
from mri2mesh.synthesis.films.posed_region import PosedRegion

_FAT_PER_WATER = 0.9
_GAS_GRID = 4
"""Gas is worked out on pixels four times as large: it has soft edges."""


@dataclass(frozen=True)
class Ellipsoid:
    """centre [3]; axes: [3, 3], rows are the unit half axes divided by their lengths."""

    centre: NDArray[np.float64]
    axes: NDArray[np.float64]

    @classmethod
    def of(cls, centre: NDArray, half_mm: NDArray, rotation: NDArray | None = None) -> Ellipsoid:
        """half_mm: [3] half axes; rotation: [3, 3], columns their directions."""
        turn = np.eye(3) if rotation is None else rotation
        return cls(np.asarray(centre, float), (turn / np.asarray(half_mm)).T)

    def shrunk(self, by: float) -> Ellipsoid:
        """The same with half axes by times as long."""
        return Ellipsoid(self.centre, self.axes / by)


def ray_directions(camera: XrayCamera) -> NDArray[np.float32]:
    """[H, W, 3] unit vectors from the source through each pixel centre."""
    rows, columns = np.meshgrid(*(np.arange(n) for n in camera.size), indexing="ij")
    ray = np.stack([columns, rows, np.ones_like(rows)], -1) @ np.linalg.inv(camera.matrix[:, :3]).T
    return np.asarray(ray / np.linalg.norm(ray, axis=-1, keepdims=True), dtype=np.float32)


def interval(body: Ellipsoid, source: NDArray, ray: NDArray) -> tuple[NDArray, NDArray]:
    """[H, W] where each ray enters and leaves, mm from the source; equal where it misses."""
    along = ray @ body.axes.T.astype(np.float32)
    start = (body.axes @ (source - body.centre)).astype(np.float64)
    a = np.einsum("hwk,hwk->hw", along, along)
    b = along @ start.astype(np.float32)
    root = np.sqrt(np.maximum(b * b - a * np.float32(start @ start - 1), 0))
    return (-b - root) / a, (-b + root) / a


def union_length(bodies: list[Ellipsoid], source: NDArray, ray: NDArray) -> NDArray[np.float32]:
    """[H, W] mm of each ray inside at least one of the bodies."""
    ends = [interval(body, source, ray) for body in bodies]
    enter = np.stack([end[0] for end in ends])
    leave = np.stack([end[1] for end in ends])
    order = np.argsort(enter, axis=0)
    enter, leave = np.take_along_axis(enter, order, 0), np.take_along_axis(leave, order, 0)
    total, reached = np.zeros(ray.shape[:2], np.float32), np.full(ray.shape[:2], -np.inf)
    for k in range(len(bodies)):
        total += np.maximum(leave[k] - np.maximum(enter[k], reached), 0).astype(np.float32)
        reached = np.maximum(reached, leave[k])
    return total


def soft_tissue(region: PosedRegion, camera: XrayCamera, rng: np.random.Generator) -> NDArray[np.float32]:
    """[H, W] water-equivalent mm along each ray: 0 in the air beside the patient."""
    bodies, lean = _body(region, rng)
    ray, source = ray_directions(camera), camera.source_ras_mm
    whole = union_length(bodies, source, ray)
    inner = union_length([body.shrunk(lean) for body in bodies], source, ray)
    tissue = _FAT_PER_WATER * whole + (1 - _FAT_PER_WATER) * np.minimum(inner, whole)
    coarse = camera.coarser(_GAS_GRID)
    lumps = _lumps(region, coarse, rng)
    return np.maximum(tissue + np.minimum(zoom(lumps, _GAS_GRID, order=1), 0.3 * tissue), 0.15 * tissue)


def _body(region: PosedRegion, rng: np.random.Generator) -> tuple[list[Ellipsoid], float]:
    """Trunk and two thighs around the bones, and how much smaller lean tissue is."""
    bones = region.vertices[: region.bone_vertices]
    middle = region.hips_ras_mm.mean(axis=0)
    half_width = np.abs(bones[bones[:, 2] > middle[2] - 40, 0] - middle[0]).max()
    stout = abs(rng.normal(0, 0.22))
    trunk_half = [
        half_width + rng.uniform(18, 40) + 70 * stout,
        rng.uniform(95, 130) * (1 + 0.9 * stout),
        330.0,
    ]
    trunk = Ellipsoid.of(middle + [0, rng.uniform(-5, 25), rng.uniform(170, 220)], np.array(trunk_half))
    bodies = [trunk]
    for hip, down in zip(region.hips_ras_mm, region.thighs, strict=True):
        side = np.sign(hip[0] - middle[0])
        turn = Rotation.align_vectors(down[None], [[0, 0, -1.0]])[0].as_matrix()
        radius = rng.uniform(75, 95) * (1 + 0.6 * stout)
        centre = hip + 130 * down + [side * rng.uniform(5, 20), rng.uniform(-10, 10), 0]
        bodies.append(Ellipsoid.of(centre, np.array([radius, radius * rng.uniform(0.9, 1.1), 290.0]), turn))
    return bodies, float(rng.uniform(0.78, 0.95) - 0.15 * stout)


def _lumps(region: PosedRegion, camera: XrayCamera, rng: np.random.Generator) -> NDArray[np.float32]:
    """[H, W] mm: chains of gas in the bowel, some contents, and organs a little denser or lighter than the rest."""
    ray, source = ray_directions(camera), camera.source_ras_mm
    middle = region.hips_ras_mm.mean(axis=0)
    total = np.zeros(camera.size, np.float32)

    def chord(centre: NDArray, half: NDArray) -> NDArray:
        enter, leave = interval(Ellipsoid.of(centre, half), source, ray)
        return leave - enter

    for _ in range(int(rng.integers(4, 9))):
        centre = middle + rng.uniform([-150, -60, -220], [150, 70, 220])
        total += rng.normal(0, 0.06) * chord(centre, rng.uniform(20, 70, 3))
    gas = np.zeros(camera.size, np.float32)
    for _ in range(int(rng.integers(0, 5))):
        place = middle + rng.uniform([-110, 0, 10], [110, 60, 210])
        step = rng.normal(0, 1.0, 3)
        for _ in range(int(rng.integers(1, 10))):
            half = rng.uniform(7, 22) * np.exp(rng.normal(0, 0.25, 3))
            gas = np.maximum(gas, chord(place, half))
            step = step + rng.normal(0, 0.5, 3)
            place = place + step / np.linalg.norm(step) * rng.uniform(10, 22)
    return np.asarray(total - gas * rng.uniform(0.5, 1.0), dtype=np.float32)

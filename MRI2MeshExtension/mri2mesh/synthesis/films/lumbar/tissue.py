"""Soft tissue around the lumbar spine along every ray: the trunk with its fat, psoas and back muscles, kidneys, liver,
lungs above the diaphragm, gas and contents of the bowel. Water-equivalent millimetres."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import zoom
from scipy.spatial.transform import Rotation

from mri2mesh.anatomy.lumbar_region import VERTEBRAE
from mri2mesh.geometry.xray_camera import XrayCamera
from mri2mesh.synthesis.films.lumbar.region import LumbarRegion
from mri2mesh.synthesis.films.soft_tissue import Ellipsoid, interval, ray_directions, union_length

_FAT_PER_WATER = 0.9
_COARSE = 4
"""Organs and gas are worked out on pixels so many times as large: they have soft edges."""


def lumbar_tissue(region: LumbarRegion, camera: XrayCamera, rng: np.random.Generator) -> NDArray[np.float32]:
    """[H, W] water-equivalent mm along each ray: 0 in the air beside the patient."""
    bodies, lean, half = _trunk(region, rng)
    ray, source = ray_directions(camera), camera.source_ras_mm
    whole = union_length(bodies, source, ray)
    inner = union_length([body.shrunk(lean) for body in bodies], source, ray)
    tissue = _FAT_PER_WATER * whole + (1 - _FAT_PER_WATER) * np.minimum(inner, whole)
    organs = _organs(region, half, camera.coarser(_COARSE), rng)
    return np.maximum(tissue + zoom(organs, _COARSE, order=1), 0.12 * tissue)


def _trunk(region: LumbarRegion, rng: np.random.Generator) -> tuple[list[Ellipsoid], float, NDArray]:
    """The trunk around the spine, which lies in its back third; how much smaller its lean part is; its half axes."""
    stout = abs(rng.normal(0, 0.25))
    half = np.array([rng.uniform(135, 170) * (1 + 0.7 * stout), rng.uniform(95, 118) * (1 + 0.9 * stout)])
    behind = region.anchors[:, ANCHOR_SPINOUS, 1].min() - rng.uniform(10, 25) - 35 * stout
    centre = region.middle + [rng.normal(0, 5), 0, rng.uniform(-30, 60)]
    centre[1] = behind + half[1]
    bodies = [Ellipsoid.of(centre, np.array([*half, rng.uniform(480, 700)]))]
    hips = Ellipsoid.of(
        region.middle + [0, centre[1] - region.middle[1], -rng.uniform(150, 200)],
        np.array([half[0] * rng.uniform(1.0, 1.2), half[1] * rng.uniform(0.95, 1.15), 170.0]),
    )
    return [*bodies, hips], float(np.clip(rng.uniform(0.8, 0.95) - 0.2 * stout, 0.55, 0.95)), half


ANCHOR_SPINOUS = 4


def _organs(
    region: LumbarRegion, half: NDArray, camera: XrayCamera, rng: np.random.Generator
) -> NDArray[np.float32]:
    """[H, W] mm more (or less) than the trunk alone."""
    ray, source, middle = ray_directions(camera), camera.source_ras_mm, region.middle
    total = np.zeros(camera.size, np.float32)

    def chord(centre: NDArray, size: NDArray, turn: NDArray | None = None) -> NDArray:
        enter, leave = interval(Ellipsoid.of(centre, size, turn), source, ray)
        return leave - enter

    low, high = (region.anchors[VERTEBRAE.index(level), 0] for level in ("L5", "T12"))
    for side in (-1, 1):
        # Psoas: from T12 outwards and forwards to the hip. Muscle among fat shows as its edge.
        start, stop = high + [side * 25, 0, 0], low + [side * rng.uniform(60, 80), 35, -40]
        total += rng.uniform(0.03, 0.10) * chord(*_spindle(start, stop, rng.uniform(18, 28)))
        back = [side * 32, -55, 0]
        total += rng.uniform(0.02, 0.06) * chord(*_spindle(low + back - [0, 0, 60], high + back, 26.0))
        kidney = middle + [side * rng.uniform(55, 75), -15, rng.uniform(20, 70)]
        total += rng.uniform(0.02, 0.07) * chord(kidney, np.array([27, 27, rng.uniform(50, 62)]))
    dome = region.anchors[0, 0] + [0, 45, rng.uniform(-30, 45)]  # by T11: diaphragm and lungs
    liver = dome + [0.45 * half[0], 0, -65]
    total += rng.uniform(0.02, 0.06) * chord(liver, np.array([0.5 * half[0], 0.7 * half[1], 80.0]))
    air = -rng.uniform(0.6, 0.75)
    for side in (-1, 1):
        lung = dome + [side * 0.5 * half[0], 5, rng.uniform(140, 165)]
        total += air * chord(lung, np.array([0.38 * half[0], 0.75 * half[1], 150.0]))
    for _ in range(int(rng.integers(4, 9))):
        place = middle + rng.uniform([-0.7 * half[0], 0, -150], [0.7 * half[0], half[1], 150])
        total += rng.normal(0, 0.06) * chord(place, rng.uniform(18, 60, 3))
    return total - _gas(region, half, chord, camera, rng)


def _gas(
    region: LumbarRegion, half: NDArray, chord: object, camera: XrayCamera, rng: np.random.Generator
) -> NDArray[np.float32]:
    """[H, W] mm of gas in stomach and bowel: chains of bubbles in front of the spine."""
    assert callable(chord)
    gas = np.zeros(camera.size, np.float32)
    for _ in range(int(rng.integers(1, 8))):
        place = region.middle + rng.uniform([-0.7 * half[0], 45, -170], [0.7 * half[0], 1.2 * half[1], 110])
        step = rng.normal(0, 1.0, 3) * [1.0, 0.4, 1.0]
        for _ in range(int(rng.integers(1, 11))):
            gas = np.maximum(gas, chord(place, rng.uniform(7, 24) * np.exp(rng.normal(0, 0.25, 3))))
            step = step + rng.normal(0, 0.5, 3) * [1.0, 0.4, 1.0]
            place = place + step / np.linalg.norm(step) * rng.uniform(10, 24)
    return np.asarray(gas * rng.uniform(0.4, 1.0), dtype=np.float32)


def _spindle(start: NDArray, stop: NDArray, radius: float) -> tuple[NDArray, NDArray, NDArray]:
    """Centre, half axes and rotation of a long ellipsoid from start to stop."""
    way = stop - start
    length = float(np.linalg.norm(way))
    turn = Rotation.align_vectors(way[None] / length, [[0, 0, 1.0]])[0].as_matrix()
    return (start + stop) / 2, np.array([radius, radius, 0.6 * length]), turn

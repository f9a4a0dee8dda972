"""What surgeons put into and onto lumbar spines, in place: screws with rods, cages, cement, needles, retractors; and
what lies about: clips, leads, buttons."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from mri2mesh.anatomy.lumbar_region import VERTEBRAE
from mri2mesh.synthesis.films.case import FilmCase
from mri2mesh.synthesis.films.lumbar.region import ANCHORS
from mri2mesh.synthesis.films.overlays import METAL_PER_MM, rod_path

KINDS = ("screws", "cement", "needle", "retractor", "cage", "clips", "leads")
_SHARES = (0.34, 0.14, 0.16, 0.1, 0.08, 0.1, 0.08)
_CEMENT_PER_MM = 0.09
_FIRST = VERTEBRAE.index("T12")


def lumbar_hardware(case: FilmCase, rng: np.random.Generator, kind: str | None = None) -> NDArray[np.float32]:
    """[H, W] attenuation of one kind of hardware, drawn where it would be. kind: of `KINDS` (default: any)."""
    kind = str(rng.choice(KINDS, p=_SHARES)) if kind is None else kind
    paint = _Painter(case)
    anchors = case.anchors_ras_mm.reshape(len(VERTEBRAE), len(ANCHORS), 3)
    _DRAW[kind](paint, anchors, rng)
    return np.asarray(paint.path, dtype=np.float32)


class _Painter:
    """Rods between places in space, as the film shows them."""

    def __init__(self, case: FilmCase) -> None:
        rows, columns = case.camera.size
        self.camera = case.camera
        self.y, self.x = np.mgrid[0:rows, 0:columns].astype(np.float32)
        self.path = np.zeros((rows, columns), np.float32)

    def rod(self, start: NDArray, stop: NDArray, radius_mm: float, per_mm: float = METAL_PER_MM) -> None:
        """A round rod; what overlaps adds up. Foreshortened ones are longer along the ray than they are wide."""
        camera, middle = self.camera, (start + stop) / 2
        depth = float((middle - camera.source_ras_mm) @ camera.axes_ras[2])
        if depth < 0.2 * camera.source_to_detector_mm:
            return
        scale = camera.source_to_detector_mm / camera.pixel_spacing_mm[0] / depth
        a, b = camera.project(start), camera.project(stop)
        across = rod_path(self.x, self.y, a, b, radius_mm * scale) / scale
        length = float(np.linalg.norm(stop - start))
        ray = (middle - camera.source_ras_mm) / np.linalg.norm(middle - camera.source_ras_mm)
        along = abs(float((stop - start) @ ray)) / max(length, 1e-6)
        longer = 1 / max(np.sqrt(1 - along**2), 2 * radius_mm / max(length, 2 * radius_mm))
        self.path += per_mm * across * longer


def _screws(paint: _Painter, anchors: NDArray, rng: np.random.Generator) -> None:
    first = int(rng.integers(_FIRST, len(VERTEBRAE) - 1))
    last = min(len(VERTEBRAE) - 1, first + int(rng.integers(1, 4)))
    radius, rods = rng.uniform(2.4, 3.6), rng.random() < 0.85
    for side, outwards in ((1, -1.0), (2, 1.0)):
        heads = []
        for level in range(first, last + 1):
            centre, pedicle, front = anchors[level, 0], anchors[level, side], anchors[level, 3]
            way = pedicle - centre
            tip = centre + rng.uniform(0.2, 0.7) * (front - centre) + 0.12 * way + rng.normal(0, 1.5, 3)
            along = (pedicle - tip) / np.linalg.norm(pedicle - tip)
            head = pedicle + along * rng.uniform(18, 26) + [outwards * 1.0, 0, 0]
            paint.rod(tip, head, radius)
            paint.rod(head - 5 * along, head + 9 * along, rng.uniform(5.0, 7.0), 0.5 * METAL_PER_MM)
            heads.append(head + 4 * along)
        for upper, lower in pairwise(heads) if rods else ():
            end = lower + 0.15 * (lower - upper)
            paint.rod(upper - 0.15 * (lower - upper), end, rng.uniform(2.5, 3.2))


def _cement(paint: _Painter, anchors: NDArray, rng: np.random.Generator) -> None:
    for level in rng.choice(np.arange(_FIRST, len(VERTEBRAE)), size=int(rng.integers(1, 4)), replace=False):
        centre = anchors[level, 0]
        forwards = anchors[level, 3] - centre
        for _ in range(int(rng.integers(3, 12))):
            start = centre + 0.3 * forwards + rng.normal(0, [7.0, 6.0, 4.0])
            paint.rod(start, start + rng.normal(0, 3, 3), rng.uniform(2, 6), _CEMENT_PER_MM / 2)


def _needle(paint: _Painter, anchors: NDArray, rng: np.random.Generator) -> None:
    for _ in range(int(rng.integers(1, 4))):
        level, side = int(rng.integers(_FIRST, len(VERTEBRAE))), int(rng.integers(1, 3))
        pedicle = anchors[level, side]
        way = pedicle - anchors[level, 0] + rng.normal(0, 6, 3)
        way /= np.linalg.norm(way)
        paint.rod(pedicle - way * rng.uniform(-15, 25), pedicle + way * 160, rng.uniform(0.8, 2.2))


def _retractor(paint: _Painter, anchors: NDArray, rng: np.random.Generator) -> None:
    level = int(rng.integers(_FIRST + 1, len(VERTEBRAE)))
    spinous = anchors[level, 4]
    for side in (-1, 1):
        start = spinous + [side * rng.uniform(12, 28), rng.uniform(-5, 15), rng.uniform(-15, 15)]
        for shift in range(int(rng.integers(2, 7))):
            place = start + [0, 0, 4.0 * shift]
            paint.rod(place, place - [side * -8.0, 70, 0], 1.5)
        paint.rod(start - [0, 70, 0], start + [-side * 60, -75, 50], rng.uniform(2, 4))


def _cage(paint: _Painter, anchors: NDArray, rng: np.random.Generator) -> None:
    level = int(rng.integers(_FIRST + 1, len(VERTEBRAE) - 1))
    middle = (anchors[level, 0] + anchors[level + 1, 0]) / 2
    for side in (-1, 1):
        start = middle + [side * rng.uniform(5, 12), -8, 0]
        paint.rod(
            start,
            start + [0, rng.uniform(15, 22), 0],
            rng.uniform(3, 5),
            rng.uniform(0.1, 0.8) * METAL_PER_MM,
        )


def _clips(paint: _Painter, anchors: NDArray, rng: np.random.Generator) -> None:
    for _ in range(int(rng.integers(2, 14))):
        start = anchors[:, 0].mean(axis=0) + rng.normal(0, [60, 50, 80])
        paint.rod(start, start + rng.normal(0, 4, 3), 0.8)


def _leads(paint: _Painter, anchors: NDArray, rng: np.random.Generator) -> None:
    for _ in range(int(rng.integers(1, 4))):
        point, turn = (
            anchors[:, 0].mean(axis=0) + rng.normal(0, [80, 20, 110]) + [0, 100, 0],
            rng.uniform(0, 6.3),
        )
        paint.rod(point, point + [0, 2, 0], rng.uniform(3, 6))
        for _ in range(int(rng.integers(4, 16))):
            turn += rng.normal(0, 0.4)
            there = point + 22 * np.array([np.cos(turn), 0, np.sin(turn)])
            paint.rod(point, there, rng.uniform(0.5, 1.0))
            point = there


_DRAW = {
    "screws": _screws, "cement": _cement, "needle": _needle, "retractor": _retractor, "cage": _cage, "clips": _clips,
    "leads": _leads,
}  # fmt: skip

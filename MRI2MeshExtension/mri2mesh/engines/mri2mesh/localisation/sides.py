"""Bodies that a side of the image cuts, as where a scoliotic spine leaves the slab: completed by the width of others.

What is seen of such a body is too narrow and lies too far in. Its free side is where it is; its width is that of the
nearest body that the image shows whole.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from mri2mesh.anatomy.regions import body_of
from mri2mesh.anatomy.templates import template
from mri2mesh.engines.mri2mesh.localisation.evidence import Evidence
from mri2mesh.engines.mri2mesh.networks.localiser import SPACING_MM
from mri2mesh.geometry.volume import Volume
from mri2mesh.geometry.voxelise import voxelise

BIN_MM = SPACING_MM[0]
STILL_THERE = 0.6
"""Section of a body at the image's side, over the largest one seen, from which the body goes on beyond the image."""
HALF = 0.5
"""Share of the largest section at which a free side is taken to be."""
NARROWER_PER_LEVEL = 0.97
"""Width of a body over that of the one below it: from 57 mm at L5 to 42 at T9, as anatomy books and the spines of the
synthetic exams have it."""
LEAST_WHOLE = 2

Sections = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Places along the right-left axis of a body, mm in its frame, and how much of it is seen at each."""


def sections(local: NDArray, weights: NDArray) -> Sections:
    """local: [N, 3] mm in a body's frame; weights: [N] how much body is there."""
    edges = np.arange(local[:, 0].min() - BIN_MM / 2, local[:, 0].max() + BIN_MM, BIN_MM)
    amount, _ = np.histogram(local[:, 0], edges, weights=weights)
    return (edges[:-1] + edges[1:]) / 2, amount


def cut_sides(seen: Sections, frame: NDArray[np.float64], evidence: Evidence) -> tuple[bool, bool]:
    """Whether the image ends within the body on the side of -x, and on that of +x, of its frame (4x4 local to RAS)."""
    places, amount = seen
    largest = amount.max()
    result = []
    for end, outwards in ((places[0], -1.0), (places[-1], 1.0)):
        near = amount[np.abs(places - end) <= BIN_MM]
        beyond = frame[:3, 3] + frame[:3, 0] / np.linalg.norm(frame[:3, 0]) * (end + outwards * 2 * BIN_MM)
        result.append(bool(near.max() >= STILL_THERE * largest) and not _in_image(beyond, evidence))
    return result[0], result[1]


def completed(seen: Sections, cut: tuple[bool, bool], width_scale: float) -> float:
    """Shift of the centre along +x, mm in the frame, of a body with one side cut, as wide as ``width_scale`` says."""
    places, amount = seen
    there = np.flatnonzero(amount >= HALF * amount.max())
    half = template_half_width() * width_scale
    return float(places[there[0]] - BIN_MM / 2 + half if cut[1] else places[there[-1]] + BIN_MM / 2 - half)


@lru_cache(maxsize=1)
def template_half_width() -> float:
    """mm from the middle of the template's body to where its section is HALF of its largest."""
    matrix = np.eye(4)
    matrix[:3, 3] = -40
    inside = voxelise(body_of(template("vertebra")), Volume(np.zeros((81, 81, 81), np.uint8), matrix))
    amount = inside.sum(axis=(0, 1))
    there = np.flatnonzero(amount >= HALF * amount.max())
    return float(there[-1] - there[0] + 1) / 2


def width_from_others(n: int, scales: list[float], whole: list[bool]) -> float | None:
    """Scale of body ``n``'s width by the nearest whole bodies, level by level; None with fewer than LEAST_WHOLE."""
    others = [m for m, is_whole in enumerate(whole) if is_whole]
    if len(others) < LEAST_WHOLE:
        return None
    nearest = sorted(others, key=lambda m: abs(m - n))[:LEAST_WHOLE]
    return float(np.median([scales[m] * NARROWER_PER_LEVEL ** (n - m) for m in nearest]))


def _in_image(point: NDArray, evidence: Evidence) -> bool:
    kji = np.round(evidence.kji_from_ras(point)).astype(int)
    inside = all(0 <= n < size for n, size in zip(kji, evidence.inside.shape, strict=True))
    return inside and bool(evidence.inside[tuple(kji)])

"""How deep the vertebrae of a film lie: one common distance for all of them, and that distance from a second view."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from mri2mesh.engines.dense_maps.completion.complete import Completion
from mri2mesh.engines.revert.vertebra import SeenVertebra
from mri2mesh.errors import InputError

Found = dict[str, tuple[SeenVertebra, Completion]]
"""By name what was seen of a vertebra and the surface made of it."""
COMMON_SHARE = 0.8
"""How much of what one vertebra seems deeper than all of them is put down to error: its size is as unknown."""
LEAST_ANGLE_DEG = 20.0
LEAST_SD_MM = 2.0
MOST_APART_MM = 15.0
"""Rays to the same vertebra pass each other nearer than this: neighbouring ones are twice as far apart."""


def at_one_depth(found: Found) -> Found:
    """All at the depth that most of them seem to have, against where each was expected; each along its own rays, so
    that the picture stays the same and sizes follow."""
    deeper = {name: np.log(_distance(one, end) / _expected(one)) for name, (one, end) in found.items()}
    common = float(np.median(list(deeper.values())))
    return {
        name: moved_along_rays(pair, float(np.exp(COMMON_SHARE * (common - deeper[name]))))
        for name, pair in found.items()
    }


def moved_along_rays(pair: tuple[SeenVertebra, Completion], factor: float) -> tuple[SeenVertebra, Completion]:
    """A vertebra so many times as far from the source, and as large."""
    one, end = pair
    source = one.crop.camera.source_ras_mm
    matrix = end.matrix.copy()
    matrix[:3, :3] *= factor
    matrix[:3, 3] = source + factor * (matrix[:3, 3] - source)
    vertices = source + factor * (end.vertices - source)
    return one.moved_along_rays(factor), replace(end, vertices=vertices, matrix=matrix)


def by_second_view(first: Found, second: Found) -> tuple[Found, float]:
    """The vertebrae of the first view as deep as the second shows each of them, those that it does not show as deep as
    the others, and how sure that is, mm (standard deviation).

    Raises InputError for views that are too much alike or have no vertebra in common.
    """
    names = first.keys() & second.keys()
    if not names:
        raise InputError(
            f"the second view shows {_listed(second)}, the first {_listed(first)}: no vertebra is in both; name one in "
            "each with --landmarks"
        )
    factors, apart = dict[str, float](), []
    for name in names:
        (one, here), (other, there) = first[name], second[name]
        factors[name], miss = _nearest(
            one.crop.camera.source_ras_mm, here.vertices.mean(axis=0),
            other.crop.camera.source_ras_mm, there.vertices.mean(axis=0),
        )  # fmt: skip
        apart.append(miss)
    miss = float(np.median(apart))
    if miss > MOST_APART_MM:
        raise InputError(
            f"the two views do not fit together: the vertebrae of one lie {miss:.0f} mm beside those of the other; "
            "check their geometry (--camera), or name the same vertebra in each with --landmarks"
        )
    usual = float(np.median(list(factors.values())))
    moved = {name: moved_along_rays(pair, factors.get(name, usual)) for name, pair in first.items()}
    # What the rays miss each other by across both views, they are off along the first as well.
    return moved, max(LEAST_SD_MM, miss)


def _nearest(
    source: NDArray, point: NDArray, other_source: NDArray, other_point: NDArray
) -> tuple[float, float]:
    """Where the first ray comes nearest to the second, in units of the first's length, and how near, mm."""
    ray, other = point - source, other_point - other_source
    angle = np.degrees(np.arccos(np.clip(ray @ other / np.linalg.norm(ray) / np.linalg.norm(other), -1, 1)))
    if min(angle, 180 - angle) < LEAST_ANGLE_DEG:
        raise InputError(
            f"the two views are only {min(angle, 180 - angle):.0f} degrees apart: a second view shows depth from "
            f"{LEAST_ANGLE_DEG:.0f} degrees on"
        )
    between = other_source - source
    system = np.array([[ray @ ray, -(ray @ other)], [ray @ other, -(other @ other)]])
    here, there = np.linalg.solve(system, [ray @ between, other @ between])
    return float(here), float(np.linalg.norm(source + here * ray - other_source - there * other))


def _distance(one: SeenVertebra, end: Completion) -> float:
    camera = one.crop.camera
    return float((end.vertices.mean(axis=0) - camera.source_ras_mm) @ camera.axes_ras[2])


def _expected(one: SeenVertebra) -> float:
    return one.crop.camera.source_to_detector_mm


def _listed(found: Mapping[str, object]) -> str:
    return ", ".join(found) or "none"

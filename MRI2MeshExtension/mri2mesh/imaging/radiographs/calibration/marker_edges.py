"""The edges of a marker in a radiograph, to a fraction of a pixel: round, or along a straight wire.

Lengths are counted in columns; a row counts as `aspect` columns, for pixels that are not square.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.optimize import least_squares

from mri2mesh.errors import InputError
from mri2mesh.imaging.radiographs.masks.field_shapes import Circle

RAYS = 180
STEP_PX = 0.25
NO_BALL = "no round edge is found there: pick the centre of the ball and a radius within a third of its own"
NO_WIRE = "no dark line is found there: pick two points on the axis of the wire, along its free part"
LEAST_RAYS = 0.6
LEAST_DEPTH = 0.1
"""Least depth of a wire's shadow, as a fraction of the intensity beside it."""
SEARCH = 0.03
"""Half width of the widest wire looked for, as a fraction of the longer side of the image."""


def round_edge(
    transmission: NDArray, centre_px: tuple[float, float], radius_px: float, aspect: float
) -> tuple[Circle, float, int]:
    """The circle (lengths in columns, its row too) around a dark disc, the spread of its edge, and the rays used.

    Raises InputError where less than three fifths of the rays find an edge on one circle.
    """
    column, row, radius = centre_px[0], centre_px[1] * aspect, radius_px
    if not (np.isfinite([column, row]).all() and radius >= 2):
        raise InputError(NO_BALL)
    angles = 2 * np.pi * np.arange(RAYS) / RAYS
    directions = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    for reach in (0.4, 0.25, 0.15):
        along = np.arange(max(1.0, (1 - reach) * radius - 1), (1 + reach) * radius + 1, STEP_PX)
        places = np.array([column, row]) + along[:, None] * directions[:, None]
        rise = np.gradient(_smoothed(_sampled(transmission, places, aspect)), axis=1)
        edge = along[0] + STEP_PX * _peaks(rise)
        good = (rise.max(axis=1) > 0.3 * np.median(rise.max(axis=1))) & np.isfinite(edge)
        circle = _fit((np.array([column, row]) + edge[:, None] * directions)[good])
        column, row, radius = circle.column, circle.row, circle.radius
    points = (places[:, 0] - along[0] * directions + edge[:, None] * directions)[good]
    off = circle.beyond(*points.T)
    near = np.abs(off) < max(1.0, 0.03 * radius)
    moved = np.hypot(column - centre_px[0], row - centre_px[1] * aspect)
    if near.sum() < LEAST_RAYS * RAYS or moved > radius_px or not 2 / 3 < radius / radius_px < 1.5:
        raise InputError(NO_BALL)
    return circle, float(np.std(off[near])), int(near.sum())


def _fit(points: NDArray) -> Circle:
    if len(points) < 3:
        raise InputError(NO_BALL)
    start = [*points.mean(axis=0), float(np.std(points, axis=0).sum())]
    fitted = least_squares(
        lambda p: np.hypot(points[:, 0] - p[0], points[:, 1] - p[1]) - p[2],
        start,
        loss="soft_l1",
        f_scale=0.3,
    ).x
    return Circle(*(float(value) for value in fitted))


def widths_across(
    transmission: NDArray, start_px: tuple[float, float], end_px: tuple[float, float], aspect: float
) -> NDArray[np.float64]:
    """Full widths at half depth, in columns, of a dark line every pixel between two points (column, row) on it.

    Raises InputError where most places show no dark line.
    """
    start, end = (np.array([point[0], point[1] * aspect], dtype=np.float64) for point in (start_px, end_px))
    if not np.linalg.norm(end - start) >= 10:
        raise InputError("the two points on the wire are less than 10 pixels apart: pick a longer piece")
    for _ in range(3):  # the picked axis is straightened by what is found across it
        length = float(np.linalg.norm(end - start))
        axis = (end - start) / length
        across = np.array([-axis[1], axis[0]])
        places = np.arange(0.0, length, 1.0)
        reach = max(10.0, SEARCH * max(transmission.shape))
        offsets = np.arange(-reach, reach + STEP_PX / 2, STEP_PX)
        positions = (start + places[:, None] * axis)[:, None] + offsets[:, None] * across
        edges = _both_edges(_sampled(transmission, positions, aspect), offsets)
        good = np.isfinite(edges).all(axis=1)
        if good.sum() < max(5, len(places) / 2):
            raise InputError(NO_WIRE)
        middle = edges[good].mean(axis=1)
        slope, offset = np.polyfit(places[good], middle, 1)
        start, end = start + offset * across, end + (offset + slope * length) * across
    return np.asarray((edges[:, 1] - edges[:, 0])[good])


def _both_edges(profiles: NDArray, offsets: NDArray) -> NDArray[np.float64]:
    """[n, 2] offsets of the half depth on either side of a dark line in [n, offsets]; NaN where there is none."""
    typical = _smoothed(np.median(profiles, axis=0)[None])[0]
    rise = np.gradient(typical)
    centre = len(offsets) // 2
    left, right = int(np.argmin(rise[:centre])), centre + int(np.argmax(rise[centre:]))
    width = right - left
    outer_left = slice(max(0, left - width), max(1, left - width // 3))
    outer_right = slice(min(len(offsets) - 1, right + width // 3), right + width)
    inner = slice((left + right) // 2 - max(1, width // 8), (left + right) // 2 + max(1, width // 8) + 1)
    found = np.full((len(profiles), 2), np.nan)
    for n, profile in enumerate(profiles):
        floor = np.median(profile[inner])
        for side, outer, towards in ((0, outer_left, -1), (1, outer_right, 1)):
            level = np.median(profile[outer])
            if not level - floor > LEAST_DEPTH * level:
                continue
            half, k = (level + floor) / 2, (left + right) // 2
            while 0 < k < len(profile) - 1 and profile[k] < half:
                k += towards
            before = k - towards
            if profile[k] >= half > profile[before]:
                share = (half - profile[before]) / (profile[k] - profile[before])
                found[n, side] = offsets[before] + share * (offsets[k] - offsets[before])
    return found


def _sampled(picture: NDArray, places: NDArray, aspect: float) -> NDArray[np.float64]:
    """Values at [..., 2] (column, row in columns), between the pixels linearly."""
    coordinates = np.stack([places[..., 1] / aspect, places[..., 0]])
    return np.asarray(
        ndimage.map_coordinates(picture, coordinates, order=1, mode="nearest"), dtype=np.float64
    )


def _smoothed(profiles: NDArray) -> NDArray:
    return ndimage.gaussian_filter1d(profiles, 1.0 / STEP_PX, axis=1)


def _peaks(values: NDArray) -> NDArray[np.float64]:
    """[n] place of the largest of each row of [n, m], between samples by a parabola; NaN at the ends."""
    top = values.argmax(axis=1)
    inside = np.clip(top, 1, values.shape[1] - 2)
    rows = np.arange(len(values))
    before, at, after = (values[rows, inside + n] for n in (-1, 0, 1))
    bend = before - 2 * at + after
    shift = np.where(np.abs(bend) > 1e-12, 0.5 * (before - after) / np.where(bend == 0, 1, bend), 0)
    return np.where(top == inside, inside + shift, np.nan)

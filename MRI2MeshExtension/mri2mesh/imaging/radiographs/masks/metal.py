"""Metal in a radiograph: instruments, implants, guide wires, clips.

How much brighter than bone metal is differs from film to film: scatter fills it up, display curves press it together
and local contrast processing makes edges of bone as high as those of an implant. What stays is its form: bone thins out
towards its edges, metal stops. So metal is a part of the picture, at whatever level, most of whose rim is as steep as
the steepest few edges of the film, that stands higher above its surroundings than those and changes by far less inside;
a film whose brightest part is bone has none. Wires are too thin for an inside: they are lines of such a height with a
step on both sides, where a cortex has one on the outside only.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from mri2mesh.imaging.radiographs.masks.working_size import WORKING_SIZE, grow, shrink

LEVELS = 14
"""Thresholds between the median in the field and its largest value."""
EDGES, STEEP = 90, 1.6
"""A rim of metal is so many times as high as this percentile of the steps in a field, edges of bone mostly: those reach
it here and there, but not all round."""
SHARP_RIM, WIRE_SHARP_RIM = 0.5, 0.8
"""Share of the rim that must be such a step."""
HEIGHT = 2.0
"""How high metal stands above its surroundings, in the same measure."""
FLAT = 0.25
"""Largest step inside, half of the places have less, as a share of that height. Simulated films, 90: of bone mostly 1
and more, of metal 0.1 to 0.7; none of 7,200 bright parts of bone is as flat, as steep and as high."""
ALIKE = 0.25
"""The same of the difference between its brightest and its darkest quarter, asked of what the border of the field cuts:
a shaft does so too, whose marrow is darker than its cortex."""
LARGEST = 0.15
"""Largest fraction of the field: more than this is not an instrument but the patient."""
REACH_PX = 2
"""A step is measured over so many pixels to either side."""


def metal_mask(absorbed: NDArray, field: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """[rows, columns]; True at metal and a little around it.

    absorbed: [rows, columns] in any unit, larger where more of the beam was absorbed: the logarithm of the beam, or the
    film as it is looked at. field: True where the beam was not blocked by the machine.
    """
    small, step = shrink(absorbed)
    mask = _metal(small, shrink(field)[0] > 0.5)
    return grow(mask, step, field.shape) & field


def _metal(absorbed: NDArray[np.float32], field: NDArray[np.bool_]) -> NDArray[np.bool_]:
    if not field.any():
        return field
    unit = max(absorbed.shape) / WORKING_SIZE
    # Outside the field stands what is nearest inside it: its border is then no step.
    _, (row, column) = ndimage.distance_transform_edt(~field, return_indices=True)
    smooth = ndimage.gaussian_filter(absorbed[row, column], max(1.0, unit))
    steps = _steps(smooth)
    edges = float(np.percentile(steps[field], EDGES))
    metal = _wires(smooth, steps, edges, field, unit) | _parts(smooth, steps, edges, field, unit)
    return ndimage.binary_dilation(metal, iterations=max(1, round(3 * unit))) & field


def _parts(
    smooth: NDArray, steps: NDArray, edges: float, field: NDArray[np.bool_], unit: float
) -> NDArray[np.bool_]:
    """Bright parts at any level that are steep, high and flat. edges: what `EDGES` of the steps do not exceed."""
    found = np.zeros_like(field)
    border = ~ndimage.binary_erosion(field, iterations=REACH_PX + 1)
    least = float(np.median(smooth[field]))
    for level in np.linspace(least, float(smooth[field].max()), LEVELS + 1)[:-1]:
        labels, good = _with_sharp_rims(
            (smooth > level) & field,
            steps > STEEP * edges,
            field,
            SHARP_RIM,
            (30 * max(1.0, unit) ** 2, LARGEST),
        )
        found |= _flat(labels, good, smooth, steps, HEIGHT * edges, border)
    return found


def _steps(smooth: NDArray) -> NDArray:
    """[H, W] how much the picture changes around each pixel."""
    width = 2 * REACH_PX + 1
    return np.asarray(ndimage.maximum_filter(smooth, width) - ndimage.minimum_filter(smooth, width))


def _with_sharp_rims(
    parts: NDArray[np.bool_],
    sharp: NDArray[np.bool_],
    field: NDArray[np.bool_],
    share: float,
    areas: tuple[float, float],
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """[H, W] numbers of the connected parts, and those [N] whose rim inside the field is sharp to that share. areas:
    the least in pixels and the largest as a fraction of the field."""
    labels, count = ndimage.label(parts, np.ones((3, 3)))
    size = np.bincount(labels.ravel(), minlength=count + 1)
    # where it is cut by the border of the field nothing is known of a rim: that much of it counts as not sharp
    rim = parts & ~ndimage.binary_erosion(parts)
    rims = np.bincount(labels[rim], minlength=count + 1)
    sharp = sharp & ndimage.binary_erosion(field, iterations=3)
    sharps = np.bincount(labels[rim & sharp], minlength=count + 1)
    good = (sharps >= share * rims) & (rims > 0) & (size >= areas[0]) & (size <= areas[1] * field.sum())
    good[0] = False
    return labels, np.flatnonzero(good)


@dataclass(frozen=True)
class _Cut:
    """What is around one connected part: the part, its pixels off the rim, and a ring of the surroundings."""

    box: tuple[slice, ...]
    part: NDArray[np.bool_]
    inside: NDArray[np.bool_]
    ring: NDArray[np.bool_]

    @classmethod
    def of(cls, labels: NDArray, number: int, box: tuple[slice, ...]) -> _Cut:
        wide = tuple(
            slice(max(0, side.start - 2 * REACH_PX - 1), side.stop + 2 * REACH_PX + 1) for side in box
        )
        part = labels[wide] == number
        near = ndimage.binary_dilation(part, iterations=REACH_PX)
        ring = ndimage.binary_dilation(near, iterations=REACH_PX) & ~near
        return cls(wide, part, ndimage.binary_erosion(part, iterations=REACH_PX), ring)


def _flat(
    labels: NDArray,
    numbers: NDArray,
    smooth: NDArray,
    steps: NDArray,
    least: float,
    border: NDArray[np.bool_],
) -> NDArray[np.bool_]:
    """[H, W] those of the parts that stand out that much and are flat inside. border: [H, W] True at
    that of the field and outside."""
    found = np.zeros(labels.shape, dtype=bool)
    boxes = ndimage.find_objects(labels) if len(numbers) else []
    for number in numbers:
        cut = _Cut.of(labels, int(number), boxes[number - 1])
        if not cut.inside.any() or not cut.ring.any():
            continue
        values = smooth[cut.box]
        height = float(np.median(values[cut.inside]) - np.median(values[cut.ring]))
        within = float(np.median(steps[cut.box][cut.inside]))
        among = float(np.subtract(*np.percentile(values[cut.inside], [75, 25])))
        cut_off = bool((cut.part & border[cut.box]).any())
        if height > least and within < FLAT * height and not (cut_off and among > ALIKE * height):
            found[cut.box] |= cut.part
    return found


def _wires(
    smooth: NDArray, steps: NDArray, edges: float, field: NDArray[np.bool_], unit: float
) -> NDArray[np.bool_]:
    """Lines up to about 1 % of the image wide and several times as long."""
    steep = STEEP * edges
    radius = max(2, round(7 * unit))
    across = np.hypot(*np.mgrid[-radius : radius + 1, -radius : radius + 1]) <= radius
    thin = (smooth - ndimage.grey_opening(smooth, footprint=across) > steep) & field
    labels, good = _with_sharp_rims(thin, steps > steep, field, WIRE_SHARP_RIM, (4 * radius, LARGEST))
    boxes = ndimage.find_objects(labels) if len(good) else []
    long = [
        number
        for number in good
        if np.hypot(*(side.stop - side.start for side in boxes[number - 1])) >= 3 * radius
    ]
    return np.isin(labels, long)

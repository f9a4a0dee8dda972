"""Everything around the spine: a real abdomen bent onto the sampled spine, random blobs, or both."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from mri2mesh.anatomy.spine_model import SpineSample
from mri2mesh.anatomy.structures import VERTEBRA_LEVELS
from mri2mesh.geometry.volume import Volume
from mri2mesh.synthesis.mr.abdomen import SACRAL_DEPTHS, Abdomen
from mri2mesh.synthesis.mr.fields import coarse_axes, smooth_field, upsample
from mri2mesh.synthesis.mr.spine_access import body_centre
from mri2mesh.synthesis.mr.tissues import BLOBS, MUSCLES, Tissue

_STEP = 4
"""Voxels between the nodes at which the bending is computed."""


@dataclass(frozen=True)
class Build:
    """How a patient's trunk differs from the CT's: factors on offsets from the spine, and a mirror image."""

    flip: bool
    width: float
    in_front: float
    behind: float
    subcutaneous_behind: float


def random_build(rng: np.random.Generator) -> Build:
    """A random trunk."""
    return Build(
        flip=bool(rng.random() < 0.5),
        width=float(rng.uniform(0.85, 1.2)),
        in_front=float(rng.uniform(0.6, 1.5)),
        behind=float(rng.uniform(0.9, 1.15)),
        subcutaneous_behind=float(rng.uniform(0.4, 2.5)),
    )


def spine_course(spine: SpineSample) -> dict[str, NDArray[np.float64]]:
    """RAS of the bodies' centres, head to foot, and of the sacrum below S1 (names as in `Abdomen.knots`)."""
    course = {name: body_centre(spine, name) for name in VERTEBRA_LEVELS if name in spine.structures}
    course["S1"] = body_centre(spine, "S1")
    vertices = spine.structures["sacrum"].vertices
    for depth in SACRAL_DEPTHS:
        near = vertices[
            (np.abs(vertices[:, 2] - course["S1"][2] + depth) < 6)
            & (np.abs(vertices[:, 0] - course["S1"][0]) < 20)
        ]
        if len(near) > 10:
            course[f"S1-{depth:.0f}"] = np.array([*near.mean(axis=0)[:2], course["S1"][2] - depth])
    return course


def anatomical_background(
    spine: SpineSample, rng: np.random.Generator, grid: Volume, abdomen: Abdomen, build: Build
) -> NDArray[np.uint8]:
    """[K, J, I] tissues of the CT where they would be around this spine.

    At each height the CT section of the same vertebral level is laid over the spine (heights matched
    piecewise linearly between vertebral bodies), scaled about the spine and deformed smoothly at random.
    Above the CT's top and below its bottom it is mirrored. The grid's axes must run along RAS.
    """
    shape = grid.array.shape
    k, j, i = coarse_axes(shape, _STEP)
    x, y, z = (
        grid.ijk_to_ras[axis, 3] + grid.ijk_to_ras[axis, axis] * positions
        for axis, positions in enumerate((i, j, k))
    )
    course, knots = spine_course(spine), abdomen.knots
    names = [name for name in reversed(list(knots)) if name in course]  # upwards
    here = np.array([course[name] for name in names])
    there = np.array([knots[name] for name in names])
    order = np.argsort(here[:, 2])
    here, there = here[order], there[order]

    z_there = _interpolate(z, here[:, 2], there[:, 2])
    all_here = np.array(sorted(course.values(), key=lambda p: p[2]))
    smooth = 12.0 / (_STEP * grid.spacing[2])
    x0, y0 = (
        ndimage.gaussian_filter1d(_interpolate(z, all_here[:, 2], all_here[:, a], 0.0), smooth)
        for a in (0, 1)
    )
    x1, y1 = (
        ndimage.gaussian_filter1d(_interpolate(z_there, there[:, 2], there[:, a], 0.0), smooth)
        for a in (0, 1)
    )

    coarse_shape = (len(z), len(y), len(x))
    wobble = [smooth_field(rng, coarse_shape, 10.0) * rng.uniform(0.5, 5.0) for _ in range(3)]
    right = (x[None, None] - x0[:, None, None]) / build.width
    # Near the spine the sections are laid on as they are, so that muscles stay beside the vertebrae.
    offset = y[None, :, None] - y0[:, None, None]
    source = [
        x1[:, None, None] + (-right if build.flip else right) + wobble[0],
        y1[:, None, None] + _stretch(offset, build) + wobble[1],
        z_there[:, None, None] + wobble[2],
    ]
    index = [
        np.rint(upsample((s - o) / abdomen.spacing, shape, _STEP)).astype(np.int32)
        for s, o in zip(source, abdomen.origin, strict=True)
    ]
    size = abdomen.tissues.shape
    height = _mirror(index[2], size[0])
    outside = (index[0] < 0) | (index[0] >= size[2]) | (index[1] < 0) | (index[1] >= size[1])
    index[0] = np.clip(index[0], 0, size[2] - 1)
    index[1] = np.clip(index[1], 0, size[1] - 1)
    tissues = abdomen.tissues.ravel()[(height * size[1] + index[1]) * size[2] + index[0]]
    tissues[outside] = Tissue.AIR
    return tissues


def _stretch(offset: NDArray, build: Build) -> NDArray:
    """Offsets from the spine in the patient to those in the CT (mm, + anterior); the identity near 0."""
    in_front = np.where(offset > 25, 25 + (offset - 25) / build.in_front, offset)
    behind = offset / build.behind
    deep = -75.0  # just beyond the tips of the spinous processes: subcutaneous fat from here on
    return np.where(
        offset >= 0,
        in_front,
        np.where(behind > deep, behind, deep + (behind - deep) / build.subcutaneous_behind),
    )


def _interpolate(at: NDArray, x: NDArray, y: NDArray, slope: float = 1.0) -> NDArray[np.float64]:
    """Piecewise linear through (x, y), x ascending; beyond the ends continued with the given slope."""
    beyond = np.minimum(at - x[0], 0) + np.maximum(at - x[-1], 0)
    return np.interp(at, x, y) + slope * beyond


def _mirror(index: NDArray, n: int) -> NDArray:
    """Indices reflected into 0 .. n - 1."""
    index = np.abs(index) % (2 * (n - 1))
    return np.where(index >= n, 2 * (n - 1) - index, index)


def add_blobs(tissues: NDArray[np.uint8], rng: np.random.Generator, everywhere: bool) -> None:
    """Random regions as in SynthSeg instead of the background (everywhere) or over part of it; in place."""
    shape = tissues.shape
    scale = rng.uniform(8, 35)
    first, second = smooth_field(rng, shape, scale), smooth_field(rng, shape, scale * rng.uniform(0.6, 1.6))
    blobs = np.digitize(first, [-0.6, 0.0, 0.6]).astype(np.uint8) * 3 + np.digitize(
        second, [-0.4, 0.4]
    ).astype(np.uint8)
    values = np.array(BLOBS, np.uint8)[rng.permutation(len(BLOBS))][blobs]
    if everywhere:
        body = tissues != Tissue.AIR if rng.random() < 0.6 else np.ones(shape, bool)
        tissues[body] = values[body]
    else:
        where = (smooth_field(rng, shape, rng.uniform(25, 60)) > rng.uniform(-0.3, 0.8)) & (
            tissues != Tissue.AIR
        )
        tissues[where] = values[where]


def add_distractors(tissues: NDArray[np.uint8], rng: np.random.Generator, clear: NDArray[np.bool_]) -> None:
    """Boxy and round things with a rim, some stacked like a spine, where `clear` is True; in place.

    They teach that not every block of marrow-like signal is a vertebral body: bowel, limbs, fold-over.
    """
    shape = np.array(tissues.shape)
    for _ in range(int(rng.integers(0, 4))):
        start, radii = rng.uniform(0, shape), rng.uniform(6, 26, 3)
        step = np.array([radii[0] * rng.uniform(2.1, 2.8), rng.normal(0, 4), rng.normal(0, 4)])
        fill, rim = rng.choice(BLOBS), rng.choice([*BLOBS, Tissue.CORTEX_OTHER, Tissue.FAT_INTERNAL])
        power = rng.choice([2.0, 3.0, 6.0])
        for n in range(int(rng.integers(1, 5))):
            _superellipsoid(tissues, start + n * step, radii, power, int(fill), int(rim), clear)


def _superellipsoid(
    tissues: NDArray[np.uint8],
    centre: NDArray,
    radii: NDArray,
    power: float,
    fill: int,
    rim: int,
    clear: NDArray[np.bool_],
) -> None:
    low = np.clip((centre - radii - 1).astype(int), 0, None)
    high = np.clip((centre + radii + 2).astype(int), 0, tissues.shape)
    if (high <= low).any():
        return
    window = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    axes = [
        np.abs((np.arange(a, b) - c) / r) ** power
        for a, b, c, r in zip(low, high, centre, radii, strict=True)
    ]
    level = axes[0][:, None, None] + axes[1][None, :, None] + axes[2][None, None, :]
    inside = (level < 1) & clear[window]
    view = tissues[window]
    view[inside] = rim
    view[inside & (level < (1 - 1.3 / radii.min()) ** power)] = fill


def add_muscle_fat(tissues: NDArray[np.uint8], rng: np.random.Generator) -> None:
    """Sheets and streaks of fat in the muscles, most in the paraspinal ones, running along the body; in
    place.

    A level set of a random field that is long along the body is a bundle of thin curved sheets; a second,
    coarse field says where they are thick, thin or absent.
    """
    amount = rng.uniform(0, 1) ** 1.3
    sheets = np.abs(smooth_field(rng, tissues.shape, (16.0, 5.0, 5.0)))
    where = smooth_field(rng, tissues.shape, 16.0)
    share = np.zeros(256, np.float32)
    share[list(MUSCLES)] = 0.03 + 0.10 * amount
    share[Tissue.MUSCLE_PARASPINAL] = 0.05 + 0.40 * amount
    where += 0.3
    where *= share[tissues]
    tissues[sheets < where] = Tissue.FAT_INTRAMUSCULAR

"""GPU kernels of line integrals through a volume, and of what changes them: a task is a ray.

volume: [K, J, I] float32, voxel centres at whole numbers, zero outside. origin: [N] and direction: [N, H, W] of (i, j,
k) in voxels; a point of a ray is origin + t direction, t > 0 in mm of depth. The integral is over t. A ray that is not
finite has an integral that is not a number. The walks are those of `compiled.drr`.
"""

from __future__ import annotations

from typing import Any

import warp as wp

from mri2mesh.rendering import settings
from mri2mesh.rendering.gpu.faces import MINUS_ONE, ONE, OPTIONS, ZERO, Images

wp.set_module_options(OPTIONS)

Volume: Any = wp.array3d(dtype=wp.float32)
Origins: Any = wp.array(dtype=wp.vec3d)
Directions: Any = wp.array3d(dtype=wp.vec3d)

FLAT = wp.constant(wp.float64(settings.FLAT))
HALF = wp.constant(wp.float64(0.5))
MINUS_HALF = wp.constant(wp.float64(-0.5))
NEVER = wp.constant(wp.float64(wp.inf))
UNKNOWN = wp.constant(wp.float64(wp.nan))


@wp.struct
class Walk:
    """voxel: (i, j, k); step: to the next along each axis; ahead: t of the next plane; apart: t from plane to plane."""

    voxel: wp.vec3i
    step: wp.vec3i
    ahead: wp.vec3d
    apart: wp.vec3d


@wp.struct
class Cell:
    """The eight voxels around a point, low and high in k, as (i, j) = (0, 0), (1, 0), (0, 1), (1, 1); fractions."""

    low: wp.vec4d
    high: wp.vec4d
    part: wp.vec3d


@wp.func
def size_of(volume: Volume):
    return wp.vec3i(volume.shape[2], volume.shape[1], volume.shape[0])


@wp.func
def span_of(o: wp.vec3d, d: wp.vec3d, size: wp.vec3i, margin: wp.float64):
    """First and last t > 0 within the voxels and a margin around them; first > last where there are none."""
    near = wp.float64(0.0)
    far = NEVER
    for axis in range(3):
        low = MINUS_HALF - margin
        high = wp.float64(size[axis]) - HALF + margin
        if wp.abs(d[axis]) < FLAT:
            if o[axis] < low or o[axis] > high:
                far = MINUS_ONE
        else:
            first = (low - o[axis]) / d[axis]
            second = (high - o[axis]) / d[axis]
            near = wp.max(near, wp.min(first, second))
            far = wp.min(far, wp.max(first, second))
    return wp.vec2d(near, far)


@wp.func
def walk_from(t: wp.float64, o: wp.vec3d, d: wp.vec3d, size: wp.vec3i) -> Walk:
    voxel = wp.vec3i(0, 0, 0)
    step = wp.vec3i(0, 0, 0)
    ahead = wp.vec3d(NEVER, NEVER, NEVER)
    apart = wp.vec3d(NEVER, NEVER, NEVER)
    for axis in range(3):
        at = wp.floor(o[axis] + t * d[axis] + HALF)
        voxel[axis] = wp.int32(wp.clamp(at, ZERO, wp.float64(size[axis] - 1)))
        if wp.abs(d[axis]) >= FLAT:
            step[axis] = wp.where(d[axis] > ZERO, 1, -1)
            plane = wp.float64(voxel[axis]) + HALF * wp.float64(step[axis])
            ahead[axis] = (plane - o[axis]) / d[axis]
            apart[axis] = ONE / wp.abs(d[axis])
    walk = Walk()
    walk.voxel = voxel
    walk.step = step
    walk.ahead = ahead
    walk.apart = apart
    return walk


@wp.func
def first_axis(values: wp.vec3d):
    """The axis of the least value; of equal ones the first."""
    if values[0] <= values[1] and values[0] <= values[2]:
        return 0
    if values[1] <= values[2]:
        return 1
    return 2


@wp.func
def entered_by(t: wp.float64, o: wp.vec3d, d: wp.vec3d, size: wp.vec3i):
    """Axis of the side of the volume's box at t: the one whose coordinate is nearest to it."""
    gap = wp.vec3d(NEVER, NEVER, NEVER)
    for axis in range(3):
        if wp.abs(d[axis]) >= FLAT:
            x = o[axis] + t * d[axis]
            gap[axis] = wp.min(wp.abs(x + HALF), wp.abs(x - wp.float64(size[axis]) + HALF))
    return first_axis(gap)


@wp.func
def usable(o: wp.vec3d, d: wp.vec3d):
    return wp.isfinite(o) and wp.isfinite(d)


@wp.kernel
def siddon(volume: Volume, origin: Origins, direction: Directions, out: Images) -> None:
    """out: [N, H, W]: exact integral of the piecewise constant volume (Siddon 1985)."""
    view, row, column = wp.tid()
    o = origin[view]
    d = direction[view, row, column]
    if not usable(o, d):
        out[view, row, column] = UNKNOWN
        return
    size = size_of(volume)
    span = span_of(o, d, size, ZERO)
    t = span[0]
    far = span[1]
    total = wp.float64(0.0)
    walk = walk_from(t, o, d, size)
    voxel = walk.voxel
    ahead = walk.ahead
    while t < far:
        axis = first_axis(ahead)
        plane = wp.min(ahead[axis], far)
        if plane > t:
            total += wp.float64(volume[voxel[2], voxel[1], voxel[0]]) * (plane - t)
            t = plane
        if plane == far:
            break
        voxel[axis] = voxel[axis] + walk.step[axis]
        ahead[axis] = ahead[axis] + walk.apart[axis]
        if voxel[axis] < 0 or voxel[axis] >= size[axis]:
            break
    out[view, row, column] = total


@wp.kernel
def siddon_adjoint(
    volume: Volume,
    origin: Origins,
    direction: Directions,
    grad: Images,
    to_origin: Directions,
    to_direction: Directions,
) -> None:
    """to_origin, to_direction: [N, H, W], filled. What a plane between two voxels does when it is met later is the
    difference of the two: the integral is a sum over planes."""
    view, row, column = wp.tid()
    o = origin[view]
    d = direction[view, row, column]
    at_start = wp.vec3d(ZERO, ZERO, ZERO)
    at_t = wp.vec3d(ZERO, ZERO, ZERO)
    size = size_of(volume)
    span = span_of(o, d, size, ZERO)
    t = span[0]
    far = span[1]
    if usable(o, d) and t < far:
        walk = walk_from(t, o, d, size)
        voxel = walk.voxel
        ahead = walk.ahead
        before = wp.float64(0.0)
        axis = wp.int32(-1)  # plain numbers could not change in the loop
        if t > ZERO:
            axis = entered_by(t, o, d, size)
        inside = wp.int32(1)
        while inside == 1:
            value = wp.float64(volume[voxel[2], voxel[1], voxel[0]])
            if axis >= 0:
                jump = (value - before) / d[axis]
                at_start[axis] = at_start[axis] + jump
                at_t[axis] = at_t[axis] + jump * t
            before = value
            axis = first_axis(ahead)
            plane = wp.min(ahead[axis], far)
            t = wp.max(plane, t)
            if plane == far:
                axis = entered_by(t, o, d, size)
                inside = 0
            else:
                voxel[axis] = voxel[axis] + walk.step[axis]
                ahead[axis] = ahead[axis] + walk.apart[axis]
                if voxel[axis] < 0 or voxel[axis] >= size[axis]:
                    inside = 0
        at_start[axis] = at_start[axis] - before / d[axis]
        at_t[axis] = at_t[axis] - before * t / d[axis]
    to_origin[view, row, column] = grad[view, row, column] * at_start
    to_direction[view, row, column] = grad[view, row, column] * at_t


@wp.func
def voxel_at(volume: Volume, size: wp.vec3i, i: int, j: int, k: int):
    if i < 0 or j < 0 or k < 0 or i >= size[0] or j >= size[1] or k >= size[2]:
        return ZERO
    return wp.float64(volume[k, j, i])


@wp.func
def cell_at(volume: Volume, size: wp.vec3i, point: wp.vec3d) -> Cell:
    cell = Cell()
    i = wp.int32(wp.floor(point[0]))
    j = wp.int32(wp.floor(point[1]))
    k = wp.int32(wp.floor(point[2]))
    cell.part = point - wp.vec3d(wp.float64(i), wp.float64(j), wp.float64(k))
    cell.low = wp.vec4d(
        voxel_at(volume, size, i, j, k),
        voxel_at(volume, size, i + 1, j, k),
        voxel_at(volume, size, i, j + 1, k),
        voxel_at(volume, size, i + 1, j + 1, k),
    )
    cell.high = wp.vec4d(
        voxel_at(volume, size, i, j, k + 1),
        voxel_at(volume, size, i + 1, j, k + 1),
        voxel_at(volume, size, i, j + 1, k + 1),
        voxel_at(volume, size, i + 1, j + 1, k + 1),
    )
    return cell


@wp.func
def comb_of(o: wp.vec3d, d: wp.vec3d, size: wp.vec3i, apart: wp.float64):
    """Numbers n of the first and last sample t = (n + 1/2) apart within reach: linear interpolation reaches half a
    voxel further than the voxels do."""
    span = span_of(o, d, size, HALF)
    if not span[0] < span[1]:
        return wp.vec2d(ZERO, MINUS_ONE)
    return wp.vec2d(wp.ceil(span[0] / apart - HALF), wp.floor(span[1] / apart - HALF))


@wp.kernel
def trilinear(
    volume: Volume, origin: Origins, direction: Directions, path: Images, step: wp.float64, out: Images
) -> None:
    """out: [N, H, W]: sum of linear samples `step` mm apart along the ray. path: [N, H, W] mm of it per mm of depth."""
    view, row, column = wp.tid()
    o = origin[view]
    d = direction[view, row, column]
    if not usable(o, d):
        out[view, row, column] = UNKNOWN
        return
    size = size_of(volume)
    apart = step / path[view, row, column]
    comb = comb_of(o, d, size, apart)
    total = wp.float64(0.0)
    for n in range(wp.int32(comb[1] - comb[0]) + 1):
        t = (comb[0] + wp.float64(n) + HALF) * apart
        cell = cell_at(volume, size, o + t * d)
        lower = cell.low + cell.part[2] * (cell.high - cell.low)
        front = lower[0] + (lower[1] - lower[0]) * cell.part[0]
        back = lower[2] + (lower[3] - lower[2]) * cell.part[0]
        total += front + (back - front) * cell.part[1]
    out[view, row, column] = total * apart


@wp.kernel
def trilinear_adjoint(
    volume: Volume,
    origin: Origins,
    direction: Directions,
    path: Images,
    step: wp.float64,
    grad: Images,
    to_origin: Directions,
    to_direction: Directions,
) -> None:
    """As `siddon_adjoint`, for `trilinear` with its samples held where they are along the ray."""
    view, row, column = wp.tid()
    o = origin[view]
    d = direction[view, row, column]
    at_start = wp.vec3d(ZERO, ZERO, ZERO)
    at_t = wp.vec3d(ZERO, ZERO, ZERO)
    if usable(o, d):
        size = size_of(volume)
        apart = step / path[view, row, column]
        comb = comb_of(o, d, size, apart)
        for n in range(wp.int32(comb[1] - comb[0]) + 1):
            t = (comb[0] + wp.float64(n) + HALF) * apart
            cell = cell_at(volume, size, o + t * d)
            rise = cell.high - cell.low
            flat = cell.low + cell.part[2] * rise
            front = flat[1] - flat[0]
            back = flat[3] - flat[2]
            along_j = flat[2] - flat[0] + (back - front) * cell.part[0]
            near = rise[0] + (rise[1] - rise[0]) * cell.part[0]
            away = rise[2] + (rise[3] - rise[2]) * cell.part[0]
            slope = wp.vec3d(
                front + (back - front) * cell.part[1], along_j, near + (away - near) * cell.part[1]
            )
            at_start += slope
            at_t += t * slope
        at_start = apart * at_start
        at_t = apart * at_t
    to_origin[view, row, column] = grad[view, row, column] * at_start
    to_direction[view, row, column] = grad[view, row, column] * at_t

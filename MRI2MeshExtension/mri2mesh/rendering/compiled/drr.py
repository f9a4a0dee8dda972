"""Compiled line integrals through a volume, and what changes them: one ray after the other, rows in parallel.

volume: [K, J, I] float32, voxel centres at whole numbers, zero outside. origin: [N, 3] and direction: [N, H, W, 3],
both (i, j, k) in voxels; a point of a ray is origin + t direction, t > 0 in mm of depth. The integral is over t.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit, prange

from mri2mesh.rendering.settings import FLAT


@njit(cache=True, inline="always")
def _clip(o, d, size, near, far):
    """The part of near .. far in which a coordinate is within -0.5 .. size - 0.5."""
    if abs(d) < FLAT:
        if -0.5 <= o <= size - 0.5:
            return near, far
        return 1.0, 0.0
    first, second = (-0.5 - o) / d, (size - 0.5 - o) / d
    return max(near, min(first, second)), min(far, max(first, second))


@njit(cache=True, inline="always")
def _span(volume, ox, oy, oz, dx, dy, dz):
    near, far = _clip(ox, dx, volume.shape[2], 0.0, math.inf)
    near, far = _clip(oy, dy, volume.shape[1], near, far)
    return _clip(oz, dz, volume.shape[0], near, far)


@njit(cache=True, inline="always")
def _walk(o, d, position, size):
    """Along one axis: voxel at a position, step, t of the next plane, t from plane to plane."""
    voxel = min(max(math.floor(position + 0.5), 0), size - 1)
    if abs(d) < FLAT:
        return voxel, 0, math.inf, math.inf
    step = 1 if d > 0 else -1
    return voxel, step, (voxel + 0.5 * step - o) / d, 1.0 / abs(d)


@njit(cache=True, parallel=True)
def siddon(volume, origin, direction, out):
    """out: [N, H, W]: exact integral of the piecewise constant volume (Siddon 1985)."""
    views, rows, columns = out.shape
    for job in prange(views * rows):
        view, row = job // rows, job % rows
        ox, oy, oz = origin[view, 0], origin[view, 1], origin[view, 2]
        for column in range(columns):
            d = direction[view, row, column]
            dx, dy, dz = d[0], d[1], d[2]
            t, far = _span(volume, ox, oy, oz, dx, dy, dz)
            total = 0.0
            if t < far:
                i, si, ti, ni = _walk(ox, dx, ox + t * dx, volume.shape[2])
                j, sj, tj, nj = _walk(oy, dy, oy + t * dy, volume.shape[1])
                k, sk, tk, nk = _walk(oz, dz, oz + t * dz, volume.shape[0])
                while t < far:
                    ahead = min(min(ti, tj), min(tk, far))
                    if ahead > t:
                        total += volume[k, j, i] * (ahead - t)
                        t = ahead
                    if ahead == far:
                        break
                    if ahead == ti:
                        i, ti = i + si, ti + ni
                        if i < 0 or i >= volume.shape[2]:
                            break
                    elif ahead == tj:
                        j, tj = j + sj, tj + nj
                        if j < 0 or j >= volume.shape[1]:
                            break
                    else:
                        k, tk = k + sk, tk + nk
                        if k < 0 or k >= volume.shape[0]:
                            break
            out[view, row, column] = total


@njit(cache=True, inline="always")
def _entered_by(volume, t, ox, oy, oz, dx, dy, dz):
    """Axis of the face of the volume's box at t: the one whose coordinate is nearest to it."""
    x, y, z = ox + t * dx, oy + t * dy, oz + t * dz
    gx = min(abs(x + 0.5), abs(x - volume.shape[2] + 0.5)) if abs(dx) >= FLAT else math.inf
    gy = min(abs(y + 0.5), abs(y - volume.shape[1] + 0.5)) if abs(dy) >= FLAT else math.inf
    gz = min(abs(z + 0.5), abs(z - volume.shape[0] + 0.5)) if abs(dz) >= FLAT else math.inf
    if gx <= gy and gx <= gz:
        return 0
    return 1 if gy <= gz else 2


@njit(cache=True, parallel=True)
def siddon_adjoint(volume, origin, direction, grad, to_origin, to_direction):
    """to_origin, to_direction: [N, H, W, 3], filled. What a plane between two voxels does when it is met later is the
    difference of the two: the integral is a sum over planes."""
    views, rows, columns = grad.shape
    for job in prange(views * rows):
        view, row = job // rows, job % rows
        ox, oy, oz = origin[view, 0], origin[view, 1], origin[view, 2]
        for column in range(columns):
            d = direction[view, row, column]
            dx, dy, dz = d[0], d[1], d[2]
            sums = np.zeros(6)
            t, far = _span(volume, ox, oy, oz, dx, dy, dz)
            if t < far:
                i, si, ti, ni = _walk(ox, dx, ox + t * dx, volume.shape[2])
                j, sj, tj, nj = _walk(oy, dy, oy + t * dy, volume.shape[1])
                k, sk, tk, nk = _walk(oz, dz, oz + t * dz, volume.shape[0])
                before = 0.0
                axis = _entered_by(volume, t, ox, oy, oz, dx, dy, dz) if t > 0.0 else -1
                while True:
                    value = volume[k, j, i]
                    if axis >= 0:
                        sums[axis] += (before - value) / -d[axis]
                        sums[3 + axis] += (before - value) * t / -d[axis]
                    before = value
                    ahead = min(min(ti, tj), min(tk, far))
                    t = max(ahead, t)
                    outside = ahead == far
                    if outside:
                        axis = _entered_by(volume, t, ox, oy, oz, dx, dy, dz)
                    elif ahead == ti:
                        i, ti, axis = i + si, ti + ni, 0
                        outside = i < 0 or i >= volume.shape[2]
                    elif ahead == tj:
                        j, tj, axis = j + sj, tj + nj, 1
                        outside = j < 0 or j >= volume.shape[1]
                    else:
                        k, tk, axis = k + sk, tk + nk, 2
                        outside = k < 0 or k >= volume.shape[0]
                    if outside:
                        sums[axis] += before / -d[axis]
                        sums[3 + axis] += before * t / -d[axis]
                        break
            for a in range(3):
                to_origin[view, row, column, a] = grad[view, row, column] * sums[a]
                to_direction[view, row, column, a] = grad[view, row, column] * sums[3 + a]


@njit(cache=True, inline="always")
def _at(volume, k, j, i):
    if k < 0 or j < 0 or i < 0 or k >= volume.shape[0] or j >= volume.shape[1] or i >= volume.shape[2]:
        return 0.0
    return volume[k, j, i]


@njit(cache=True, inline="always")
def _corners(volume, x, y, z):
    """The eight voxels around a point, in the order of the bits of (z, y, x), and the fractions."""
    i, j, k = math.floor(x), math.floor(y), math.floor(z)
    u, v, w = x - i, y - j, z - k
    if (
        i >= 0
        and j >= 0
        and k >= 0
        and i < volume.shape[2] - 1
        and j < volume.shape[1] - 1
        and k < volume.shape[0] - 1
    ):
        return (
            volume[k, j, i], volume[k, j, i + 1], volume[k, j + 1, i], volume[k, j + 1, i + 1],
            volume[k + 1, j, i], volume[k + 1, j, i + 1], volume[k + 1, j + 1, i], volume[k + 1, j + 1, i + 1],
            u, v, w,
        )  # fmt: skip
    return (
        _at(volume, k, j, i), _at(volume, k, j, i + 1), _at(volume, k, j + 1, i), _at(volume, k, j + 1, i + 1),
        _at(volume, k + 1, j, i), _at(volume, k + 1, j, i + 1),
        _at(volume, k + 1, j + 1, i), _at(volume, k + 1, j + 1, i + 1),
        u, v, w,
    )  # fmt: skip


@njit(cache=True, inline="always")
def _samples(volume, ox, oy, oz, dx, dy, dz, path, step):
    """First t, distance in t and number of samples: those of a fixed comb t = (n + 1/2) step / path that lie in the box
    and half a voxel around it."""
    near, far = 0.0, math.inf
    for axis in range(3):
        o, d = (ox, dx) if axis == 0 else (oy, dy) if axis == 1 else (oz, dz)
        # linear interpolation reaches half a voxel further than the voxels do
        near, far = _clip(o + 0.5, d, volume.shape[2 - axis] + 1, near, far)
    apart = step / path
    if not near < far:
        return 0.0, apart, 0
    first = math.ceil(near / apart - 0.5)
    last = math.floor(far / apart - 0.5)
    return (first + 0.5) * apart, apart, max(0, int(last - first) + 1)


@njit(cache=True, parallel=True)
def trilinear(volume, origin, direction, path, step, out):
    """out: [N, H, W]: sum of linear samples `step` mm apart along the ray. path: [N, H, W] mm of it per mm of depth."""
    views, rows, columns = out.shape
    for job in prange(views * rows):
        view, row = job // rows, job % rows
        ox, oy, oz = origin[view, 0], origin[view, 1], origin[view, 2]
        for column in range(columns):
            d = direction[view, row, column]
            dx, dy, dz = d[0], d[1], d[2]
            t, apart, count = _samples(volume, ox, oy, oz, dx, dy, dz, path[view, row, column], step)
            total = 0.0
            for _ in range(count):
                a, b, c, e, f, g, h, m, u, v, w = _corners(volume, ox + t * dx, oy + t * dy, oz + t * dz)
                low = (a + (b - a) * u) * (1 - v) + (c + (e - c) * u) * v
                high = (f + (g - f) * u) * (1 - v) + (h + (m - h) * u) * v
                total += low + (high - low) * w
                t += apart
            out[view, row, column] = total * apart


@njit(cache=True, parallel=True)
def trilinear_adjoint(volume, origin, direction, path, step, grad, to_origin, to_direction):
    """As `siddon_adjoint`, for `trilinear` with its samples held where they are along the ray."""
    views, rows, columns = grad.shape
    for job in prange(views * rows):
        view, row = job // rows, job % rows
        ox, oy, oz = origin[view, 0], origin[view, 1], origin[view, 2]
        for column in range(columns):
            d = direction[view, row, column]
            dx, dy, dz = d[0], d[1], d[2]
            t, apart, count = _samples(volume, ox, oy, oz, dx, dy, dz, path[view, row, column], step)
            sx = sy = sz = tx = ty = tz = 0.0
            for _ in range(count):
                a, b, c, e, f, g, h, m, u, v, w = _corners(volume, ox + t * dx, oy + t * dy, oz + t * dz)
                low_x, high_x = (b - a) * (1 - v) + (e - c) * v, (g - f) * (1 - v) + (m - h) * v
                gx = low_x + (high_x - low_x) * w
                low_front, low_back = a + (b - a) * u, c + (e - c) * u
                high_front, high_back = f + (g - f) * u, h + (m - h) * u
                gy = (low_back - low_front) * (1 - w) + (high_back - high_front) * w
                gz = (high_front - low_front) * (1 - v) + (high_back - low_back) * v
                sx, sy, sz = sx + gx, sy + gy, sz + gz
                tx, ty, tz = tx + t * gx, ty + t * gy, tz + t * gz
                t += apart
            scale = grad[view, row, column] * apart
            to_origin[view, row, column, 0] = scale * sx
            to_origin[view, row, column, 1] = scale * sy
            to_origin[view, row, column, 2] = scale * sz
            to_direction[view, row, column, 0] = scale * tx
            to_direction[view, row, column, 1] = scale * ty
            to_direction[view, row, column, 2] = scale * tz

"""What a face and a pixel have to do with each other in soft images: distance, probability and depth."""

from __future__ import annotations

import warp as wp

from mri2mesh.rendering.gpu.faces import MINUS_ONE, ONE, ZERO, Face, barycentric

MINUS_TWO = wp.constant(wp.float64(-2.0))


@wp.struct
class Blend:
    """`SoftSettings` as the kernels take them, and least: twice the least area of a face, in square pixels."""

    sigma: wp.float64
    reach: wp.float64
    gamma: wp.float64
    near: wp.float64
    far: wp.float64
    background: wp.float64
    least: wp.float64
    cull: wp.bool


@wp.struct
class Pair:
    """distance: squared, in pixels, negative inside. pull: its derivative to a shift of the nearest boundary point,
    whose barycentric weights are `share`. weights: of the pixel centre; clipped: those that are not negative; total:
    their sum. depth: mm, of the clipped weights. nearness: of the depth, 1 at the near plane and 0 at the far one."""

    distance: wp.float64
    pull: wp.vec2d
    share: wp.vec3d
    weights: wp.vec3d
    clipped: wp.vec3d
    total: wp.float64
    depth: wp.float64
    nearness: wp.float64


@wp.struct
class Nearest:
    """The nearest point of a segment: gap from it to the pixel, its square, and where along the segment it is."""

    gap: wp.vec2d
    square: wp.float64
    along: wp.float64


@wp.func
def nearest_of(p: wp.vec3d, q: wp.vec3d, column: wp.float64, row: wp.float64) -> Nearest:
    found = Nearest()
    step = wp.vec2d(q[0] - p[0], q[1] - p[1])
    start = wp.vec2d(column - p[0], row - p[1])
    length = wp.dot(step, step)
    if length > ZERO:
        found.along = wp.clamp(wp.dot(start, step) / length, ZERO, ONE)
    found.gap = start - found.along * step
    found.square = wp.dot(found.gap, found.gap)
    return found


@wp.func
def takes_part(area: wp.float64, blend: Blend):
    if blend.cull:
        return area < -blend.least
    return wp.abs(area) > blend.least


@wp.func
def pair_of(face: Face, inverse_area: wp.float64, column: wp.float64, row: wp.float64, blend: Blend) -> Pair:
    pair = Pair()
    pair.weights = barycentric(face, inverse_area, column, row)
    best = nearest_of(face.a, face.b, column, row)
    pair.share = wp.vec3d(ONE - best.along, best.along, ZERO)
    other = nearest_of(face.b, face.c, column, row)
    if other.square < best.square:
        best = other
        pair.share = wp.vec3d(ZERO, ONE - best.along, best.along)
    other = nearest_of(face.c, face.a, column, row)
    if other.square < best.square:
        best = other
        pair.share = wp.vec3d(best.along, ZERO, ONE - best.along)
    sign = ONE
    if wp.min(pair.weights) > ZERO:
        sign = MINUS_ONE
    pair.distance = sign * best.square
    pair.pull = (MINUS_TWO * sign) * best.gap
    pair.clipped = wp.max(pair.weights, wp.vec3d(ZERO, ZERO, ZERO))
    pair.total = pair.clipped[0] + pair.clipped[1] + pair.clipped[2]
    pair.depth = wp.dot(pair.clipped, wp.vec3d(face.a[2], face.b[2], face.c[2])) / pair.total
    pair.nearness = (blend.far - pair.depth) / (blend.far - blend.near)
    return pair


@wp.func
def probability(distance: wp.float64, sigma: wp.float64):
    """sigmoid(-distance / sigma); far inside exp is zero, far outside infinite, and both come out right."""
    return ONE / (ONE + wp.exp(distance / sigma))


@wp.func
def log_clear(distance: wp.float64, sigma: wp.float64):
    """log(1 - probability), as minus softplus: exact also where the probability is 1 to the last digit."""
    x = distance / sigma
    return wp.min(x, ZERO) - wp.log(ONE + wp.exp(-wp.abs(x)))


@wp.func
def weight_of(pair: Pair, nearest: wp.float64, blend: Blend):
    """Before the background: p exp((nearness - that of the nearest face) / gamma)."""
    return probability(pair.distance, blend.sigma) * wp.exp((pair.nearness - nearest) / blend.gamma)

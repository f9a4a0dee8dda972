"""GPU kernels of the soft images and their adjoint: see `soft` for the definition, `plain.soft` for the reference.

Atomics cannot rescale a running sum as `compiled.soft` does, so the faces are walked twice: first for the nearest face
of every pixel and the product of 1 - p (as a sum of logarithms), then for the weighted sums. Tasks are as in
`gpu.thickness`: a face and every n-th row of its box.
"""

from __future__ import annotations

import warp as wp

from mri2mesh.rendering import settings
from mri2mesh.rendering.gpu.faces import (
    ONE,
    OPTIONS,
    ZERO,
    Faces,
    Images,
    Stacks,
    Vertices,
    read_face,
    twice_area,
)  # fmt: skip
from mri2mesh.rendering.gpu.pairs import Blend, log_clear, pair_of, probability, takes_part, weight_of

wp.set_module_options(OPTIONS)

STATES = 5
LOG_CLEAR, NEAREST, WEIGHT, DEPTH, TIES = (wp.constant(n) for n in range(STATES))
"""Fields of a pixel's state: sum of log(1 - p); largest nearness; sums of w and w z, then depth; faces that attain the
largest."""

EPSILON = wp.constant(wp.float64(settings.EPSILON))


@wp.kernel
def nearest(screen: Vertices, faces: Faces, blend: Blend, strips: int, state: Stacks) -> None:
    """First pass. state: [STATES, J, H, W], zeros but EPSILON for the nearness."""
    image, index, strip = wp.tid()
    face = read_face(screen, faces, image, index, wp.sqrt(blend.reach), state.shape[2], state.shape[3])
    area = twice_area(face.a, face.b, face.c)
    if face.bottom < face.top + strip or not takes_part(area, blend):
        return
    inverse = ONE / area
    for row in range(face.top + strip, face.bottom + 1, strips):
        for column in range(face.left, face.right + 1):
            pair = pair_of(face, inverse, wp.float64(column), wp.float64(row), blend)
            if pair.distance < blend.reach:
                wp.atomic_max(state, NEAREST, image, row, column, pair.nearness)
                wp.atomic_add(state, LOG_CLEAR, image, row, column, log_clear(pair.distance, blend.sigma))


@wp.kernel
def weigh(screen: Vertices, faces: Faces, blend: Blend, strips: int, state: Stacks) -> None:
    """Second pass: the sums, now that the nearest face is known."""
    image, index, strip = wp.tid()
    face = read_face(screen, faces, image, index, wp.sqrt(blend.reach), state.shape[2], state.shape[3])
    area = twice_area(face.a, face.b, face.c)
    if face.bottom < face.top + strip or not takes_part(area, blend):
        return
    inverse = ONE / area
    for row in range(face.top + strip, face.bottom + 1, strips):
        for column in range(face.left, face.right + 1):
            pair = pair_of(face, inverse, wp.float64(column), wp.float64(row), blend)
            if pair.distance < blend.reach:
                top = state[NEAREST, image, row, column]
                weight = weight_of(pair, top, blend)
                wp.atomic_add(state, WEIGHT, image, row, column, weight)
                wp.atomic_add(state, DEPTH, image, row, column, weight * pair.depth)
                # The same arithmetic as in the first pass, nothing fused: equal to the last digit.
                if pair.nearness >= top:
                    wp.atomic_add(state, TIES, image, row, column, ONE)


@wp.kernel
def finish(blend: Blend, state: Stacks, silhouette: Images, depth: Images) -> None:
    """Adds the background to the sums and makes the images, [J, H, W] each."""
    image, row, column = wp.tid()
    backdrop = wp.max(wp.exp((EPSILON - state[NEAREST, image, row, column]) / blend.gamma), EPSILON)
    weight = state[WEIGHT, image, row, column] + backdrop
    mean = (state[DEPTH, image, row, column] + backdrop * blend.background) / weight
    state[WEIGHT, image, row, column] = weight
    state[DEPTH, image, row, column] = mean
    depth[image, row, column] = mean
    silhouette[image, row, column] = ONE - wp.exp(state[LOG_CLEAR, image, row, column])


@wp.kernel
def adjoint(
    screen: Vertices,
    faces: Faces,
    blend: Blend,
    strips: int,
    state: Stacks,
    grad_silhouette: Images,
    grad_depth: Images,
    to_screen: Vertices,
) -> None:
    """to_screen: [J, V], zeros, receives the derivative to (column, row, depth)."""
    image, index, strip = wp.tid()
    face = read_face(screen, faces, image, index, wp.sqrt(blend.reach), state.shape[2], state.shape[3])
    area = twice_area(face.a, face.b, face.c)
    if face.bottom < face.top + strip or not takes_part(area, blend):
        return
    inverse = ONE / area
    a, b, c = face.a, face.b, face.c
    to_a = wp.vec3d(ZERO, ZERO, ZERO)
    to_b = wp.vec3d(ZERO, ZERO, ZERO)
    to_c = wp.vec3d(ZERO, ZERO, ZERO)
    touched = wp.int32(0)  # a plain number could not change in the loop
    for row in range(face.top + strip, face.bottom + 1, strips):
        for column in range(face.left, face.right + 1):
            pair = pair_of(face, inverse, wp.float64(column), wp.float64(row), blend)
            if pair.distance < blend.reach:
                touched = 1
                top = state[NEAREST, image, row, column]
                mean = state[DEPTH, image, row, column]
                chance = probability(pair.distance, blend.sigma)
                weight = weight_of(pair, top, blend)
                to_depth = grad_depth[image, row, column] / state[WEIGHT, image, row, column]
                to_weight = to_depth * (pair.depth - mean) * weight  # times w
                # d alpha / d distance = -prod(1 - p) p / sigma; dp / d distance = -p (1 - p) / sigma
                clear = wp.exp(state[LOG_CLEAR, image, row, column])
                on_distance = (
                    -(to_weight * (ONE - chance) + grad_silhouette[image, row, column] * clear * chance)
                    / blend.sigma
                )
                on_nearness = to_weight / blend.gamma
                held = (EPSILON - top) / blend.gamma < wp.log(EPSILON)
                if held and pair.nearness >= top:
                    # There the background's weight stays what it is and the depth depends on the largest nearness.
                    on_nearness += (
                        to_depth
                        * (blend.background - mean)
                        * (EPSILON / blend.gamma)
                        / state[TIES, image, row, column]
                    )
                on_z = (to_depth * weight - on_nearness / (blend.far - blend.near)) / pair.total

                # The nearest boundary point carries the distance: where it slides to does not matter.
                pull = on_distance * pair.pull
                # Shifting a corner tilts the barycentric weights; those clipped at zero stay there.
                slope_x = wp.float64(0.0)
                slope_y = wp.float64(0.0)
                if pair.weights[0] > ZERO:
                    slope_x -= (a[2] - pair.depth) * (c[1] - b[1])
                    slope_y += (a[2] - pair.depth) * (c[0] - b[0])
                if pair.weights[1] > ZERO:
                    slope_x -= (b[2] - pair.depth) * (a[1] - c[1])
                    slope_y += (b[2] - pair.depth) * (a[0] - c[0])
                if pair.weights[2] > ZERO:
                    slope_x -= (c[2] - pair.depth) * (b[1] - a[1])
                    slope_y += (c[2] - pair.depth) * (b[0] - a[0])
                tilt = (on_z * inverse) * wp.vec3d(slope_x, slope_y, ZERO)
                shift = wp.vec3d(pull[0], pull[1], ZERO)
                lift = wp.vec3d(ZERO, ZERO, on_z)
                to_a += pair.share[0] * shift - pair.weights[0] * tilt + pair.clipped[0] * lift
                to_b += pair.share[1] * shift - pair.weights[1] * tilt + pair.clipped[1] * lift
                to_c += pair.share[2] * shift - pair.weights[2] * tilt + pair.clipped[2] * lift
    if touched == 1:
        wp.atomic_add(to_screen, image, face.vertex[0], to_a)
        wp.atomic_add(to_screen, image, face.vertex[1], to_b)
        wp.atomic_add(to_screen, image, face.vertex[2], to_c)

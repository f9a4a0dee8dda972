"""Compiled kernels of the soft images and their adjoint: see `soft` for the definition, `plain.soft` for the reference.

Forward: a band of rows is a task that walks the faces touching it; every pixel keeps four running numbers, rescaled
when a nearer face comes (as an online softmax does), so no list of faces per pixel is kept. Adjoint: a face is a task.
"""

from __future__ import annotations

import math

from numba import njit, prange

from mri2mesh.rendering.compiled.faces import corners_of
from mri2mesh.rendering.settings import EPSILON

CLEAR, NEAREST, WEIGHT, DEPTH, TIES, STATES = 0, 1, 2, 3, 4, 5
"""Fields of a pixel's state: product of 1 - p; largest nearness; sums of w and w z, then depth; faces that attain the
largest; number of fields."""

GONE = 40.0
"""Exponent beyond which a weight is zero: exp(-40) is nothing beside 1 in float64."""


@njit(cache=True, inline="always")
def _probability(distance, sigma):
    x = distance / sigma
    if x < -GONE:
        return 1.0
    return 1.0 / (1.0 + math.exp(x))


@njit(cache=True, inline="always")
def _segment(px, py, ax, ay, bx, by):
    """Gap from the nearest point of a segment to the pixel (x, y), its square, and where along the segment it is."""
    dx, dy = bx - ax, by - ay
    square = dx * dx + dy * dy
    along = ((px - ax) * dx + (py - ay) * dy) / square if square > 0.0 else 0.0
    along = min(max(along, 0.0), 1.0)
    gap_x, gap_y = px - ax - along * dx, py - ay - along * dy
    return gap_x, gap_y, gap_x * gap_x + gap_y * gap_y, along


@njit(cache=True, inline="always")
def _pair(px, py, ax, ay, bx, by, cx, cy, inverse_area):
    """Signed squared distance, gap, edge and place of the nearest boundary point, and the barycentric weights."""
    w0 = ((cx - bx) * (py - by) - (cy - by) * (px - bx)) * inverse_area
    w1 = ((ax - cx) * (py - cy) - (ay - cy) * (px - cx)) * inverse_area
    w2 = ((bx - ax) * (py - ay) - (by - ay) * (px - ax)) * inverse_area
    gap_x, gap_y, nearest, along = _segment(px, py, ax, ay, bx, by)
    where = 0
    x, y, other, t = _segment(px, py, bx, by, cx, cy)
    if other < nearest:
        gap_x, gap_y, nearest, along, where = x, y, other, t, 1
    x, y, other, t = _segment(px, py, cx, cy, ax, ay)
    if other < nearest:
        gap_x, gap_y, nearest, along, where = x, y, other, t, 2
    sign = -1.0 if w0 > 0.0 and w1 > 0.0 and w2 > 0.0 else 1.0
    return sign * nearest, sign, gap_x, gap_y, where, along, w0, w1, w2


@njit(cache=True, inline="always")
def _kept(area, least, cull):
    return area < -least if cull else abs(area) > least


@njit(cache=True, parallel=True)
def forward(screen, faces, boxes, sigma, reach, gamma, near, far, background, cull, least, n_bands, state):
    """state: [J, H, W, STATES] float64, of any content. boxes: from `face_rows` with the reach in pixels."""
    images, n_faces = screen.shape[0], faces.shape[0]
    rows, columns = state.shape[1], state.shape[2]
    per_depth = 1.0 / (far - near)
    for job in prange(images * n_bands):
        image, band = job // n_bands, job % n_bands
        top, bottom = band * rows // n_bands, (band + 1) * rows // n_bands - 1
        for row in range(top, bottom + 1):
            for column in range(columns):
                state[image, row, column, CLEAR] = 1.0
                state[image, row, column, NEAREST] = EPSILON
                state[image, row, column, WEIGHT] = 0.0
                state[image, row, column, DEPTH] = 0.0
                state[image, row, column, TIES] = 0.0
        for face in range(n_faces):
            first, last = max(boxes[image, face, 0], top), min(boxes[image, face, 1], bottom)
            if last < first:
                continue
            _, _, _, ax, ay, az, bx, by, bz, cx, cy, cz = corners_of(screen, image, faces, face)
            area = (bx - ax) * (cy - by) - (by - ay) * (cx - bx)
            if not _kept(area, least, cull):
                continue
            inverse_area = 1.0 / area
            for row in range(first, last + 1):
                for column in range(boxes[image, face, 2], boxes[image, face, 3] + 1):
                    distance, _, _, _, _, _, w0, w1, w2 = _pair(
                        column, row, ax, ay, bx, by, cx, cy, inverse_area
                    )
                    if not distance < reach:
                        continue
                    probability = _probability(distance, sigma)
                    w0, w1, w2 = max(w0, 0.0), max(w1, 0.0), max(w2, 0.0)
                    z = (w0 * az + w1 * bz + w2 * cz) / (w0 + w1 + w2)
                    nearness = (far - z) * per_depth
                    pixel = state[image, row, column]
                    pixel[CLEAR] *= 1.0 - probability
                    behind = (nearness - pixel[NEAREST]) / gamma
                    if behind > 0.0:
                        shrink = math.exp(-behind) if behind < 700.0 else 0.0
                        pixel[WEIGHT] = pixel[WEIGHT] * shrink + probability
                        pixel[DEPTH] = pixel[DEPTH] * shrink + probability * z
                        pixel[NEAREST] = nearness
                        pixel[TIES] = 1.0
                    else:
                        if behind == 0.0:
                            pixel[TIES] += 1.0
                        if behind > -700.0:
                            weight = probability * math.exp(behind)
                            pixel[WEIGHT] += weight
                            pixel[DEPTH] += weight * z
        for row in range(top, bottom + 1):
            for column in range(columns):
                pixel = state[image, row, column]
                backdrop = max(math.exp(max((EPSILON - pixel[NEAREST]) / gamma, -700.0)), EPSILON)
                pixel[WEIGHT] += backdrop
                pixel[DEPTH] = (pixel[DEPTH] + backdrop * background) / pixel[WEIGHT]


@njit(cache=True, parallel=True)
def adjoint(
    screen, faces, boxes, sigma, reach, gamma, near, far, background, cull, least,
    state, grad_alpha, grad_depth, corners,
):  # fmt: skip
    """corners: [J, F, 3, 3] float64, filled with the derivative to (column, row, depth) of each face's corners."""
    images, n_faces = screen.shape[0], faces.shape[0]
    per_depth = 1.0 / (far - near)
    for job in prange(images * n_faces):
        image, face = job // n_faces, job % n_faces
        corners[image, face, :, :] = 0.0
        first, last = boxes[image, face, 0], boxes[image, face, 1]
        if last < first:
            continue
        _, _, _, ax, ay, az, bx, by, bz, cx, cy, cz = corners_of(screen, image, faces, face)
        area = (bx - ax) * (cy - by) - (by - ay) * (cx - bx)
        if not _kept(area, least, cull):
            continue
        inverse_area = 1.0 / area
        gax = gay = gaz = gbx = gby = gbz = gcx = gcy = gcz = 0.0
        for row in range(first, last + 1):
            for column in range(boxes[image, face, 2], boxes[image, face, 3] + 1):
                distance, sign, gap_x, gap_y, where, along, v0, v1, v2 = _pair(
                    column, row, ax, ay, bx, by, cx, cy, inverse_area
                )
                if not distance < reach:
                    continue
                pixel = state[image, row, column]
                probability = _probability(distance, sigma)
                w0, w1, w2 = max(v0, 0.0), max(v1, 0.0), max(v2, 0.0)
                total = w0 + w1 + w2
                z = (w0 * az + w1 * bz + w2 * cz) / total
                nearness = (far - z) * per_depth
                weight = probability * math.exp(max((nearness - pixel[NEAREST]) / gamma, -700.0))
                to_depth = grad_depth[image, row, column] / pixel[WEIGHT]
                to_weight = to_depth * (z - pixel[DEPTH]) * weight  # times w
                # d alpha / d distance = -prod(1 - p) p / sigma; dp / d distance = -p (1 - p) / sigma
                on_distance = (
                    -(
                        to_weight * (1.0 - probability)
                        + grad_alpha[image, row, column] * pixel[CLEAR] * probability
                    )
                    / sigma
                )
                on_nearness = to_weight / gamma
                held = (EPSILON - pixel[NEAREST]) / gamma < math.log(EPSILON)
                if held and nearness >= pixel[NEAREST]:
                    # There the background's weight stays what it is and the depth depends on the largest nearness.
                    on_nearness += to_depth * (background - pixel[DEPTH]) * (EPSILON / gamma) / pixel[TIES]
                on_z = (to_depth * weight - on_nearness * per_depth) / total

                # The nearest boundary point carries the distance: where it slides to does not matter.
                pull_x, pull_y = -2.0 * sign * gap_x * on_distance, -2.0 * sign * gap_y * on_distance
                near_end, far_end = 1.0 - along, along
                if where == 0:
                    sa, sb, sc = near_end, far_end, 0.0
                elif where == 1:
                    sa, sb, sc = 0.0, near_end, far_end
                else:
                    sa, sb, sc = far_end, 0.0, near_end
                # Shifting a corner tilts the barycentric weights; those clipped at zero stay there.
                slope_x = slope_y = 0.0
                if v0 > 0.0:
                    slope_x -= (az - z) * (cy - by)
                    slope_y += (az - z) * (cx - bx)
                if v1 > 0.0:
                    slope_x -= (bz - z) * (ay - cy)
                    slope_y += (bz - z) * (ax - cx)
                if v2 > 0.0:
                    slope_x -= (cz - z) * (by - ay)
                    slope_y += (cz - z) * (bx - ax)
                slope_x *= on_z * inverse_area
                slope_y *= on_z * inverse_area
                gax += pull_x * sa - v0 * slope_x
                gay += pull_y * sa - v0 * slope_y
                gaz += w0 * on_z
                gbx += pull_x * sb - v1 * slope_x
                gby += pull_y * sb - v1 * slope_y
                gbz += w1 * on_z
                gcx += pull_x * sc - v2 * slope_x
                gcy += pull_y * sc - v2 * slope_y
                gcz += w2 * on_z
        out = corners[image, face]
        out[0, 0], out[0, 1], out[0, 2] = gax, gay, gaz
        out[1, 0], out[1, 1], out[1, 2] = gbx, gby, gbz
        out[2, 0], out[2, 1], out[2, 2] = gcx, gcy, gcz

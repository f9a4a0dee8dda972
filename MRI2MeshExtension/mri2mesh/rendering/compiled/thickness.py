"""Compiled kernels of the crossing depth and its adjoint.

Forward: every band of rows is one task that walks the faces touching it, so no two tasks write to the same pixel.
Adjoint: every face is one task that reads the pixels it covers; what it finds goes to its own corners, which are then
summed into vertices. So neither needs atomics, copies of the image, or pairs kept in memory.
"""

from __future__ import annotations

import numpy as np
from numba import njit, prange

from mri2mesh.rendering.compiled.faces import corners_of, edge, side


@njit(cache=True, parallel=True)
def forward(screen, faces, label, boxes, perspective, n_bands, out):
    """out: [J, L, H, W] float64, zeros. boxes: from `face_rows` without reach."""
    images, n_faces = screen.shape[0], faces.shape[0]
    rows = out.shape[2]
    for job in prange(images * n_bands):
        image, band = job // n_bands, job % n_bands
        top, bottom = band * rows // n_bands, (band + 1) * rows // n_bands - 1
        for face in range(n_faces):
            first, last = max(boxes[image, face, 0], top), min(boxes[image, face, 1], bottom)
            if last < first:
                continue
            a, b, c, ax, ay, az, bx, by, bz, cx, cy, cz = corners_of(screen, image, faces, face)
            area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
            if area == 0.0:
                continue
            sign = 1.0 if area > 0 else -1.0
            x0, y0, dx0, dy0, o0, on0 = edge(ax, ay, bx, by, a, b, sign)
            x1, y1, dx1, dy1, o1, on1 = edge(bx, by, cx, cy, b, c, sign)
            x2, y2, dx2, dy2, o2, on2 = edge(cx, cy, ax, ay, c, a, sign)
            if perspective:
                az, bz, cz = 1 / az, 1 / bz, 1 / cz
            scale = 1 / abs(area)
            structure = label[face]
            for row in range(first, last + 1):
                for column in range(boxes[image, face, 2], boxes[image, face, 3] + 1):
                    e0 = side(x0, y0, dx0, dy0, o0, column, row)
                    e1 = side(x1, y1, dx1, dy1, o1, column, row)
                    e2 = side(x2, y2, dx2, dy2, o2, column, row)
                    if e0 < 0 or e1 < 0 or e2 < 0:
                        continue
                    if (e0 == 0 and not on0) or (e1 == 0 and not on1) or (e2 == 0 and not on2):
                        continue
                    value = scale * (e1 * az + e2 * bz + e0 * cz)
                    out[image, structure, row, column] += sign / value if perspective else sign * value


@njit(cache=True, parallel=True)
def adjoint(screen, faces, label, boxes, perspective, grad, corners):
    """corners: [J, F, 3, 3] float64, filled with the derivative to (column, row, depth) of each face's corners."""
    images, n_faces = screen.shape[0], faces.shape[0]
    for job in prange(images * n_faces):
        image, face = job // n_faces, job % n_faces
        corners[image, face, :, :] = 0.0
        first, last = boxes[image, face, 0], boxes[image, face, 1]
        if last < first:
            continue
        a, b, c, ax, ay, az, bx, by, bz, cx, cy, cz = corners_of(screen, image, faces, face)
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        if area == 0.0:
            continue
        sign = 1.0 if area > 0 else -1.0
        x0, y0, dx0, dy0, o0, on0 = edge(ax, ay, bx, by, a, b, sign)
        x1, y1, dx1, dy1, o1, on1 = edge(bx, by, cx, cy, b, c, sign)
        x2, y2, dx2, dy2, o2, on2 = edge(cx, cy, ax, ay, c, a, sign)
        if perspective:
            az, bz, cz = 1 / az, 1 / bz, 1 / cz
        scale = 1 / abs(area)
        structure = label[face]
        sum_a = sum_b = sum_c = 0.0
        for row in range(first, last + 1):
            for column in range(boxes[image, face, 2], boxes[image, face, 3] + 1):
                e0 = side(x0, y0, dx0, dy0, o0, column, row)
                e1 = side(x1, y1, dx1, dy1, o1, column, row)
                e2 = side(x2, y2, dx2, dy2, o2, column, row)
                if e0 < 0 or e1 < 0 or e2 < 0:
                    continue
                if (e0 == 0 and not on0) or (e1 == 0 and not on1) or (e2 == 0 and not on2):
                    continue
                amount = grad[image, structure, row, column]
                if perspective:  # depth is one over what is linear across the face
                    value = scale * (e1 * az + e2 * bz + e0 * cz)
                    amount = -amount / (value * value)
                sum_a += amount * e1
                sum_b += amount * e2
                sum_c += amount * e0
        # Moving a corner along the image tilts the plane of the face: minus the slope, times its weight.
        slope_x = -((cy - by) * az + (ay - cy) * bz + (by - ay) * cz) / area
        slope_y = ((cx - bx) * az + (ax - cx) * bz + (bx - ax) * cz) / area
        for corner in range(3):
            total = sum_a if corner == 0 else sum_b if corner == 1 else sum_c
            value = az if corner == 0 else bz if corner == 1 else cz
            total *= sign * scale
            corners[image, face, corner, 0] = -total * slope_x
            corners[image, face, corner, 1] = -total * slope_y
            corners[image, face, corner, 2] = -total * value * value if perspective else total


@njit(cache=True, parallel=True)
def tangents(screen, moved, faces, label, boxes, perspective, n_bands, out):
    """moved: [J, P, V, 3], how (column, row, depth) change along P directions. out: [J, L, H, W, P] float32, zeros."""
    images, n_faces, n_directions = screen.shape[0], faces.shape[0], moved.shape[1]
    rows = out.shape[2]
    for job in prange(images * n_bands):
        image, band = job // n_bands, job % n_bands
        top, bottom = band * rows // n_bands, (band + 1) * rows // n_bands - 1
        at_a = np.empty(n_directions, np.float32)
        at_b = np.empty(n_directions, np.float32)
        at_c = np.empty(n_directions, np.float32)
        for face in range(n_faces):
            first, last = max(boxes[image, face, 0], top), min(boxes[image, face, 1], bottom)
            if last < first:
                continue
            a, b, c, ax, ay, az, bx, by, bz, cx, cy, cz = corners_of(screen, image, faces, face)
            area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
            if area == 0.0:
                continue
            sign = 1.0 if area > 0 else -1.0
            x0, y0, dx0, dy0, o0, on0 = edge(ax, ay, bx, by, a, b, sign)
            x1, y1, dx1, dy1, o1, on1 = edge(bx, by, cx, cy, b, c, sign)
            x2, y2, dx2, dy2, o2, on2 = edge(cx, cy, ax, ay, c, a, sign)
            if perspective:
                az, bz, cz = 1 / az, 1 / bz, 1 / cz
            scale = 1 / abs(area)
            slope_x = -((cy - by) * az + (ay - cy) * bz + (by - ay) * cz) / area
            slope_y = ((cx - bx) * az + (ax - cx) * bz + (bx - ax) * cz) / area
            # d(1/z) = -dz/z^2
            deep_a, deep_b, deep_c = (-az * az, -bz * bz, -cz * cz) if perspective else (1.0, 1.0, 1.0)
            structure = label[face]
            ready = False
            for row in range(first, last + 1):
                for column in range(boxes[image, face, 2], boxes[image, face, 3] + 1):
                    e0 = side(x0, y0, dx0, dy0, o0, column, row)
                    e1 = side(x1, y1, dx1, dy1, o1, column, row)
                    e2 = side(x2, y2, dx2, dy2, o2, column, row)
                    if e0 < 0 or e1 < 0 or e2 < 0:
                        continue
                    if (e0 == 0 and not on0) or (e1 == 0 and not on1) or (e2 == 0 and not on2):
                        continue
                    if not ready:  # many small faces cover no pixel centre at all
                        ready = True
                        for p in range(n_directions):
                            at_a[p] = (
                                deep_a * moved[image, p, a, 2]
                                - slope_x * moved[image, p, a, 0]
                                - slope_y * moved[image, p, a, 1]
                            )
                            at_b[p] = (
                                deep_b * moved[image, p, b, 2]
                                - slope_x * moved[image, p, b, 0]
                                - slope_y * moved[image, p, b, 1]
                            )
                            at_c[p] = (
                                deep_c * moved[image, p, c, 2]
                                - slope_x * moved[image, p, c, 0]
                                - slope_y * moved[image, p, c, 1]
                            )
                    amount = sign * scale
                    if perspective:
                        value = scale * (e1 * az + e2 * bz + e0 * cz)
                        amount = -amount / (value * value)
                    wa, wb, wc = np.float32(amount * e1), np.float32(amount * e2), np.float32(amount * e0)
                    pixel = out[image, structure, row, column]
                    for p in range(n_directions):
                        pixel[p] += wa * at_a[p] + wb * at_b[p] + wc * at_c[p]

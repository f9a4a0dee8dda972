"""Compiled kernel of the first and the last face that each ray meets: see `both_faces` for what they are."""

from __future__ import annotations

import numpy as np
from numba import njit, prange

from mri2mesh.rendering.compiled.faces import corners_of
from mri2mesh.rendering.settings import ON_EDGE


@njit(cache=True, parallel=True)
def forward(screen, faces, label, boxes, perspective, least, n_bands, depth, hit, weight):
    """depth: [J, L, 2, H, W] float64, filled: nearest and farthest, infinity and minus infinity where there is none.
    hit: [J, L, 2, H, W] int32, -1 where there is none. weight: [J, L, 2, H, W, 3], of the face's corners."""
    images, n_faces = screen.shape[0], faces.shape[0]
    rows = depth.shape[3]
    for job in prange(images * n_bands):
        image, band = job // n_bands, job % n_bands
        top, bottom = band * rows // n_bands, (band + 1) * rows // n_bands - 1
        depth[image, :, 0, top : bottom + 1] = np.inf
        depth[image, :, 1, top : bottom + 1] = -np.inf
        hit[image, :, :, top : bottom + 1] = -1
        weight[image, :, :, top : bottom + 1] = 0.0
        for face in range(n_faces):
            first, last = max(boxes[image, face, 0], top), min(boxes[image, face, 1], bottom)
            if last < first:
                continue
            _, _, _, ax, ay, az, bx, by, bz, cx, cy, cz = corners_of(screen, image, faces, face)
            area = (bx - ax) * (cy - by) - (by - ay) * (cx - bx)
            if abs(area) <= least:
                continue
            if perspective:
                az, bz, cz = 1 / az, 1 / bz, 1 / cz
            inverse, structure = 1.0 / area, label[face]
            for row in range(first, last + 1):
                for column in range(boxes[image, face, 2], boxes[image, face, 3] + 1):
                    wc = ((bx - ax) * (row - ay) - (by - ay) * (column - ax)) * inverse
                    wa = ((cx - bx) * (row - by) - (cy - by) * (column - bx)) * inverse
                    wb = ((ax - cx) * (row - cy) - (ay - cy) * (column - cx)) * inverse
                    if wa < ON_EDGE or wb < ON_EDGE or wc < ON_EDGE:
                        continue
                    value = wa * az + wb * bz + wc * cz
                    here = 1 / value if perspective else value
                    if perspective:  # what is linear on the screen is the weight over the depth
                        wa, wb = wa * az * here, wb * bz * here
                    if here < depth[image, structure, 0, row, column]:
                        depth[image, structure, 0, row, column] = here
                        hit[image, structure, 0, row, column] = face
                        weight[image, structure, 0, row, column, 0] = wa
                        weight[image, structure, 0, row, column, 1] = wb
                        weight[image, structure, 0, row, column, 2] = 1 - wa - wb
                    if here > depth[image, structure, 1, row, column]:
                        depth[image, structure, 1, row, column] = here
                        hit[image, structure, 1, row, column] = face
                        weight[image, structure, 1, row, column, 0] = wa
                        weight[image, structure, 1, row, column, 1] = wb
                        weight[image, structure, 1, row, column, 2] = 1 - wa - wb


@njit(cache=True)
def interpolated(hit, weight, faces, values, out):
    """out: [N, C], zeros, receives the values [V, C] of the corners of each hit face [N], weighted [N, 3]."""
    for row in range(len(hit)):
        face = hit[row]
        if face < 0:
            continue
        for corner in range(3):
            vertex = faces[face, corner]
            for channel in range(values.shape[1]):
                out[row, channel] += weight[row, corner] * values[vertex, channel]

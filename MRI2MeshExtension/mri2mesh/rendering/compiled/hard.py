"""Compiled kernel of the z-buffer: see `hard` for what it is, `plain.hard` for the reference."""

from __future__ import annotations

import numpy as np
from numba import njit, prange

from mri2mesh.rendering.compiled.faces import corners_of
from mri2mesh.rendering.settings import ON_EDGE


@njit(cache=True, parallel=True)
def forward(screen, faces, boxes, perspective, least, n_bands, out):
    """out: [J, H, W] float64, filled with the depth of the nearest face, infinity where there is none."""
    images, n_faces = screen.shape[0], faces.shape[0]
    rows = out.shape[1]
    for job in prange(images * n_bands):
        image, band = job // n_bands, job % n_bands
        top, bottom = band * rows // n_bands, (band + 1) * rows // n_bands - 1
        out[image, top : bottom + 1] = np.inf
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
            inverse = 1.0 / area
            for row in range(first, last + 1):
                for column in range(boxes[image, face, 2], boxes[image, face, 3] + 1):
                    wc = ((bx - ax) * (row - ay) - (by - ay) * (column - ax)) * inverse
                    wa = ((cx - bx) * (row - by) - (cy - by) * (column - bx)) * inverse
                    wb = ((ax - cx) * (row - cy) - (ay - cy) * (column - cx)) * inverse
                    if wa < ON_EDGE or wb < ON_EDGE or wc < ON_EDGE:
                        continue
                    value = wa * az + wb * bz + wc * cz
                    depth = 1 / value if perspective else value
                    if depth < out[image, row, column]:
                        out[image, row, column] = depth

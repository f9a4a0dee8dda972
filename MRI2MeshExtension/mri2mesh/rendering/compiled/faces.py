"""What the compiled kernels share: which pixels a projected face covers, without gaps and without overlaps.

Arrays: screen [J, V, 3] float64, faces [F, 3] int32. All arithmetic is float64; nothing may be
reordered (no fast-math here): both faces of an edge must round alike.

When working on this file: numba notices a changed file, not that a kernel in another file uses it. Delete
`compiled/__pycache__` after a change here.
"""

from __future__ import annotations

import numpy as np
from numba import njit, prange


@njit(cache=True, inline="always")
def corners_of(screen, image, faces, face):
    """The three vertices of a face and their column, row and depth in an image."""
    a, b, c = faces[face, 0], faces[face, 1], faces[face, 2]
    return (
        a, b, c,
        screen[image, a, 0], screen[image, a, 1], screen[image, a, 2],
        screen[image, b, 0], screen[image, b, 1], screen[image, b, 2],
        screen[image, c, 0], screen[image, c, 1], screen[image, c, 2],
    )  # fmt: skip


@njit(cache=True, inline="always")
def edge(ax, ay, bx, by, a, b, sign):
    """An edge a -> b as (base x, base y, dx, dy, orientation, owned): `side` says where a pixel lies.

    The base is the end with the lower index, so that the neighbour, which runs along it the other way, computes the
    same number. owned: whether a pixel centre on the edge itself belongs to the face of this orientation.
    """
    dx, dy = bx - ax, by - ay
    owned = sign * dy < 0 or (dy == 0 and sign * dx > 0)
    if a < b:
        return ax, ay, dx, dy, sign, owned
    return bx, by, ax - bx, ay - by, -sign, owned


@njit(cache=True, inline="always")
def side(base_x, base_y, dx, dy, orientation, column, row):
    """Positive inside the face; its size is twice the area of the triangle of edge and pixel."""
    return orientation * (dx * (row - base_y) - dy * (column - base_x))


@njit(cache=True, parallel=True)
def face_rows(screen, faces, rows, columns, reach, out):
    """[J, F, 4] int32: first and last row and first and last column a face can touch; last < first where none."""
    for job in prange(screen.shape[0] * faces.shape[0]):
        image, face = job // faces.shape[0], job % faces.shape[0]
        low_x = high_x = screen[image, faces[face, 0], 0]
        low_y = high_y = screen[image, faces[face, 0], 1]
        for corner in range(1, 3):
            x, y = screen[image, faces[face, corner], 0], screen[image, faces[face, corner], 1]
            low_x, high_x = min(low_x, x), max(high_x, x)
            low_y, high_y = min(low_y, y), max(high_y, y)
        # clamped before the conversion: a face far outside must not overflow the integers
        out[image, face, 0] = int(np.ceil(min(max(low_y - reach, 0.0), rows + 0.0)))
        out[image, face, 1] = int(np.floor(max(min(high_y + reach, rows - 1.0), -1.0)))
        out[image, face, 2] = int(np.ceil(min(max(low_x - reach, 0.0), columns + 0.0)))
        out[image, face, 3] = int(np.floor(max(min(high_x + reach, columns - 1.0), -1.0)))
        if out[image, face, 3] < out[image, face, 2]:
            out[image, face, 1] = -1
            out[image, face, 0] = 0


@njit(cache=True, parallel=True)
def to_vertices(corners, faces, n_vertices):
    """[J, V, 3] sum of the corners [J, F, 3, 3] at each vertex."""
    images = corners.shape[0]
    out = np.zeros((images, n_vertices, 3))
    for image in prange(images):
        for face in range(faces.shape[0]):
            for corner in range(3):
                vertex = faces[face, corner]
                for axis in range(3):
                    out[image, vertex, axis] += corners[image, face, corner, axis]
    return out


def bands(images: int, rows: int, threads: int) -> int:
    """Into how many horizontal bands an image is cut: enough to keep the threads busy, none thinner than 8 rows."""
    wanted = max(1, -(-8 * threads // images))
    return max(1, min(wanted, rows // 8))

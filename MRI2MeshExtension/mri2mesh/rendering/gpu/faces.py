"""What the GPU kernels share: how a face is read, which pixels it can touch, and which centres it covers.

The same arithmetic, in the same order, as `compiled.faces`, in float64 and without fused multiply-add: both faces of an
edge must round alike, or a ray slips between them. Nor would float32 do: a depth of 700 mm has steps of 6e-5 mm there,
and its sums and the places of edges lose more than the thickness may. Where float64 runs at a 64th of the speed (cards
for games; at half on those for computing) it is affordable, for the kernels do some hundred operations per pair of
pixel and face and a surface makes few pairs.
"""

from __future__ import annotations

from typing import Any

import warp as wp

OPTIONS = {"enable_backward": False, "fuse_fp": False, "fast_math": False}
"""Options of every module of kernels: derivatives are written by hand, and nothing may be fused or reordered."""

# Types of arrays as the kernels see them; the last axis of vertices, faces and directions is inside the element.
Vertices: Any = wp.array2d(dtype=wp.vec3d)
Faces: Any = wp.array(dtype=wp.vec3l)
Labels: Any = wp.array(dtype=wp.int64)
Images: Any = wp.array3d(dtype=wp.float64)
Stacks: Any = wp.array4d(dtype=wp.float64)
Moved: Any = wp.array3d(dtype=wp.vec3d)
Columns: Any = wp.array4d(dtype=wp.float32)

ZERO = wp.constant(wp.float64(0.0))
ONE = wp.constant(wp.float64(1.0))
MINUS_ONE = wp.constant(wp.float64(-1.0))


@wp.struct
class Face:
    """a, b, c: (column, row, depth) of its corners; vertex: their indices; top, bottom, left, right: the pixels it can
    touch, bottom < top where there are none."""

    a: wp.vec3d
    b: wp.vec3d
    c: wp.vec3d
    vertex: wp.vec3i
    top: wp.int32
    bottom: wp.int32
    left: wp.int32
    right: wp.int32


@wp.func
def first_line(low: wp.float64, size: int):
    # clamped before the conversion: a face far outside must not overflow the integers
    return wp.int32(wp.ceil(wp.min(wp.max(low, ZERO), wp.float64(size))))


@wp.func
def last_line(high: wp.float64, size: int):
    return wp.int32(wp.floor(wp.max(wp.min(high, wp.float64(size - 1)), MINUS_ONE)))


@wp.func
def read_face(
    screen: Vertices, faces: Faces, image: int, face: int, reach: wp.float64, rows: int, columns: int
) -> Face:
    """A face with the pixels at most `reach` from its bounding box; none where a corner is not a number."""
    corners = faces[face]
    found = Face()
    found.vertex = wp.vec3i(wp.int32(corners[0]), wp.int32(corners[1]), wp.int32(corners[2]))
    found.a = screen[image, found.vertex[0]]
    found.b = screen[image, found.vertex[1]]
    found.c = screen[image, found.vertex[2]]
    found.bottom = -1
    if wp.isfinite(found.a + found.b + found.c):
        low = wp.min(wp.min(found.a, found.b), found.c)
        high = wp.max(wp.max(found.a, found.b), found.c)
        found.left = first_line(low[0] - reach, columns)
        found.right = last_line(high[0] + reach, columns)
        if found.left <= found.right:
            found.top = first_line(low[1] - reach, rows)
            found.bottom = last_line(high[1] + reach, rows)
    return found


@wp.func
def twice_area(a: wp.vec3d, b: wp.vec3d, c: wp.vec3d):
    """On the screen, in square pixels; negative where the outside of the face is seen."""
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


@wp.func
def across_edge(p: wp.vec3d, q: wp.vec3d, column: wp.float64, row: wp.float64):
    """Twice the area of the triangle of an edge p -> q and a pixel, positive on the side of a positive face."""
    return (q[0] - p[0]) * (row - p[1]) - (q[1] - p[1]) * (column - p[0])


@wp.func
def barycentric(face: Face, inverse_area: wp.float64, column: wp.float64, row: wp.float64):
    """Weights of the three corners at a pixel centre, negative beyond the opposite edge."""
    return wp.vec3d(
        across_edge(face.b, face.c, column, row) * inverse_area,
        across_edge(face.c, face.a, column, row) * inverse_area,
        across_edge(face.a, face.b, column, row) * inverse_area,
    )

"""GPU kernel of the z-buffer: see `hard` for what it is, `plain.hard` for the reference."""

from __future__ import annotations

import warp as wp

from mri2mesh.rendering import settings
from mri2mesh.rendering.gpu.faces import (
    ONE,
    OPTIONS,
    ZERO,
    Faces,
    Images,
    Vertices,
    barycentric,
    read_face,
    twice_area,
)  # fmt: skip

wp.set_module_options(OPTIONS)

ON_EDGE = wp.constant(wp.float64(settings.ON_EDGE))


@wp.kernel
def forward(
    screen: Vertices, faces: Faces, perspective: wp.bool, least: wp.float64, strips: int, out: Images
) -> None:
    """out: [J, H, W], infinities, receives the depth of the nearest face. least: of twice the area, square pixels."""
    image, index, strip = wp.tid()
    face = read_face(screen, faces, image, index, ZERO, out.shape[1], out.shape[2])
    area = twice_area(face.a, face.b, face.c)
    if face.bottom < face.top + strip or wp.abs(area) <= least:
        return
    inverse = ONE / area
    values = wp.vec3d(face.a[2], face.b[2], face.c[2])
    if perspective:
        values = wp.vec3d(ONE / face.a[2], ONE / face.b[2], ONE / face.c[2])
    for row in range(face.top + strip, face.bottom + 1, strips):
        for column in range(face.left, face.right + 1):
            weights = barycentric(face, inverse, wp.float64(column), wp.float64(row))
            if weights[0] >= ON_EDGE and weights[1] >= ON_EDGE and weights[2] >= ON_EDGE:
                depth = wp.dot(weights, values)
                if perspective:
                    depth = ONE / depth
                wp.atomic_min(out, image, row, column, depth)

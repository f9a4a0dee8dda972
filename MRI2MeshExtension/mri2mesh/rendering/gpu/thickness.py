"""GPU kernels of the crossing depth and its adjoint; `plain.thickness` is the reference.

A task is a face and every n-th row of its box (a strip), so that a large face is shared by many threads. What it finds
is added to the images, or to the derivatives of its vertices, by atomics: the order of a sum, and with it its last
digit, differs from run to run.
"""

from __future__ import annotations

import warp as wp

from mri2mesh.rendering.gpu.faces import (
    ONE,
    OPTIONS,
    ZERO,
    Columns,
    Face,
    Faces,
    Labels,
    Moved,
    Stacks,
    Vertices,
    read_face,
    twice_area,
)  # fmt: skip

wp.set_module_options(OPTIONS)


@wp.struct
class Edge:
    """From base along step; `orientation` makes what lies inside the face positive; owned: a centre on the edge itself
    belongs to this face."""

    base_x: wp.float64
    base_y: wp.float64
    step_x: wp.float64
    step_y: wp.float64
    orientation: wp.float64
    owned: wp.bool


@wp.struct
class Sheet:
    """sign: of the face in this view, 0 where it is seen edge-on. values: what is linear across it, at its corners."""

    ab: Edge
    bc: Edge
    ca: Edge
    values: wp.vec3d
    sign: wp.float64
    scale: wp.float64


@wp.func
def edge_of(p: wp.vec3d, q: wp.vec3d, first: int, second: int, sign: wp.float64) -> Edge:
    """The base is the end with the lower index: the neighbour runs along the edge the other way and must get the same
    number."""
    edge = Edge()
    dx = q[0] - p[0]
    dy = q[1] - p[1]
    edge.owned = sign * dy < ZERO or (dy == ZERO and sign * dx > ZERO)
    if first < second:
        edge.base_x = p[0]
        edge.base_y = p[1]
        edge.step_x = dx
        edge.step_y = dy
        edge.orientation = sign
    else:
        edge.base_x = q[0]
        edge.base_y = q[1]
        edge.step_x = p[0] - q[0]
        edge.step_y = p[1] - q[1]
        edge.orientation = -sign
    return edge


@wp.func
def side(edge: Edge, column: wp.float64, row: wp.float64):
    return edge.orientation * (edge.step_x * (row - edge.base_y) - edge.step_y * (column - edge.base_x))


@wp.func
def within(edge: Edge, value: wp.float64):
    return value > ZERO or (value == ZERO and edge.owned)


@wp.func
def sheet_of(face: Face, perspective: wp.bool) -> Sheet:
    sheet = Sheet()
    area = twice_area(face.a, face.b, face.c)
    sheet.sign = wp.sign(area)
    if area == ZERO:
        sheet.sign = ZERO
        return sheet
    sheet.ab = edge_of(face.a, face.b, face.vertex[0], face.vertex[1], sheet.sign)
    sheet.bc = edge_of(face.b, face.c, face.vertex[1], face.vertex[2], sheet.sign)
    sheet.ca = edge_of(face.c, face.a, face.vertex[2], face.vertex[0], sheet.sign)
    sheet.values = wp.vec3d(face.a[2], face.b[2], face.c[2])
    if perspective:
        sheet.values = wp.vec3d(ONE / face.a[2], ONE / face.b[2], ONE / face.c[2])
    sheet.scale = ONE / wp.abs(area)
    return sheet


@wp.func
def cover(sheet: Sheet, column: wp.float64, row: wp.float64):
    """Weights of the corners, not yet divided by the area, at a pixel centre; zeros where it is not in the face."""
    ab = side(sheet.ab, column, row)
    bc = side(sheet.bc, column, row)
    ca = side(sheet.ca, column, row)
    if within(sheet.ab, ab) and within(sheet.bc, bc) and within(sheet.ca, ca):
        return wp.vec3d(bc, ca, ab)
    return wp.vec3d(ZERO, ZERO, ZERO)


@wp.func
def slopes(sheet: Sheet, face: Face) -> wp.vec2d:
    """Change of what is linear across a face, by column and by row."""
    a, b, c, v = face.a, face.b, face.c, sheet.values
    tilt = sheet.sign * sheet.scale
    by_column = -((c[1] - b[1]) * v[0] + (a[1] - c[1]) * v[1] + (b[1] - a[1]) * v[2]) * tilt
    by_row = ((c[0] - b[0]) * v[0] + (a[0] - c[0]) * v[1] + (b[0] - a[0]) * v[2]) * tilt
    return wp.vec2d(by_column, by_row)


@wp.kernel
def forward(
    screen: Vertices, faces: Faces, label: Labels, perspective: wp.bool, strips: int, out: Stacks
) -> None:
    """out: [J, L, H, W], zeros."""
    image, index, strip = wp.tid()
    face = read_face(screen, faces, image, index, ZERO, out.shape[2], out.shape[3])
    if face.bottom < face.top + strip:
        return
    sheet = sheet_of(face, perspective)
    if sheet.sign == ZERO:
        return
    structure = wp.int32(label[index])
    for row in range(face.top + strip, face.bottom + 1, strips):
        for column in range(face.left, face.right + 1):
            weights = cover(sheet, wp.float64(column), wp.float64(row))
            if weights[0] + weights[1] + weights[2] > ZERO:
                value = sheet.scale * wp.dot(weights, sheet.values)
                if perspective:
                    value = ONE / value
                wp.atomic_add(out, image, structure, row, column, sheet.sign * value)


@wp.kernel
def adjoint(
    screen: Vertices,
    faces: Faces,
    label: Labels,
    perspective: wp.bool,
    strips: int,
    grad: Stacks,
    to_screen: Vertices,
) -> None:
    """grad: [J, L, H, W]; to_screen: [J, V], zeros, receives the derivative to (column, row, depth)."""
    image, index, strip = wp.tid()
    face = read_face(screen, faces, image, index, ZERO, grad.shape[2], grad.shape[3])
    if face.bottom < face.top + strip:
        return
    sheet = sheet_of(face, perspective)
    if sheet.sign == ZERO:
        return
    structure = wp.int32(label[index])
    total = wp.vec3d(ZERO, ZERO, ZERO)
    for row in range(face.top + strip, face.bottom + 1, strips):
        for column in range(face.left, face.right + 1):
            weights = cover(sheet, wp.float64(column), wp.float64(row))
            if weights[0] + weights[1] + weights[2] > ZERO:
                amount = grad[image, structure, row, column]
                if perspective:  # depth is one over what is linear across the face
                    value = sheet.scale * wp.dot(weights, sheet.values)
                    amount = -amount / (value * value)
                total += amount * weights
    total = total * (sheet.sign * sheet.scale)
    # Moving a corner along the image tilts the plane of the face: minus the slope, times its weight.
    slope = slopes(sheet, face)
    v = sheet.values
    on_depth = total
    if perspective:
        on_depth = -wp.cw_mul(total, wp.cw_mul(v, v))
    for corner in range(3):
        share = total[corner]
        wp.atomic_add(
            to_screen,
            image,
            face.vertex[corner],
            wp.vec3d(-share * slope[0], -share * slope[1], on_depth[corner]),
        )


@wp.func
def lifted(moved: wp.vec3d, slope: wp.vec2d, value: wp.float64, perspective: wp.bool):
    """Change, at a corner that moves, of what is linear across the face, seen from a pixel that stays."""
    deeper = moved[2]
    if perspective:
        deeper = -deeper * value * value
    return deeper - slope[0] * moved[0] - slope[1] * moved[1]


@wp.kernel
def tangents(
    screen: Vertices,
    moved: Moved,
    faces: Faces,
    label: Labels,
    perspective: wp.bool,
    strips: int,
    structures: int,
    out: Columns,
) -> None:
    """moved: [J, P, V], how (column, row, depth) change along P directions. out: [J L, H, W, P] float32, zeros."""
    image, index, strip = wp.tid()
    face = read_face(screen, faces, image, index, ZERO, out.shape[1], out.shape[2])
    if face.bottom < face.top + strip:
        return
    sheet = sheet_of(face, perspective)
    if sheet.sign == ZERO:
        return
    plane = image * structures + wp.int32(label[index])
    slope = slopes(sheet, face)
    for row in range(face.top + strip, face.bottom + 1, strips):
        for column in range(face.left, face.right + 1):
            weights = cover(sheet, wp.float64(column), wp.float64(row))
            if weights[0] + weights[1] + weights[2] > ZERO:
                amount = sheet.sign * sheet.scale
                if perspective:
                    value = sheet.scale * wp.dot(weights, sheet.values)
                    amount = -amount / (value * value)
                for p in range(moved.shape[1]):
                    change = ZERO
                    for corner in range(3):
                        along = moved[image, p, face.vertex[corner]]
                        at_corner = lifted(along, slope, sheet.values[corner], perspective)
                        change += weights[corner] * at_corner
                    wp.atomic_add(out, plane, row, column, p, wp.float32(amount * change))

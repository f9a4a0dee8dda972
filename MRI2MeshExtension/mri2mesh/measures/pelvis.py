"""Measures of the pelvis: distance of the hip centres, pelvic incidence, pelvic tilt and sacral slope."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mri2mesh.anatomy.hip_joints import acetabulum, femoral_head
from mri2mesh.anatomy.structures import Side
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.plane_cut import plane_cut
from mri2mesh.measures.measure import Lines, Taken, unit_vector
from mri2mesh.measures.points import Points, at_vertices
from mri2mesh.measures.sacral_plate import sacral_plate
from mri2mesh.measures.spheres import sphere_through
from mri2mesh.measures.vertebra import Level, NotMeasurable, boundary, normal_of

SIDES: tuple[Side, Side] = ("left", "right")
ANGLES = ("pelvic_incidence", "pelvic_tilt", "sacral_slope")
UP = np.array([0.0, 0, 1])


@dataclass(frozen=True)
class Plate:
    """The sacrum's upper endplate. edge: of the patch it is taken from. chord: from its back to its front edge."""

    edge: tuple[Points, Points]
    chord: Points


def pelvis_measures(meshes: Mapping[str, Mesh], s1: Level | None) -> Iterator[Taken]:
    """Of what there is of hips, femora, sacrum or S1. meshes: by the structures' names."""
    centres: list[Points] = []
    missing = ""
    for side in SIDES:
        try:
            centres.append(hip_centre(meshes, side))
        except NotMeasurable as error:
            missing = missing or str(error)
    if missing:
        for key in ("hip_centre_distance", *ANGLES):
            yield Taken(key, "pelvis", missing=missing)
        return
    left, right = centres

    def apart(a: NDArray, b: NDArray) -> NDArray[np.float64]:
        return np.linalg.norm(sphere_through(a)[0] - sphere_through(b)[0], axis=-1)

    def axis(a: NDArray, b: NDArray) -> Lines:
        return [np.stack([sphere_through(a)[0], sphere_through(b)[0]])]

    yield Taken("hip_centre_distance", "pelvis", (left, right), apart, axis)
    try:
        plate = _plate(meshes, s1, centres)
    except NotMeasurable as error:
        for key in ANGLES:
            yield Taken(key, "pelvis", missing=str(error))
        return
    points = (left, right, *plate.edge, plate.chord)
    for key, formula in zip(ANGLES, (_incidence, _tilt, _slope), strict=True):
        yield Taken(key, "pelvis", points, formula, _drawn)


def hip_centre(meshes: Mapping[str, Mesh], side: Side) -> Points:
    """Vertices on the sphere of the joint: of the femoral head where there is one, else of the socket.

    Raises NotMeasurable where there is neither.
    """
    femur, hip = meshes.get(f"femur_{side}"), meshes.get(f"hip_{side}")
    for name, mesh, find in (
        (f"femur_{side}", femur, femoral_head),
        (f"hip_{side}", hip, lambda points: acetabulum(points, -1.0 if side == "left" else 1.0)),
    ):
        if mesh is None:
            continue
        _, radius, on = find(mesh.vertices.astype(np.float64))
        if 15 < radius < 35 and len(on) > 20:
            return at_vertices(name, on)
    raise NotMeasurable(f"the {side} hip joint is not in the result")


def _plate(meshes: Mapping[str, Mesh], s1: Level | None, centres: list[Points]) -> Plate:
    if s1 is not None:
        plate = s1.superior
        return Plate(plate.edge, plate.back.followed_by(plate.front))
    if "sacrum" not in meshes:
        raise NotMeasurable("the sacrum is not in the result")
    mesh = meshes["sacrum"]
    hips = [sphere_through(one.of(meshes[one.structure].vertices))[0] for one in centres]
    middle = (hips[0] + hips[1]) / 2
    right = unit_vector(hips[1] - hips[0])
    faces = sacral_plate("sacrum", mesh, float(middle[0]))
    cut = plane_cut(mesh, middle, right)
    cut = cut.of_faces(np.isin(cut.faces, faces))
    if not len(cut.faces):
        raise NotMeasurable("the upper endplate of the sacrum does not reach the middle of the hips")
    front = np.cross(UP, right)
    depth = cut.segments(mesh.vertices) @ front
    ends = [np.unravel_index(pick(depth), depth.shape) for pick in (np.argmin, np.argmax)]
    back, fore = (
        Points("sacrum", cut.ends[at][None], np.array([[1 - cut.shares[at], cut.shares[at]]])) for at in ends
    )
    return Plate(boundary("sacrum", mesh.faces[faces]), back.followed_by(fore))


def _plane(a: NDArray, b: NDArray, start: NDArray, end: NDArray, chord: NDArray) -> tuple[NDArray, ...]:
    """In the plane across the hips' axis: the plate's normal, and the way from its middle to that of the hips, each
    [..., 2] as (front, up)."""
    left, right = sphere_through(a)[0], sphere_through(b)[0]
    across = unit_vector(right - left)
    up = unit_vector(UP - (across @ UP)[..., None] * across)
    front = np.cross(up, across)
    normal, way = normal_of(start, end), (left + right) / 2 - chord.mean(axis=-2)
    return tuple(
        np.stack([(vector * front).sum(axis=-1), (vector * up).sum(axis=-1)], axis=-1)
        for vector in (normal, way)
    )


def _slope(*points: NDArray) -> NDArray[np.float64]:
    normal, _ = _plane(*points)
    return np.degrees(np.arctan2(normal[..., 0], normal[..., 1]))


def _tilt(*points: NDArray) -> NDArray[np.float64]:
    _, way = _plane(*points)
    return np.degrees(np.arctan2(way[..., 0], -way[..., 1]))


def _incidence(*points: NDArray) -> NDArray[np.float64]:
    return _slope(*points) + _tilt(*points)


def _drawn(a: NDArray, b: NDArray, _start: NDArray, _end: NDArray, chord: NDArray) -> Lines:
    left, right = sphere_through(a)[0], sphere_through(b)[0]
    return [np.stack([left, right]), chord, np.stack([chord.mean(axis=0), (left + right) / 2])]

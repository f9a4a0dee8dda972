"""Measures of a femur: head, angle of the neck with the shaft, anteversion."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mri2mesh.anatomy.hip_joints import femoral_head
from mri2mesh.anatomy.structures import Side
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.measures.measure import Lines, Taken, unit_vector
from mri2mesh.measures.points import Points, at_vertices
from mri2mesh.measures.sections import section
from mri2mesh.measures.spheres import great_circles, sphere_through
from mri2mesh.measures.vertebra import NotMeasurable

SHAFT = (4.0, 7.0)
"""Where the shaft's axis is taken: so many radii of the head below its centre, under the lesser trochanter. So it is
the same part of the bone whether or not the knee is in view."""
NECK = (0.7, 2.0)
"""Where the neck's narrowest section is sought: so many radii of the head from its centre."""
NECK_RADIUS = 0.5
"""Least mean radius of a section of the neck, in radii of the head: less is the tip of a trochanter."""
CONDYLES = 0.12
"""The distal part of the whole length that the condyles are in."""
KNEE_WIDTH = 2.4
"""Least width of the distal end, in radii of the head: a shaft that was cut off is half as wide."""


@dataclass(frozen=True)
class Femur:
    """What its measures are taken from. head: vertices on the head's sphere. shaft: centres of sections, downwards.
    neck: centre of the narrowest section."""

    head: Points
    shaft: Points
    neck: Points


def femur_of(name: str, mesh: Mesh) -> Femur:
    """Finds head, shaft and neck of an upright femur. Raises NotMeasurable where it has none."""
    points = mesh.vertices.astype(np.float64)
    centre, radius, on = femoral_head(points)
    if not (15 < radius < 35 and len(on) > 20):
        raise NotMeasurable(f"no femoral head was found on {name}")
    shaft = _shaft(name, mesh, centre, radius)
    return Femur(at_vertices(name, on), shaft, _neck(name, mesh, centre, radius, shaft.of(points)))


def femur_measures(name: str, side: Side, mesh: Mesh) -> Iterator[Taken]:
    """Of one femur."""
    try:
        bone = femur_of(name, mesh)
    except NotMeasurable as error:
        for key in ("head_radius", "neck_shaft_angle", "anteversion"):
            yield Taken(key, name, side=side, missing=str(error))
        return
    yield Taken(
        "head_radius", name, (bone.head,), lambda head: sphere_through(head)[1], great_circles, side=side
    )
    yield Taken("neck_shaft_angle", name, (bone.head, bone.neck, bone.shaft), _neck_shaft, _axes, side=side)
    try:
        knee = condyles(name, mesh, bone)
    except NotMeasurable as error:
        yield Taken("anteversion", name, side=side, missing=str(error))
        return
    yield Taken("anteversion", name, (bone.head, bone.neck, bone.shaft, knee), _anteversion, _axes, side=side)


def shaft_axis(centres: NDArray) -> NDArray[np.float64]:
    """[..., 3] unit vector downwards along equally spaced centres [..., K, 3], by least squares."""
    steps = np.arange(centres.shape[-2]) - (centres.shape[-2] - 1) / 2
    return unit_vector((steps[:, None] * centres).sum(axis=-2))


def condyles(name: str, mesh: Mesh, bone: Femur) -> Points:
    """The hindmost points of the medial and the lateral condyle, in this order: both touch one table under the knee.

    Raises NotMeasurable where the surface ends above the knee.
    """
    points = mesh.vertices.astype(np.float64)
    head, radius = sphere_through(bone.head.of(points))
    axis = shaft_axis(bone.shaft.of(points))
    down = points @ axis
    distal = np.flatnonzero(down > down.max() - CONDYLES * np.ptp(down))
    medial = head - bone.shaft.of(points)[0]
    medial = unit_vector(medial - (medial @ axis) * axis)
    if np.ptp(points[distal] @ medial) < KNEE_WIDTH * radius:
        raise NotMeasurable(f"the surface of {name} ends above the knee")
    pair = np.zeros(2, np.int64)
    for _ in range(4):
        back = np.cross(axis, medial)
        back *= -np.sign(back[1])
        across = points[distal] @ medial
        inner = across > (across.min() + across.max()) / 2
        hindmost = points[distal] @ back
        pair = distal[[np.where(part, hindmost, -np.inf).argmax() for part in (inner, ~inner)]]
        medial = points[pair[0]] - points[pair[1]]
        medial = unit_vector(medial - (medial @ axis) * axis)
    return at_vertices(name, pair)


def _shaft(name: str, mesh: Mesh, centre: NDArray, radius: float) -> Points:
    points = mesh.vertices.astype(np.float64)
    axis, at = np.array([0.0, 0, -1]), centre
    low, high = (centre[2] - share * radius for share in SHAFT[::-1])
    slab = points[(points[:, 2] > low) & (points[:, 2] < high)]
    if not len(slab):
        raise NotMeasurable(f"the surface of {name} ends above its shaft")
    at = np.array([*slab[:, :2].mean(axis=0), centre[2]])
    for _ in range(3):
        found = [
            section(name, mesh, at + ((centre - at) @ axis + share * radius) * axis, axis)
            for share in np.linspace(*SHAFT, 7)
        ]
        whole = [one[0] for one in found if one is not None]
        if len(whole) < len(found):
            raise NotMeasurable(f"the surface of {name} ends above its shaft")
        shaft = whole[0]
        for one in whole[1:]:
            shaft = shaft.followed_by(one)
        centres = shaft.of(points)
        axis, at = shaft_axis(centres), centres.mean(axis=0)
    return shaft


def _neck(name: str, mesh: Mesh, centre: NDArray, radius: float, shaft: NDArray) -> Points:
    points, axis, at = mesh.vertices.astype(np.float64), shaft_axis(shaft), shaft.mean(axis=0)
    towards = at + ((centre - at) @ axis + radius) * axis - centre
    best: Points | None = None
    for _ in range(4):
        direction = unit_vector(towards)
        found = [
            section(name, mesh, centre + share * radius * direction, direction)
            for share in np.linspace(*NECK, 27)
        ]
        there = [one for one in found if one is not None and one[1] > NECK_RADIUS * radius]
        if not there:
            raise NotMeasurable(f"{name} has no neck below its head")
        best = min(there, key=lambda one: one[1])[0]
        towards = best.of(points)[0] - centre
    assert best is not None
    return best


def _neck_shaft(head: NDArray, neck: NDArray, shaft: NDArray) -> NDArray[np.float64]:
    up = unit_vector(sphere_through(head)[0] - neck[..., 0, :])
    return np.degrees(np.arccos(np.clip((up * shaft_axis(shaft)).sum(axis=-1), -1, 1)))


def _anteversion(head: NDArray, neck: NDArray, shaft: NDArray, knee: NDArray) -> NDArray[np.float64]:
    axis = shaft_axis(shaft)
    medial = unit_vector(_across(knee[..., 0, :] - knee[..., 1, :], axis))
    front = np.cross(axis, medial)
    front *= np.sign(front[..., 1:2])
    up = _across(sphere_through(head)[0] - neck[..., 0, :], axis)
    return np.degrees(np.arctan2((up * front).sum(axis=-1), (up * medial).sum(axis=-1)))


def _across(vectors: NDArray, axis: NDArray) -> NDArray[np.float64]:
    return vectors - (vectors * axis).sum(axis=-1, keepdims=True) * axis


def _axes(head: NDArray, neck: NDArray, shaft: NDArray, *knee: NDArray) -> Lines:
    """The neck's axis to where it comes nearest to the shaft's, that axis from there, and the condyles' line."""
    centre, axis = sphere_through(head)[0], shaft_axis(shaft)
    down = unit_vector(neck[0] - centre)
    apart = shaft.mean(axis=0) - centre
    cosine = down @ axis
    along = ((apart @ down) - (apart @ axis) * cosine) / (1 - cosine**2)
    meeting = shaft.mean(axis=0) + ((centre + along * down - shaft.mean(axis=0)) @ axis) * axis
    return [np.stack([centre, centre + along * down]), np.stack([meeting, shaft[-1]]), *knee]

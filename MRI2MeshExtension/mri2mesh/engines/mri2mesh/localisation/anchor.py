"""What fixes the count of the vertebrae: S1 wholly in the image, or a vertebra that the user named."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mri2mesh.anatomy.regions import body_of
from mri2mesh.anatomy.templates import template
from mri2mesh.engines.mri2mesh.localisation.evidence import Evidence
from mri2mesh.engines.mri2mesh.localisation.spine import SpineFound
from mri2mesh.errors import InputError
from mri2mesh.geometry.transforms import apply

ROOM_BELOW_S1_MM = 18.0
"""Image that is needed below the centre of S1: half its body, 15 mm, and the beginning of S2. With less in view the
sacrum can be taken for a vertebra, and a vertebra at the edge for the sacrum."""
LEAST_S1_SCORE = 0.8
"""Score that S1 needs to fix the count. On synthetic exams with S1 wholly in the image it was 0.85 or more; a body that
the lower edge of an image cuts can be taken for S1, with less."""
LONGEST_MM = 60.0
"""How far an image is followed beyond a point."""
NEAR_MM = 4.0
"""Distance outside a body up to which a point still means that body."""


def sacrum_anchors(spine: SpineFound) -> bool:
    """Whether S1 was found, clearly and wholly in the image."""
    if spine.chain.s1 is None or spine.chain.s1.score < LEAST_S1_SCORE:
        return False
    centre = spine.chain.s1.centre
    downwards = centre - spine.chain.bodies[0].centre
    return room_beyond(centre, downwards, spine.evidence) >= ROOM_BELOW_S1_MM


def room_beyond(point: NDArray, direction: NDArray, evidence: Evidence) -> float:
    """Millimetres of image from a point (RAS) in a direction, up to LONGEST_MM."""
    distances = np.arange(0.0, LONGEST_MM + 0.5)
    along = point + distances[:, None] * direction / np.linalg.norm(direction)
    kji = np.round(evidence.kji_from_ras(along)).astype(int)
    shape = np.array(evidence.inside.shape)
    within = ((kji >= 0) & (kji < shape)).all(axis=1)
    seen = within & evidence.inside[tuple(np.clip(kji, 0, shape - 1).T)]
    return float(distances[-1] if seen.all() else distances[np.argmin(seen)])


def body_at(point: NDArray, spine: SpineFound, name: str) -> int:
    """Number of the body at a point (RAS mm), from the lowest upwards; -1 for S1 where it was found.

    name: what the user calls it, for the message. Raises InputError where no body is there.
    """
    body = body_of(template("vertebra")).vertices
    low, high = body.min(axis=0), body.max(axis=0)
    frames = list(spine.frames) if spine.sacrum is None else [spine.sacrum, *spine.frames]
    outside = []
    for frame in frames:
        scale = np.linalg.norm(frame[:3, :3], axis=0)
        local = apply(np.linalg.inv(frame), np.asarray(point)[None])[0]
        beyond = np.maximum(np.maximum(low - local, local - high), 0) * scale
        outside.append(float(np.linalg.norm(beyond)))
    nearest = int(np.argmin(outside))
    if outside[nearest] > NEAR_MM:
        raise InputError(
            f"the point given for the level {name} lies {outside[nearest]:.0f} mm from the nearest vertebral body"
            " that was found: give a point inside the body, in front of the canal"
        )
    return nearest - (spine.sacrum is not None)

"""Pelvis and femora completed one after the other: hips lie about where they are expected, heads in their sockets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from mri2mesh.engines.ddx.targets import Target
from mri2mesh.engines.dense_maps.completion.complete import FEWEST_POINTS, Completion, Noise, complete
from mri2mesh.engines.dense_maps.completion.held import HeldPoint, along, everywhere
from mri2mesh.engines.dense_maps.completion.outlines import Outlines
from mri2mesh.engines.dense_maps.inputs import Reference
from mri2mesh.engines.dense_maps.maps import BoneMaps

SEATED_SD_MM = 2.5
"""How far a femur's head lies from the middle of its socket, along each axis."""


def complete_region(
    maps: BoneMaps,
    bones: Sequence[Target],
    places: NDArray,
    noise: Mapping[str, Noise],
    reference: Reference,
) -> list[Completion | None]:
    """Of every target what the film shows enough of. bones: the pelvis first. places: [V, 3] mm, see
    `complete.complete`, of all bones. noise: of the samples, by target; the shift along the beam is the reference's."""
    found = list[Completion | None]()
    for target in bones:
        samples = maps.samples(*target.bones)
        if len(samples) < FEWEST_POINTS:
            found.append(None)
            continue
        pelvis = found[0] if found else None
        known = _expected(target, maps, reference) if not found else _seated(target, bones[0], pelvis)
        outlines = Outlines(target.model, maps.presence[list(target.bones)], maps.shown, maps.camera)
        known_noise = replace(noise[target.name], shift=reference.sd_mm)
        found.append(
            complete(
                target.model,
                places[target.rows],
                samples,
                noise=known_noise,
                outlines=outlines,
                held=known,
            )
        )
    return found


def _expected(pelvis: Target, maps: BoneMaps, reference: Reference) -> list[HeldPoint]:
    """The middle of both hip joints at the reference's depth."""
    sockets = [pelvis.model.landmarks[f"acetabulum_centre_{side}"] for side in ("left", "right")]
    beam = maps.camera.axes_ras[2]
    place = maps.camera.source_ras_mm + reference.depth_mm * beam
    return [HeldPoint(sockets, place, along(beam, reference.sd_mm))]


def _seated(femur: Target, pelvis: Target, placed: Completion | None) -> list[HeldPoint]:
    """The head in the socket, where the film shows the socket."""
    side = femur.name.rsplit("_", 1)[1]
    socket = pelvis.model.landmarks[f"acetabulum_centre_{side}"]
    if placed is None or not placed.measured[socket].any():
        return []
    centre = placed.vertices[socket].mean(axis=0)
    sd_mm = float(np.hypot(SEATED_SD_MM, placed.uncertainty_mm[socket].mean()))
    head = femur.model.landmarks[f"femoral_head_centre_{side}"]
    return [HeldPoint([head], centre, everywhere(sd_mm))]

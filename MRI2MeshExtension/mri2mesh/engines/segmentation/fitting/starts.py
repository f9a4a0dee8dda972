"""Where a fit begins: the bone upright, or along its spine, over its labels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mri2mesh.anatomy.structures import STRUCTURES
from mri2mesh.engines.segmentation.patch import Patch
from mri2mesh.geometry.transforms import apply, compose, rotation_about, rotation_between, translation

PITCHES = (0.0, -30.0, 30.0)
"""Degrees about the left-right axis, for a vertebra or disc that has no neighbours to say how the spine runs."""


def spine_directions(centres: dict[str, NDArray]) -> dict[str, NDArray]:
    """Name to [3] the direction towards the head, from the centres of its neighbours; for vertebrae and discs that have
    any.

    centres: of the labels, by name, RAS mm.
    """
    rank = {name: place for place, name in enumerate(_down_the_spine())}
    found = {}
    for kind in ("vertebra", "disc"):  # whole vertebrae lie further back than discs: each among their own
        row = sorted((n for n in centres if STRUCTURES[n].kind == kind), key=rank.__getitem__)
        for place, name in enumerate(row):
            above, below = row[max(place - 1, 0)], row[min(place + 1, len(row) - 1)]
            if rank[below] - rank[above] in range(1, 5):
                found[name] = centres[above] - centres[below]
    return found


def starts(
    mean: NDArray, outline: NDArray, cut: tuple[bool, bool], direction: NDArray | None, upright: bool
) -> list[NDArray[np.float64]]:
    """4x4 poses to begin from, model to RAS.

    mean: [V, 3] of the vertices that the labels show. outline: [N, 3] of the labels. cut: whether the image ends
    within the bone below and above. direction: of the spine. upright: the bone needs no turn to begin with.
    """
    if direction is not None:
        turns = [rotation_between([0.0, 0.0, 1.0], direction)]
    else:
        turns = [rotation_about([1.0, 0.0, 0.0], pitch) for pitch in ((0.0,) if upright else PITCHES)]
    return [translation(_offset(apply(turn, mean), outline, cut)) @ compose(turn[:3, :3]) for turn in turns]


def _offset(vertices: NDArray, outline: NDArray, cut: tuple[bool, bool]) -> NDArray[np.float64]:
    """[3] the move that lays the vertices over the outline; of a bone that the image cuts, by the end that it shows."""
    low, high = cut
    height = float(np.ptp(outline[:, 2]))
    if low == high:
        return np.asarray(outline.mean(axis=0) - vertices.mean(axis=0))
    end = np.max if low else np.min
    shift = end(outline[:, 2]) - end(vertices[:, 2])
    shown = np.abs(vertices[:, 2] - end(vertices[:, 2])) <= height
    move = outline.mean(axis=0) - vertices[shown].mean(axis=0)
    move[2] = shift
    return np.asarray(move)


def cut_by_the_image(bone: Patch) -> tuple[bool, bool]:
    """Whether labels run into the border of the image at their lower and at their upper end."""
    where = np.argwhere(bone.array)[:, ::-1]
    border = ((where == bone.first) | (where == bone.last)).any(axis=1)
    if border.sum() < 0.002 * len(where):
        return False, False
    z = bone.ras_from_ijk(where)[:, 2]
    low, high = z.min(), z.max()
    ends, third = z[border], (high - low) / 3
    return bool((ends < low + third).mean() > 0.5), bool((ends > high - third).mean() > 0.5)


def _down_the_spine() -> Sequence[str]:
    return [name for name, one in STRUCTURES.items() if one.kind in ("vertebra", "disc", "sacrum")]

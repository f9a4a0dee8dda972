"""One label that holds several vertebrae, taken apart where they do not touch, or only at their facets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from mri2mesh.anatomy.structures import VERTEBRA_LEVELS
from mri2mesh.engines.segmentation.label_map import LabelMap
from mri2mesh.engines.segmentation.numbering.choosing import Taken, parse_segments, take
from mri2mesh.engines.segmentation.numbering.names import levels_of
from mri2mesh.engines.segmentation.numbering.presets import ALL_VERTEBRAE
from mri2mesh.engines.segmentation.numbering.sizes import size_doubt
from mri2mesh.engines.segmentation.patch import patch_of
from mri2mesh.errors import InputError

EROSIONS = 3
"""Vertebrae that touch are taken apart by wearing them off by fewer voxels than this."""
LEAST_SHARE = 0.25
"""A piece with this share of the largest one's voxels is a vertebra, ..."""
ISLAND_SHARE = 0.12
"""... one with less than this a splinter, which goes with the nearest vertebra; between them it is not clear."""
_TOUCHING = ndimage.generate_binary_structure(3, 3)
APART = (
    "give each vertebra a number of its own (3D Slicer: Segment Editor, Islands, Split islands to segments)"
)


def take_apart(
    label_map: LabelMap, numbering: str | None = None, segments: Sequence[str] = ()
) -> tuple[LabelMap, Taken]:
    """As `take`, and labels of several vertebrae become labels of one each.

    Raises InputError as `take`, and where the vertebrae of such a label cannot be told apart, or nothing says which
    they are; where the user did not speak of that label and there are others, it is left out instead.
    """
    taken = take(label_map, numbering, segments)
    several = {label: name for label, name in taken.bones.items() if levels_of(name)}
    if not several:
        return label_map, taken
    asked = set(parse_segments(segments))
    bones = {label: name for label, name in taken.bones.items() if label not in several}
    notes, labels = list[str](), label_map.labels.copy()
    for label, name in several.items():
        try:
            pieces = _named_pieces(label_map, label, name, bones)
        except InputError as error:
            if label in asked or not bones:
                raise
            notes.append(f"Left out: {error}.")
            continue
        for level, piece in pieces.items():
            number = int(max(labels.max(), label_map.labels.max())) + 1
            labels[piece] = number
            bones[number] = level
    how = f"{taken.how} Vertebrae that one label holds were told apart by their pieces, counted from below."
    array = label_map.array if label_map.has_image else labels
    found = Taken(dict(sorted(bones.items())), taken.left_out, how, tuple(notes))
    return replace(label_map, labels=labels, array=array), found


def _named_pieces(
    label_map: LabelMap, label: int, name: str, others: Mapping[int, str]
) -> dict[str, NDArray[np.bool_]]:
    """Level to its voxels [K, J, I]."""
    levels = levels_of(name) if name != ALL_VERTEBRAE else ()
    where = label_map.labels == label
    pieces = _pieces(where, len(levels) or None)
    if pieces is None or pieces.max() == 1 or _too_large(label_map, pieces):
        which = f"the {len(levels)} vertebrae {levels[0]} to {levels[-1]}" if levels else "separate vertebrae"
        several = (
            ""
            if levels
            else f"; say which they are, as --segments {label}=L1:L5, and they may touch a little"
        )
        raise InputError(
            f"label {label} is not {which} in separate pieces: {APART}, or leave the label out{several}"
        )
    number = int(pieces.max())
    heights = [
        float(label_map.ras_from_ijk(np.argwhere(pieces == piece)[:, ::-1])[:, 2].mean())
        for piece in range(1, number + 1)
    ]
    if not levels:
        if not {"sacrum", "S1"} & set(others.values()):
            example = f"{VERTEBRA_LEVELS[-number]}:L5" if number <= len(VERTEBRA_LEVELS) else "L1:L5"
            raise InputError(
                f"label {label} holds {number} vertebrae, and nothing says which: say it from the highest to the "
                f"lowest, as --segments {label}={example}"
            )
        if number > len(VERTEBRA_LEVELS):
            raise InputError(
                f"label {label} holds {number} vertebrae, more than there are templates of: {APART}"
            )
        levels = VERTEBRA_LEVELS[-number:]
    downwards = np.argsort(heights)[::-1] + 1
    return {level: pieces == piece for level, piece in zip(levels, downwards, strict=True)}


def _too_large(label_map: LabelMap, pieces: NDArray[np.int32]) -> bool:
    """Whether a piece cannot be one vertebra."""
    for number, box in enumerate(ndimage.find_objects(pieces), 1):
        if size_doubt("L3", patch_of(pieces, [number], box, label_map).box_mm):
            return True
    return False


def _pieces(where: NDArray[np.bool_], number: int | None) -> NDArray[np.int32] | None:
    """[K, J, I] which vertebra each voxel belongs to, from 1; None where they cannot be told apart. number: how many
    there should be, None where it is not known: then nothing is worn off, which would be a guess."""
    for worn in range(EROSIONS if number is not None else 1):
        core = ndimage.binary_erosion(where, iterations=worn) if worn else where
        found, count = ndimage.label(core, _TOUCHING)
        if not count:
            return None
        sizes = np.bincount(found.ravel())[1:]
        large = np.flatnonzero(sizes >= LEAST_SHARE * sizes.max()) + 1
        clear = not ((sizes < LEAST_SHARE * sizes.max()) & (sizes >= ISLAND_SHARE * sizes.max())).any()
        fused = sizes.max() > 2.0 * np.median(sizes[large - 1])
        if clear and not fused and len(large) == (number or len(large)):
            seeds = np.zeros(count + 1, np.int32)
            seeds[large] = np.arange(1, len(large) + 1)
            seeds_there = seeds[found]
            nearest = ndimage.distance_transform_edt(
                seeds_there == 0, return_distances=False, return_indices=True
            )
            return np.where(where, seeds_there[tuple(nearest)], 0).astype(np.int32)
    return None

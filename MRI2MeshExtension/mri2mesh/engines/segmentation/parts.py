"""The voxels of each bone: labels joined, pairs told apart, vertebrae whose body alone was drawn recognised."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from mri2mesh.anatomy.shapes import VertebraShapes
from mri2mesh.anatomy.structures import STRUCTURES
from mri2mesh.engines.segmentation.label_map import LabelMap
from mri2mesh.engines.segmentation.numbering.presets import PAIRS
from mri2mesh.engines.segmentation.patch import Patch, joined, patch_of

WHOLE_DEPTH = 1.35
"""A vertebra that is this many times as deep, front to back, as a typical body of its level is drawn with its arch."""
ONE_SIDE = 0.15
"""Share of a piece beyond the midline from which on it belongs to both sides, and is cut there."""


def label_boxes(label_map: LabelMap) -> dict[int, tuple[slice, ...]]:
    """The box [K, J, I] around each label that is there."""
    found = ndimage.find_objects(label_map.labels)
    return {number + 1: box for number, box in enumerate(found) if box is not None}


def patches_of(label_map: LabelMap, bones: Mapping[int, str]) -> dict[str, Patch]:
    """By name of `STRUCTURES`, in the order there; several labels of one bone together."""
    boxes = label_boxes(label_map)
    labels_of: dict[str, list[int]] = {}
    for label, name in bones.items():
        labels_of.setdefault(name, []).append(label)
    found = {
        name: patch_of(label_map.labels, labels, joined([boxes[label] for label in labels]), label_map)
        for name, labels in labels_of.items()
    }
    middle = [patch.centre[0] for name, patch in found.items() if name not in PAIRS]
    for pair in [name for name in found if name in PAIRS]:
        both = found.pop(pair)
        left, right = _sides(both, float(np.mean(middle)) if middle else None)
        for name, side in zip(PAIRS[pair], (left, right), strict=True):
            if side.any():
                found[name] = _cropped(both.with_voxels(side))
    return {name: found[name] for name in STRUCTURES if name in found}


def _cropped(patch: Patch) -> Patch:
    """Cut down to the voxels that it has."""
    box = ndimage.find_objects(patch.array.astype(np.uint8))[0]
    inner = patch_of(patch.array, [1], box, patch)
    return Patch(inner.array, inner.ijk_to_ras, low=patch.low + inner.low, size=patch.size)


def _sides(patch: Patch, midline: float | None) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """The left (x below the midline) and the right bone of a pair: piece by piece, or cut at the midline where both are
    one piece. midline: x in RAS mm, None for the middle of the labels."""
    pieces, count = ndimage.label(patch.array, ndimage.generate_binary_structure(3, 3))
    where = np.argwhere(patch.array)
    x = patch.ras_from_ijk(where[:, ::-1])[:, 0]
    middle = float(x.mean()) if midline is None else midline
    piece = pieces[tuple(where.T)]
    sizes = np.bincount(piece, minlength=count + 1)
    beyond = np.bincount(piece, x > middle, minlength=count + 1) / np.maximum(sizes, 1)
    cut = (beyond > ONE_SIDE) & (beyond < 1 - ONE_SIDE)
    is_right = np.where(cut[piece], x > middle, beyond[piece] >= 0.5)
    right = np.zeros_like(patch.array)
    right[tuple(where[is_right].T)] = True
    return patch.array & ~right, right


def bodies_alone(patches: Mapping[str, Patch]) -> bool:
    """Whether vertebrae were drawn without their arches."""
    typical = VertebraShapes.load().typical_size
    deep = []
    for name, patch in patches.items():
        if STRUCTURES[name].kind == "vertebra":
            box = patch.box_mm
            deep.append(box[1, 1] - box[0, 1] > WHOLE_DEPTH * typical[name][1])
    return bool(deep) and float(np.mean(deep)) < 0.5

"""Which label is which bone: by what the user says, by the segments' names, or by the numbering that fits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from numpy.typing import NDArray

from mri2mesh.anatomy.structures import STRUCTURES, VERTEBRA_LEVELS
from mri2mesh.engines.segmentation.label_map import LabelMap
from mri2mesh.engines.segmentation.numbering.names import levels_of, structure_of
from mri2mesh.engines.segmentation.numbering.presets import (
    ALL_VERTEBRAE,
    NOTHING,
    NUMBERINGS,
    PAIRS,
    Numbering,
)
from mri2mesh.engines.segmentation.numbering.sizes import size_doubt
from mri2mesh.engines.segmentation.parts import label_boxes
from mri2mesh.engines.segmentation.patch import patch_of
from mri2mesh.errors import InputError

SAY = "say what the labels are with --segments, as --segments 1=L5,2=L4, or with --numbering"


@dataclass(frozen=True)
class Taken:
    """bones: name of each label that is used, of `STRUCTURES` or `PAIRS`, or of several vertebrae (`levels_of`).
    left_out: label to what it was taken for, of those that are not. how: a sentence on where this comes from. notes:
    sentences on what could not be used."""

    bones: dict[int, str]
    left_out: dict[int, str]
    how: str
    notes: tuple[str, ...] = ()


def parse_segments(given: Sequence[str]) -> dict[int, str]:
    """``("1=L5", "2=none")`` as label to name. Raises InputError for what is no number or no structure."""
    found: dict[int, str] = {}
    for one in given:
        label, _, name = one.partition("=")
        if not label.strip().isdigit() or not name.strip():
            raise InputError(f"--segments {one!r}: give NUMBER=NAME, as 20=L1")
        structure = structure_of(name.strip())
        if structure is None:
            raise InputError(
                f"--segments {one!r}: nothing is called {name.strip()!r}; use {', '.join((*PAIRS, *STRUCTURES))}, "
                f"several vertebrae as L1:L5, {ALL_VERTEBRAE} or {NOTHING}"
            )
        if found.get(int(label), structure) != structure:
            raise InputError(
                f"--segments says two things of label {label.strip()}: {found[int(label)]} and {structure}"
            )
        found[int(label)] = structure
    return found


def take(label_map: LabelMap, numbering: str | None = None, segments: Sequence[str] = ()) -> Taken:
    """Raises InputError where no label is a bone, nothing says what the labels are, or several numberings fit."""
    voxels = label_boxes(label_map)
    present = list(voxels)
    said = parse_segments(segments)
    if missing := [label for label in said if label not in present]:
        raise InputError(
            f"--segments names label {missing[0]}, which the label map does not have: it has {_listed(present)}"
        )
    named = {label: label_map.names[label] for label in present if label in label_map.names}
    boxes = {
        label: patch_of(label_map.labels, [label], box, label_map).box_mm for label, box in voxels.items()
    }
    if set(said) >= set(present):
        return _split(present, said, {}, "The labels are what --segments says.")
    if numbering is not None:
        chosen = NUMBERINGS[numbering]
        how = f"The labels were taken as {chosen.title} numbers them, as --numbering says."
    elif any(structure_of(name) for name in named.values()):
        known = {label: structure_of(name) for label, name in named.items()}
        by_name = {label: name for label, name in known.items() if name} | said
        return _split(present, by_name, named, "The labels are what the names of their segments say.")
    elif any(name != NOTHING for name in said.values()):
        return _split(present, said, {}, "The labels are what --segments says; the others are left out.")
    else:
        chosen = _fitting(present, boxes)
        how = f"The labels were taken as {chosen.title} numbers them, which fits their order and sizes."
    numbered = {label: name for label in present if (name := chosen.name(label))} | said
    sacral = {label: _sacrum_or_s1(boxes[label]) for label, name in numbered.items() if name == "sacrum"}
    return _split(present, numbered | sacral, {}, how)


def _split(present: list[int], names: Mapping[int, str], others: Mapping[int, str], how: str) -> Taken:
    usable = {
        label: name for label, name in names.items() if name in STRUCTURES or name in PAIRS or levels_of(name)
    }
    left_out = {
        label: names.get(label) or others.get(label) or "not known"
        for label in present
        if label not in usable
    }
    if not usable:
        raise InputError(f"none of the labels ({_listed(present)}) is a bone that has a template: {SAY}")
    return Taken(dict(sorted(usable.items())), left_out, how)


def _sacrum_or_s1(box: NDArray) -> str:
    """VerSe's sacrum is the number of the S1 body as well, which is all that a spine image may have of it."""
    wide, deep, tall = box[1] - box[0]
    return "S1" if max(wide, tall) < 62.0 and deep < 50.0 else "sacrum"


def _fitting(present: list[int], boxes: Mapping[int, NDArray]) -> Numbering:
    """The numbering by which most labels are bones of a possible size in their order. Raises InputError without one,
    or where two that fit alike say different things."""
    if list(present) == [1]:
        raise InputError(
            "the only label is 1, as in any mask: say what it is with --segments, as --segments 1=L3, or "
            "--segments 1=L1:L5 for vertebrae that are separate pieces"
        )
    scores = {key: _score(one, present, boxes) for key, one in NUMBERINGS.items()}
    best = max(scores.values())
    if best <= 0:
        raise InputError(_why_none(present, boxes))
    fitting = [NUMBERINGS[key] for key, score in scores.items() if score >= best - 0.25]
    meanings = {tuple(_bone(one, label) for label in present) for one in fitting}
    if len(meanings) > 1:
        titles = " and ".join(one.title for one in fitting)
        raise InputError(f"the labels {_listed(present)} fit the numberings of {titles}: {SAY}")
    return fitting[0]


def _why_none(present: Sequence[int], boxes: Mapping[int, NDArray]) -> str:
    """Whether the numbers are unknown, or known ones have a size that no such bone has."""
    for numbering in NUMBERINGS.values():
        for label in present:
            name = numbering.name(label)
            if name in STRUCTURES and (doubt := size_doubt(name, boxes[label])):
                return (
                    f"no numbering that is known fits the labels {_listed(present)}; in that of {numbering.title} "
                    f"{doubt}: check the voxels' size, or {SAY}"
                )
    return f"no numbering that is known fits the labels {_listed(present)}: {SAY}"


def _bone(numbering: Numbering, label: int) -> str | None:
    """S1 and sacrum have one number in VerSe, and are told apart later."""
    name = numbering.bones.get(label)
    return "sacrum" if name == "S1" else name if name in STRUCTURES else None


def _score(numbering: Numbering, present: list[int], boxes: Mapping[int, NDArray]) -> float:
    """Labels that fit, less those that do not."""
    score = 0.0
    for label in present:
        name = numbering.name(label)
        if name in STRUCTURES:
            score += -2.0 if size_doubt(name, boxes[label]) else 1.0
        elif name is None:
            score -= 0.1 if numbering.organs else 1.0
    heights = [
        boxes[label][:, 2].mean()
        for level in VERTEBRA_LEVELS
        for label in present
        if numbering.bones.get(label) == level
    ]
    sacra = [boxes[label] for label in present if numbering.bones.get(label) == "sacrum"]
    heights += [box[:, 2].mean() for box in sacra]
    wrong = sum(1 for upper, lower in pairwise(heights) if upper <= lower)
    return score - 3.0 * wrong


def _listed(labels: Sequence[int]) -> str:
    shown = ", ".join(str(label) for label in labels[:12])
    return shown + (", ..." if len(labels) > 12 else "")

"""Slices sorted into the stacks that can each form one volume.

One series whose positions are all different and evenly spaced is one stack, whatever else differs between its slices:
what differs is said. Only where several images lie at one position, or the spacing is uneven, an attribute that tells
them apart splits a series.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mri2mesh.imaging.dicom.slices import DicomSlice

MIN_SLICES = 3
SAME_DIRECTION = 1e-3
"""Largest difference between direction cosines of slices that belong together."""
SAME_PLACE_MM = 1e-3
POSITION_TOLERANCE_MM = 0.05
POSITION_TOLERANCE = 0.02
"""A slice may be this far from its place, in millimetres or in slice spacings, whichever is more."""
SPLIT_BY = (
    "Image Type", "Echo Number", "Echo Time", "Temporal Position", "Diffusion b-value", "Inversion Time", "Flip Angle",
    "Stack", "Acquisition Number", "Trigger Time", "Scanning Sequence", "Repetition Time",
)  # fmt: skip
"""Attributes by which a series is split, in this order."""
WATCHED = (
    "Image Type", "Echo Number", "Echo Time", "Inversion Time", "Flip Angle", "Diffusion b-value", "Scanning Sequence",
    "Temporal Position", "Photometric Interpretation",
)  # fmt: skip
"""Attributes that slices of one volume have in common; where not, their grey values may not be comparable."""


@dataclass
class DicomStack:
    """Slices that can form one volume, in order along their normal. left_out: images of the series that are in none."""

    slices: list[DicomSlice]
    left_out: int = 0
    differing: list[str] = field(default_factory=list)

    @property
    def normal(self) -> NDArray[np.float64]:
        """[3] LPS; right-handed with rows and columns."""
        row, column = self.slices[0].orientation
        return np.cross(row, column)

    @property
    def warnings(self) -> tuple[str, ...]:
        """Sentences on what differs between the slices, and on images of the series that are not among them."""
        found = []
        if self.differing:
            found.append(
                f"the slices differ in {_listed(self.differing)}: the grey values of some may not be comparable"
            )
        # As many as there are slices are what some programs write when they remove the patient's name.
        if 1 < len({one.traits.get("Frame of Reference") for one in self.slices}) < len(self.slices):
            found.append(
                "the slices name several frames of reference: the patient may have moved between them"
            )
        if self.left_out:
            many = "image of the series was" if self.left_out == 1 else "images of the series were"
            found.append(
                f"{self.left_out} {many} left out: size, direction, place or kind differ from the slices that form "
                "the volume"
            )
        return tuple(found)


def sort_into_stacks(slices: Sequence[DicomSlice], placeless: dict[str, int]) -> list[DicomStack]:
    """Every stack, series by series. placeless: images of a series without a place in the patient."""
    groups: list[list[DicomSlice]] = []
    for one in slices:
        for group in groups:
            if _alike(group[0], one):
                group.append(one)
                break
        else:
            groups.append([one])
    stacks = [DicomStack(part) for group in groups for part in _split(group)]
    for stack in stacks:
        stack.differing = [
            name for name in WATCHED if len({one.traits.get(name) for one in stack.slices}) > 1
        ]
    for series in {stack.slices[0].series for stack in stacks}:
        of_series = [stack for stack in stacks if stack.slices[0].series == series]
        left = sum(len(stack.slices) for stack in of_series if len(stack.slices) < MIN_SLICES)
        for stack in of_series:
            if len(stack.slices) >= MIN_SLICES:
                stack.left_out = left + placeless.get(series, 0)
    return sorted(stacks, key=lambda stack: (stack.slices[0].number, stack.slices[0].series))


def gaps_of(slices: Sequence[DicomSlice]) -> NDArray[np.float64]:
    """[N - 1] millimetres from slice to slice along the normal of the first."""
    normal = np.cross(*slices[0].orientation)
    return np.diff(np.sort([float(one.position @ normal) for one in slices]))


def _alike(first: DicomSlice, one: DicomSlice) -> bool:
    same = (
        first.series == one.series
        and first.patient == one.patient
        and first.shape == one.shape
        and first.samples == one.samples
    )
    return (
        same
        and bool(np.abs(first.orientation - one.orientation).max() < SAME_DIRECTION)
        and bool(np.allclose(first.spacing, one.spacing, rtol=1e-3))
    )


def _split(group: list[DicomSlice]) -> Iterator[list[DicomSlice]]:
    """The group itself where it is one even stack, else its parts by the first attribute that helps."""
    normal = np.cross(*group[0].orientation)
    group = sorted(group, key=lambda one: float(one.position @ normal))
    doubled, even = _doubled(group), _even(group)
    for name in () if even else SPLIT_BY:
        parts: dict[str, list[DicomSlice]] = {}
        for one in group:
            parts.setdefault(one.traits.get(name, ""), []).append(one)
        if len(parts) < 2:
            continue
        if doubled:
            helps = sum(map(_doubled, parts.values())) < doubled
        else:
            helps = all(len(part) >= MIN_SLICES and _even(part) for part in parts.values())
        if helps:
            for part in parts.values():
                yield from _split(part)
            return
    yield group


def _doubled(group: Sequence[DicomSlice]) -> int:
    """How many slices lie where another lies already."""
    return int((gaps_of(group) < SAME_PLACE_MM).sum())


def _even(group: Sequence[DicomSlice]) -> bool:
    gaps = gaps_of(group)
    if not len(gaps):
        return True
    usual = float(np.median(gaps))
    return bool(gaps.min() >= SAME_PLACE_MM and np.abs(gaps - usual).max() <= tolerance_mm(usual))


def tolerance_mm(usual_gap: float) -> float:
    """How far a slice may be from its place."""
    return max(POSITION_TOLERANCE_MM, POSITION_TOLERANCE * usual_gap)


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]

"""The DICOM attributes of one frame of a radiograph, classic or enhanced, as checked numbers and words."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydicom.datadict import dictionary_description, tag_for_keyword
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from mri2mesh.errors import InputError


@dataclass(frozen=True)
class FrameTags:
    """Looks an attribute up for one frame (from 0): its functional groups, the shared ones, the file itself.

    Enhanced XA and XRF images keep the geometry in functional groups (PS3.3 C.7.6.16, C.8.19.6), one item
    deep in one sequence each; the classic images keep the same attributes at the top.
    """

    dataset: Dataset
    frame: int

    def get(self, keyword: str) -> Any:
        """The value, or None where it is absent or empty. Raises InputError when it cannot be read."""
        for place in self._places():
            try:
                value = place.get(keyword)
            except Exception as error:  # pydicom raises many kinds for values that break their format
                raise InputError(f"the DICOM {called(keyword)} cannot be read: {CORRECT_IT}") from error
            if value is not None and value != "" and not (hasattr(value, "__len__") and len(value) == 0):
                return value
        return None

    def word(self, keyword: str) -> str:
        """Upper case, "" where absent."""
        value = self.get(keyword)
        return "" if value is None else str(value).strip().upper()

    def numbers(self, keyword: str, count: int | None = None) -> tuple[float, ...] | None:
        """All values as finite numbers, or None where absent. Raises InputError for anything else.

        count: how many there must be.
        """
        value = self.get(keyword)
        if value is None:
            return None
        values = [value] if isinstance(value, (str, int, float)) or not hasattr(value, "__iter__") else value
        try:
            found = tuple(float(one) for one in values)
        except (TypeError, ValueError) as error:
            raise InputError(f"the DICOM {called(keyword)} is not a number: {CORRECT_IT}") from error
        if not all(math.isfinite(one) for one in found) or (count is not None and len(found) != count):
            expected = "a finite number" if count == 1 else f"{count or 'some'} finite numbers"
            raise InputError(f"the DICOM {called(keyword)} is not {expected}: {CORRECT_IT}")
        return found

    def number(self, keyword: str) -> float | None:
        """One finite number, or None where absent. Raises InputError for anything else."""
        found = self.numbers(keyword, 1)
        return None if found is None else found[0]

    def _places(self) -> Iterator[Dataset]:
        frames = self.dataset.get("PerFrameFunctionalGroupsSequence") or []
        shared = self.dataset.get("SharedFunctionalGroupsSequence") or []
        for groups in [*frames[self.frame : self.frame + 1], *shared[:1]]:
            for element in groups:
                if element.VR == "SQ" and element.value:
                    yield element.value[0]
        yield self.dataset


CORRECT_IT = "export the image again, or give the geometry with --camera"


def called(keyword: str) -> str:
    """An attribute by its name and tag, as "Imager Pixel Spacing (0018,1164)"."""
    number = tag_for_keyword(keyword)
    if number is None:
        raise KeyError(keyword)
    tag = Tag(number)
    return f"{dictionary_description(tag)} ({tag.group:04X},{tag.element:04X})"

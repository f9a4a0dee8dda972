"""Label maps as files hold them: integer labels on a grid, perhaps with names, perhaps with the image beneath them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mri2mesh.errors import InputError
from mri2mesh.geometry.volume import Volume
from mri2mesh.imaging.volumes.reading import ONE_VALUE, read_volume

EMPTY = "the label map is empty: every voxel has the same value, so nothing was labelled"
MOST_LABELS = 2000
_HEADER_BYTES = 1 << 20
_SEGMENT = re.compile(rb"Segment(\d+)_(Name|LabelValue|Layer):=([^\r\n]*)")


@dataclass(frozen=True)
class LabelMap(Volume):
    """Labels on the grid of a volume. ``array``: the image beneath them, or the labels where there is none.

    labels: [K, J, I] integers, 0 is nothing. names: what the file calls its labels, where it does. has_image: whether
    there is an image.
    """

    labels: NDArray[np.uint16] = field(default_factory=lambda: np.zeros((0, 0, 0), np.uint16))
    names: Mapping[int, str] = field(default_factory=dict)
    has_image: bool = False


def read_label_map(paths: Sequence[Path], options: Mapping[str, Any]) -> LabelMap:
    """The labels of a file, and, from the option ``scan``, their image.

    Raises InputError for what is no label map: unreadable, empty, with values that are no whole numbers, 4D; and for an
    image of another grid.
    """
    try:
        volume = read_volume(paths[0], options.get("series"))
    except InputError as error:
        raise InputError(EMPTY) if str(error) == ONE_VALUE else error from None
    labels = _whole_numbers(volume.array)
    known = {one.name: getattr(volume, one.name) for one in fields(Volume)}
    result = LabelMap(**{**known, "metadata": {}}, labels=labels, names=segment_names(paths[0]))
    scan = options.get("scan")
    return result if scan is None else _with_image(result, read_volume(scan))


def _whole_numbers(array: NDArray) -> NDArray[np.uint16]:
    if not np.issubdtype(array.dtype, np.integer):
        rounded = np.round(array)
        if np.abs(array - rounded).max() > 1e-3:
            raise InputError(
                "the values are not whole numbers, so this is an image and no label map: give the segmentation, or "
                "the image to another engine"
            )
        array = rounded
    if array.min() < 0:
        raise InputError("a label is below zero, so this is an image and no label map")
    if array.max() > MOST_LABELS:
        raise InputError(f"there are values above {MOST_LABELS}, so this is an image and no label map")
    return array.astype(np.uint16)


def _with_image(label_map: LabelMap, image: Volume) -> LabelMap:
    same = image.array.shape == label_map.array.shape and np.allclose(
        image.ijk_to_ras, label_map.ijk_to_ras, atol=1e-2 * float(label_map.spacing.min())
    )
    if not same:
        raise InputError(
            "labels and image are on different grids (size, spacing or place): resample the labels to the image, or "
            "give the image that they were drawn on"
        )
    known = {one.name: getattr(image, one.name) for one in fields(Volume)}
    return LabelMap(**known, labels=label_map.labels, names=label_map.names, has_image=True)


def segment_names(path: Path) -> dict[int, str]:
    """Names of the labels of a ``.seg.nrrd`` of 3D Slicer (Segment0_Name, Segment0_LabelValue); of other files none."""
    try:
        with path.open("rb") as stream:
            header = stream.read(_HEADER_BYTES)
    except OSError:
        return {}
    if not header.startswith(b"NRRD"):
        return {}
    header = re.split(rb"\r?\n\r?\n", header, maxsplit=1)[0]
    found: dict[bytes, dict[bytes, str]] = {}
    for number, key, value in _SEGMENT.findall(header):
        found.setdefault(number, {})[key] = value.decode("utf-8", "replace").strip()
    return {
        int(one[b"LabelValue"]): one[b"Name"]
        for one in found.values()
        if one.get(b"Name") and one.get(b"LabelValue", "").isdigit()
    }

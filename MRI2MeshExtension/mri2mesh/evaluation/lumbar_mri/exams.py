"""Labelled lumbar exams on disk, and the structures their labels stand for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from mri2mesh.anatomy.structures import DISC_LEVELS, VERTEBRA_LEVELS
from mri2mesh.errors import InputError
from mri2mesh.geometry.isosurface import surface_from_labels
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.volume import Volume
from mri2mesh.imaging.volumes.reading import read_volume

BODIES = (*VERTEBRA_LEVELS, "S1")
LOWEST = {"vb1": "S1", "vb2": "L5", "vb3": "L5", "ivd": "L5-S1"}
"""What label 1 (the most inferior) is, by the exam's prefix; labels count upwards. Read off the images."""


@dataclass(frozen=True)
class Exam:
    """An image, and its labels as surfaces by structure name."""

    name: str
    image: Volume
    labels: Volume
    values: dict[str, int]
    surfaces: dict[str, Mesh] = field(default_factory=dict, repr=False, compare=False)
    """Surfaces made already: every method is compared with the same ones."""

    def mask(self, name: str) -> Volume:
        """The voxels of one structure, on the grid of the labels."""
        return self.labels.with_array((self.labels.array == self.values[name]).astype(np.uint8))

    def surface(self, name: str) -> Mesh:
        """Closed, lightly smoothed surface of a label (staircase off, volume kept)."""
        if name not in self.surfaces:
            self.surfaces[name] = surface_from_labels(self.mask(name), largest=True)
        return self.surfaces[name]


def structure_names(prefix: str, count: int) -> list[str]:
    """Names of labels 1 to ``count`` of an exam. Raises InputError for an unknown prefix."""
    if prefix not in LOWEST:
        raise InputError(f"exams called {prefix}_* are not known: use {', '.join(LOWEST)}")
    order = DISC_LEVELS if "-" in LOWEST[prefix] else BODIES
    last = order.index(LOWEST[prefix])
    return [order[last - n] for n in range(count)]


def read_exams(folder: Path, limit: int | None = None) -> Iterator[Exam]:
    """Exams ``<name>_image.nii.gz`` with ``<name>_labels.nii.gz``, by name. Raises InputError when there are none."""
    images = sorted(folder.glob("*_image.nii.gz"))[:limit]
    if not images:
        raise InputError(f"{folder} holds no exam: expected <name>_image.nii.gz with <name>_labels.nii.gz")
    for path in images:
        name = path.name.removesuffix("_image.nii.gz")
        labels = read_volume(path.with_name(f"{name}_labels.nii.gz"))
        count = int(labels.array.max())
        names = structure_names(name.split("_")[0], count)
        values = {n: v + 1 for v, n in enumerate(names) if (labels.array == v + 1).any()}
        yield Exam(name, read_volume(path), labels, values)

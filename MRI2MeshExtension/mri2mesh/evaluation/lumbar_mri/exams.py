"""Labelled lumbar exams on disk, and the structures their labels stand for."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mri2mesh.anatomy.structures import DISC_LEVELS, STRUCTURES, VERTEBRA_LEVELS
from mri2mesh.engines.mri2mesh.training.labelled_folder import labelled_exams
from mri2mesh.errors import InputError
from mri2mesh.geometry.isosurface import surface_from_labels
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.transforms import frame
from mri2mesh.geometry.volume import Volume
from mri2mesh.imaging.volumes.reading import read_volume

BODIES = (*VERTEBRA_LEVELS, "S1")
LOWEST = {"vb1": "S1", "vb2": "L5", "vb3": "L5", "ivd": "L5-S1"}
"""What label 1 (the most inferior) is, by the exam's prefix; labels count upwards. Read off the images."""


@dataclass(frozen=True)
class Exam:
    """An image, and its labels as surfaces by structure name. values: of each structure, the lowest first."""

    name: str
    image: Volume
    labels: Volume
    values: dict[str, int]
    bodies_only: bool = True
    """Whether labels are of vertebral bodies; else of whole vertebrae."""
    surfaces: dict[str, Mesh] = field(default_factory=dict, repr=False, compare=False)
    """Surfaces made already: every method is compared with the same ones."""

    def mask(self, name: str) -> Volume:
        """The voxels of one structure, on the grid of the labels."""
        return self.labels.with_array((self.labels.array == self.values[name]).astype(np.uint8))

    @property
    def collection(self) -> str:
        """Exams whose names differ in the number at their end belong together: vb2 of vb2_07."""
        return re.sub(r"[\W_]*\d+$", "", self.name) or "all"

    def centre(self, name: str) -> NDArray[np.float64]:
        """[3] middle of a label's bounding box, RAS mm."""
        vertices = self.surface(name).vertices
        return np.asarray((vertices.min(0) + vertices.max(0)) / 2, dtype=np.float64)

    def frame(self, name: str) -> NDArray[np.float64]:
        """4x4 local (right, anterior, superior) to RAS at a label's centre, turned along its neighbours' centres."""
        alike = [other for other in self.values if ("-" in other) == ("-" in name)]
        n = alike.index(name)
        below, above = alike[max(n - 1, 0)], alike[min(n + 1, len(alike) - 1)]
        along = self.centre(above) - self.centre(below) if above != below else np.array([0.0, 0.0, 1.0])
        return frame(self.centre(name), along, np.array([0.0, 1.0, 0.0]))

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
    """Exams of a folder, by name, in one of two layouts.

    ``images/`` and ``labels/`` with VerSe's numbers, as `mri2mesh train mri2mesh-fine-tune` takes them
    (`training.labelled_folder`), or ``<name>_image.nii.gz`` with ``<name>_labels.nii.gz`` counted upwards from the
    lowest (`LOWEST`). Raises InputError when there are none.
    """
    if (folder / "images").is_dir():
        yield from itertools.islice(_numbered_exams(folder), limit)
        return
    images = sorted(folder.glob("*_image.nii.gz"))[:limit]
    if not images:
        raise InputError(
            f"{folder} holds no exam: expected images/NAME.nii.gz and labels/NAME.nii.gz, labels numbered as in VerSe"
        )
    for path in images:
        name = path.name.removesuffix("_image.nii.gz")
        labels = read_volume(path.with_name(f"{name}_labels.nii.gz"))
        count = int(labels.array.max())
        names = structure_names(name.split("_")[0], count)
        values = {n: v + 1 for v, n in enumerate(names) if (labels.array == v + 1).any()}
        yield Exam(name, read_volume(path), labels, values)


def _numbered_exams(folder: Path) -> Iterator[Exam]:
    """Exams as for fine-tuning; every slice of a structure must have been drawn on."""
    for found in labelled_exams(folder):
        if found.labelled is not None:
            drawn = np.flatnonzero(found.labelled)
            if len(drawn) and len(drawn) != drawn[-1] - drawn[0] + 1:
                raise InputError(
                    f"labels/{found.name}: slices between drawn ones are empty; surfaces can be compared"
                    " only with labels that go through every slice"
                )
        present = set(np.unique(found.labels.array).tolist())
        values = {
            name: STRUCTURES[name].label
            for name in (*reversed(BODIES), *reversed(DISC_LEVELS))
            if STRUCTURES[name].label in present
        }
        if not values:
            raise InputError(
                f"labels/{found.name}: no value is a vertebra or a disc of VerSe's numbering (20 = L1 ... 24 = L5)"
            )
        yield Exam(found.name, found.image, found.labels, values, found.bodies_only)

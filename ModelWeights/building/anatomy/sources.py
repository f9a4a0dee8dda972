"""The bones the vertebra family learns from: where they lie, what they are, under which licence."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import trimesh
from numpy.typing import NDArray

from mri2mesh.anatomy.structures import VERTEBRA_LEVELS
from mri2mesh.errors import InputError

LICENCES = {
    "visible_human_male": {
        "licence": "BSD-3-Clause",
        "source": "RemusR9/artisynth_lumbosacralSpineModel, from the Visible Human Male",
    },
    "lumbar_mean": {
        "licence": "MIT",
        "source": "aclouthier/morphable-lumbar-model, the mean of 87 patients",
    },
    "verse_spines": {
        "licence": "CC BY-SA 4.0",
        "source": "BSEL-UC3M/HoloLens2and3DSlicer-PedicleScrewPlacementPlanning, from VerSe",
    },
    "vertebra_L1": {
        "licence": "CC BY-SA 4.0",
        "source": "madsendennis/how-to-shape-model, from VerSe 2020",
    },
    "pelvis_atlas": {
        "licence": "CC BY 4.0; research use",
        "source": "rhan93/Altas-of-Pelvis-Segmentation-and-Trajectory-Planning (Han et al. 2019)",
    },
    "lower_limb": {
        "licence": "Apache-2.0",
        "source": "mapclient-plugins/fieldworklowerlimb2sidegenerationstep, a lower-limb model of 26 subjects",
    },
}
"""Licence of each folder of the training data."""

_LPS_FOLDERS = ("vertebra_L1",)
"""Folders of points in LPS: their spinous processes point to +y."""


@dataclass(frozen=True)
class Source:
    """One whole vertebra of one subject. vertices [V, 3] mm RAS, faces [F, 3]."""

    subject: str
    level: str
    folder: str
    vertices: NDArray
    faces: NDArray

    @property
    def name(self) -> str:
        """Subject and level, as in ``"P001_T12"``."""
        return f"{self.subject}_{self.level}"


def read_surface(path: Path, *, lps: bool = False) -> trimesh.Trimesh:
    """The largest component of a surface file, in RAS. Raises InputError when it is not there."""
    if not path.is_file():
        raise InputError(f"{path.name} is missing: point --data at the training data folder")
    mesh = trimesh.load_mesh(path, process=True)
    mesh = max(mesh.split(only_watertight=False), key=lambda part: len(part.faces))
    if lps:
        mesh.vertices = mesh.vertices * np.array([-1.0, -1.0, 1.0])
    if mesh.volume < 0:
        mesh.invert()
    return mesh


def vertebra_sources(data: Path) -> Iterator[Source]:
    """Every whole vertebra of the training data; each subject's from L3 away, so that a neighbour comes first."""
    from_l3 = sorted(
        VERTEBRA_LEVELS, key=lambda level: abs(VERTEBRA_LEVELS.index(level) - VERTEBRA_LEVELS.index("L3"))
    )
    columns = (
        ("visible_human_male", "VHM", "{level}.ply"),
        ("lumbar_mean", "mean87", "{level}_mean87.ply"),
        ("verse_spines", "P001", "P001_{level}.ply"),
        ("verse_spines", "P002", "P002_{level}.ply"),
    )
    for folder, subject, pattern in columns:
        for level in from_l3:
            path = data / folder / pattern.format(level=level)
            if path.is_file():
                mesh = read_surface(path)
                yield Source(subject, level, folder, mesh.vertices, mesh.faces)
    for path in sorted((data / "vertebra_L1").glob("sub-*_L1.ply")):
        mesh = read_surface(path, lps="vertebra_L1" in _LPS_FOLDERS)
        yield Source(path.stem.removesuffix("_L1"), "L1", "vertebra_L1", mesh.vertices, mesh.faces)

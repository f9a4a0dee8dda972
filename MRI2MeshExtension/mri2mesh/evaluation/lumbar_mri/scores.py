"""How one surface compares with the truth, and how a table of such comparisons reads."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from mri2mesh.anatomy.regions import body_of
from mri2mesh.evaluation.lumbar_mri.exams import Exam
from mri2mesh.evaluation.lumbar_mri.walls import EXTENTS, WALLS, extents, signed_walls
from mri2mesh.geometry.distances import surface_distances
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.voxelise import voxelise

FOUND_WITHIN_MM = 10.0
"""A structure counts as found when a surface's centre lies this near to the true centre (bodies are 25 mm tall)."""

SAMPLES = 4000
"""Points on either surface: mean distances of a millimetre are then known to about 0.01 mm."""


MEASURES = (
    "dice",
    "assd_mm",
    "hd95_mm",
    *(f"{wall}_mm" for wall in WALLS),
    "without_sides_mm",
    *(f"{extent}_ratio" for extent in EXTENTS),
)


@dataclass(frozen=True)
class Score:
    """One structure of one exam by one method. ``called`` is the name the method gave it, None when not found.

    left_mm ... bottom_mm: how far the surface lies outside the label there (inside: negative), as
    `walls.signed_walls`; ratios of its extents to the label's.
    """

    exam: str
    method: str
    structure: str
    called: str | None
    dice: float = float("nan")
    assd_mm: float = float("nan")
    hd95_mm: float = float("nan")
    left_mm: float = float("nan")
    right_mm: float = float("nan")
    front_mm: float = float("nan")
    back_mm: float = float("nan")
    top_mm: float = float("nan")
    bottom_mm: float = float("nan")
    without_sides_mm: float = float("nan")
    width_ratio: float = float("nan")
    depth_ratio: float = float("nan")
    height_ratio: float = float("nan")

    @property
    def kind(self) -> str:
        return "disc" if "-" in self.structure else "S1" if self.structure == "S1" else "body"


def comparable(name: str, mesh: Mesh, bodies_only: bool = True) -> Mesh:
    """What the labels mean: of a vertebra its body where only bodies are labelled, of anything else all of it."""
    if not bodies_only:
        return mesh
    return body_of(mesh) if "-" not in name and name != "S1" and mesh.regions is not None else mesh


def centre(mesh: Mesh) -> np.ndarray:
    return (mesh.vertices.min(0) + mesh.vertices.max(0)) / 2


def score_exam(exam: Exam, method: str, meshes: dict[str, Mesh]) -> list[Score]:
    """Every labelled structure matched to the nearest surface of its kind; ``meshes`` as `comparable` gives them."""
    scores = []
    for name in exam.values:
        truth = exam.surface(name)
        rivals = {n: m for n, m in meshes.items() if ("-" in n) == ("-" in name)}
        distance = {n: float(np.linalg.norm(centre(m) - centre(truth))) for n, m in rivals.items()}
        called = min(distance, key=lambda n: distance[n], default=None)
        if called is None or distance[called] > FOUND_WITHIN_MM:
            scores.append(Score(exam.name, method, name, None))
            continue
        scores.append(compare(exam, method, name, called, rivals[called], truth))
    return scores


def compare(exam: Exam, method: str, name: str, called: str, mesh: Mesh, truth: Mesh) -> Score:
    """Dice on the grid of the labels, distances between the surfaces."""
    mask = exam.mask(name)
    inside, wanted = voxelise(mesh, mask), mask.array > 0
    dice = 2 * float((inside & wanted).sum()) / float(inside.sum() + wanted.sum())
    distances = surface_distances(mesh, truth, n_samples=SAMPLES)
    frame = exam.frame(name)
    walls, without_sides = signed_walls(mesh, truth, frame)
    sizes, true_sizes = extents(mesh, frame), extents(truth, frame)
    return Score(
        exam.name,
        method,
        name,
        called,
        dice,
        distances.assd,
        distances.hd95,
        **{f"{wall}_mm": value for wall, value in walls.items()},
        without_sides_mm=without_sides,
        **{f"{extent}_ratio": sizes[extent] / true_sizes[extent] for extent in EXTENTS},
    )


def summarise(scores: Iterable[Score]) -> dict[str, float]:
    """Counts and medians over scores: found, level_correct (of those found), and each of `MEASURES`."""
    rows = list(scores)
    found = [row for row in rows if row.called is not None]
    return {
        "n": len(rows),
        "found": len(found) / len(rows) if rows else float("nan"),
        "level_correct": float(np.mean([row.called == row.structure for row in found]))
        if found
        else float("nan"),
        **{
            key: float(np.median([getattr(row, key) for row in found])) if found else float("nan")
            for key in MEASURES
        },
    }

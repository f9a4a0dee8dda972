"""Simulated exams of each kind apart: errors, names of the levels, and whether what is wrong is marked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from mri2mesh.anatomy.regions import body_of
from mri2mesh.anatomy.structures import STRUCTURES, VERTEBRA_LEVELS, disc_name
from mri2mesh.evaluation.simulated_mri.parts import true_vertebra
from mri2mesh.geometry.distances import surface_distances
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.reconstruction import LEVEL_CHECK, Reconstruction

WRONG_MM = 3.0
"""Mean distance from the truth from which a body is wrong, and its result should say so."""
SAMPLES = 2000


@dataclass(frozen=True)
class VertebraScore:
    """One vertebra that was found. lies_on: the true one it lies on, None where there is none. certain: whether the
    names of the exam count as sure. body_mm, disc_mm: mean surface distance of the body and of the disc below (NaN
    where there is none). failed: the names of the checks that name the vertebra and fail, "; " between them."""

    kind: str
    exam: str
    name: str
    lies_on: str | None
    certain: bool
    body_mm: float
    disc_mm: float
    failed: str

    @property
    def marked(self) -> bool:
        return bool(self.failed)

    @property
    def named_rightly(self) -> bool:
        return self.lies_on == self.name

    @property
    def wrong(self) -> bool:
        return self.lies_on is None or self.body_mm >= WRONG_MM


@dataclass(frozen=True)
class ExamScore:
    """One exam. expected: vertebrae with their middle well in view. refused: no spine was found. missed: of those
    between the lowest and the highest found, how many were not. doubled: true vertebrae that two surfaces lie on."""

    kind: str
    exam: str
    expected: int
    refused: bool
    missed: int
    doubled: int
    vertebrae: tuple[VertebraScore, ...]


@dataclass(frozen=True)
class KindFigures:
    """Of all exams of a kind. levels_right: share of the vertebrae found that are named rightly; guessed: share that
    the result calls a guess; surely_wrong: how many are wrong in name without being called a guess. body_mm, disc_mm:
    medians; body_p90_mm: 90th percentile. wrong: bodies WRONG_MM or more from the truth; wrong_marked: how many of
    these a failed check names; good_marked: how many of the others."""

    kind: str
    exams: int
    refused: int
    found: int
    missed: int
    doubled: int
    levels_right: float
    guessed: float
    surely_wrong: int
    body_mm: float
    body_p90_mm: float
    disc_mm: float
    wrong: int
    wrong_marked: int
    good_marked: int


def score_exam(
    kind: str, exam: str, result: Reconstruction | None, truths: dict[str, Mesh], expected: Sequence[str]
) -> ExamScore:
    """truths: surfaces of vertebrae and discs by name; expected: names of the vertebrae that the image shows."""
    if result is None:
        return ExamScore(kind, exam, len(expected), True, 0, 0, ())
    vertebrae = {n: mesh for n, mesh in truths.items() if n in VERTEBRA_LEVELS}
    failed: dict[str, dict[str, None]] = {}
    for check in result.checks:
        if not check.passed and check.structure and check.name != LEVEL_CHECK:
            for name in check.structure.split(","):
                failed.setdefault(name.strip(), {})[check.name] = None
    discs = {item.name: item.mesh for item in result.structures if item.structure.kind == "disc"}
    scores = []
    for item in result.structures:
        if item.structure.kind != "vertebra":
            continue
        lies_on = true_vertebra(item.mesh, vertebrae)
        body = disc = float("nan")
        if lies_on is not None:
            body = _distance(body_of(item.mesh), body_of(vertebrae[lies_on]))
            below, true_below = discs.get(disc_name(item.name)), truths.get(disc_name(lies_on))
            if below is not None and true_below is not None:
                disc = _distance(below, true_below)
        checks = "; ".join(failed.get(item.name, {}))
        scores.append(
            VertebraScore(kind, exam, item.name, lies_on, result.levels_certain, body, disc, checks)
        )
    places = [VERTEBRA_LEVELS.index(score.lies_on) for score in scores if score.lies_on is not None]
    missed = max(places) - min(places) + 1 - len(set(places)) if places else 0
    return ExamScore(kind, exam, len(expected), False, missed, len(places) - len(set(places)), tuple(scores))


def _distance(mesh: Mesh, truth: Mesh) -> float:
    return float(surface_distances(mesh, truth, n_samples=SAMPLES).assd)


def kind_figures(scores: Iterable[ExamScore]) -> list[KindFigures]:
    """A line for each kind, in the order of the scores."""
    groups: dict[str, list[ExamScore]] = {}
    for score in scores:
        groups.setdefault(score.kind, []).append(score)
    return [_figures(kind, exams) for kind, exams in groups.items()]


def _figures(kind: str, exams: list[ExamScore]) -> KindFigures:
    found = [vertebra for exam in exams for vertebra in exam.vertebrae]
    body = [v.body_mm for v in found if np.isfinite(v.body_mm)]
    disc = [v.disc_mm for v in found if np.isfinite(v.disc_mm)]
    wrong = [v for v in found if v.wrong]
    return KindFigures(
        kind,
        len(exams),
        sum(exam.refused for exam in exams),
        len(found),
        sum(exam.missed for exam in exams),
        sum(exam.doubled for exam in exams),
        _mean([v.named_rightly for v in found]),
        _mean([not v.certain for v in found]),
        sum(v.certain and not v.named_rightly for v in found),
        float(np.median(body)) if body else float("nan"),
        float(np.quantile(body, 0.9)) if body else float("nan"),
        float(np.median(disc)) if disc else float("nan"),
        len(wrong),
        sum(v.marked for v in wrong),
        sum(v.marked for v in found if not v.wrong),
    )


def _mean(values: list[bool]) -> float:
    return float(np.mean(values)) if values else float("nan")


def expected_vertebrae(in_view: Iterable[str]) -> list[str]:
    """Of the names of everything whose centre is in view, the vertebrae."""
    return [name for name in in_view if name in STRUCTURES and STRUCTURES[name].kind == "vertebra"]


def describe_kinds(rows: Iterable[KindFigures]) -> str:
    """The table as lines of text."""
    return "\n".join(
        f"  {r.kind:<14} exams {r.exams} (refused {r.refused})  vertebrae {r.found}, missed between {r.missed},"
        f" twice {r.doubled}  names right {100 * r.levels_right:.0f}%, a guess {100 * r.guessed:.0f}%,"
        f" surely wrong {r.surely_wrong}  bodies {r.body_mm:.2f} mm, 90% below {r.body_p90_mm:.2f}, discs"
        f" {r.disc_mm:.2f}  {WRONG_MM:g} mm off {r.wrong}, of which marked {r.wrong_marked}; others marked"
        f" {r.good_marked} of {r.found - r.wrong}"
        for r in rows
    )

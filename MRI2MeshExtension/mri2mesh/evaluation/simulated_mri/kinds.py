"""Simulated exams of one kind at a time: what patients have, how they lie, what the image leaves out.

Drawn with other seeds than any training case. Every exam shows one thing, so that each kind's figures are its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from mri2mesh.anatomy.spine_model import LumbarSpineModel, SpineOptions, SpineSample
from mri2mesh.anatomy.spine_plan import draw_plan
from mri2mesh.errors import InputError
from mri2mesh.synthesis.mr.case import Profile, SyntheticCase, make_case
from mri2mesh.synthesis.mr.spine_access import body_centre

FIRST_SEED = 900_000_000
SLOPES_DEG = {"steep sacrum": (47.0, 90.0), "flat sacrum": (0.0, 27.0)}
"""Of the endplate of S1 against the horizontal, lying down: about the steepest and the flattest tenth of spines."""

MOST_DRAWN = 2000


@dataclass(frozen=True)
class SlopedSpines(LumbarSpineModel):
    """Spines whose sacral slope lies in a range of degrees, the others left out."""

    slope: tuple[float, float] = (0.0, 90.0)

    def sample(self, rng: np.random.Generator, options: SpineOptions | None = None) -> SpineSample:
        options = options or SpineOptions()
        for _ in range(MOST_DRAWN):
            plan = draw_plan(self.population, rng, options.spread)
            if self.slope[0] <= -plan.sacrum_angles[0] <= self.slope[1]:
                return self.build(plan, rng, options.top)
        raise InputError(
            f"none of {MOST_DRAWN} spines has a sacral slope of {self.slope[0]:g} to {self.slope[1]:g}"
        )


@dataclass(frozen=True)
class Kind:
    """findings: of `pathology.FINDINGS`, all present. slope: range of the sacral slope, degrees. cut: what the image
    leaves out, by the case and a random generator."""

    findings: tuple[str, ...] = ()
    slope: tuple[float, float] | None = None
    cut: Callable[[SyntheticCase, np.random.Generator], SyntheticCase] | None = field(
        default=None, repr=False
    )


def cut_below(case: SyntheticCase, rng: np.random.Generator) -> SyntheticCase:
    """The image ends somewhere between the middle of L4 and the middle of S1."""
    low, high = (body_centre(case.spine, name)[2] for name in ("S1", "L4"))
    return _between(case, float(rng.uniform(low, high)), np.inf)


def cut_above(case: SyntheticCase, rng: np.random.Generator) -> SyntheticCase:
    """The image ends somewhere within T12 or L1."""
    low, high = (body_centre(case.spine, name)[2] for name in ("L1", "T12"))
    return _between(case, -np.inf, float(rng.uniform(low - 12, high + 12)))


def _between(case: SyntheticCase, low: float, high: float) -> SyntheticCase:
    heights = case.image.ijk_to_ras[2, 3] + np.arange(case.image.array.shape[0]) * case.image.ijk_to_ras[2, 2]
    kept = np.flatnonzero((heights >= low) & (heights <= high))
    part = slice(int(kept[0]), int(kept[-1]) + 1)
    matrix = case.image.ijk_to_ras.copy()
    matrix[:3, 3] += matrix[:3, 2] * kept[0]
    image, tissues = (
        type(v)(np.ascontiguousarray(v.array[part]), matrix) for v in (case.image, case.tissues)
    )
    return SyntheticCase(image, tissues, case.spine, case.description)


KINDS: dict[str, Kind] = {
    "healthy": Kind(),
    "fracture": Kind(("fracture",)),
    "scoliosis": Kind(("scoliosis",)),
    "listhesis": Kind(("listhesis",)),
    "transition": Kind(("transition",)),
    "degeneration": Kind(("degeneration", "osteophytes")),
    **{name: Kind(slope=slope) for name, slope in SLOPES_DEG.items()},
    "cut below": Kind(cut=cut_below),
    "cut above": Kind(cut=cut_above),
}


def case_of_kind(name: str, number: int, data: Path) -> SyntheticCase:
    """Exam ``number`` of a kind; the same number always gives the same exam. data: the training data.

    Raises InputError for a kind that there is not.
    """
    if name not in KINDS:
        raise InputError(f"there are no simulated exams called {name!r}: choose from {', '.join(KINDS)}")
    kind = KINDS[name]
    profile = Profile(spine=SpineOptions(top="T7", findings=dict.fromkeys(kind.findings, 1.0)))
    model = None
    if kind.slope is not None:
        shipped = LumbarSpineModel.load()
        model = SlopedSpines(
            shipped.population, shipped.shapes, shipped.pelves, shipped.disc_template, slope=kind.slope
        )
    seed = FIRST_SEED + 1000 * list(KINDS).index(name) + number
    case = make_case(seed, data, profile, model)
    return case if kind.cut is None else kind.cut(case, np.random.default_rng(seed))

"""Trunks for films: whole spines from T9 down with sacrum and hips, as people stand. Drawn once, used many times.

Sizes, spacing, lordosis and findings (wedge and biconcave fractures, listhesis, scoliosis, collapsed discs) are those
of the spine model, whose people lay on their backs. Standing is taken to add a few degrees of lordosis, more at the
lower levels.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mri2mesh.anatomy.lumbar_region import BONES
from mri2mesh.anatomy.pathology import FINDINGS
from mri2mesh.anatomy.shapes import VertebraShapes
from mri2mesh.anatomy.spine_model import PROBABILITIES, LumbarSpineModel, SpineSample
from mri2mesh.anatomy.spine_plan import SpinePlan, draw_plan
from mri2mesh.anatomy.structures import VERTEBRA_LEVELS
from mri2mesh.errors import InputError
from mri2mesh.synthesis.films.lumbar.parts import BYSTANDERS

TOP = "T9"
_STANDING_DEG = (7.0, 4.0)
"""Mean and SD of what standing adds between L1 and the sacrum: an assumption, wide enough for films taken lying too."""
_SHARE_BY_LEVEL = np.array([0, 0, 0, 0, 0, 0, 0.1, 0.2, 0.35, 0.55, 0.8])
"""Of that, how much L1 to L5 have turned against the trunk above (T7 to L5)."""


@dataclass(frozen=True)
class Trunks:
    """vertices: [N, V, 3] mm RAS of N people: `BONES`, then `BYSTANDERS`, origin near L3. frames: [N, 9, 4, 4] local to
    RAS of T9 to L5. notes: what is wrong with each, in words."""

    vertices: NDArray[np.float32]
    frames: NDArray[np.float64]
    notes: tuple[str, ...]

    def save(self, path: Path) -> None:
        """One ``.npz``; the topology is that of the package's families of vertebrae and pelves."""
        np.savez_compressed(path, vertices=self.vertices, frames=self.frames, notes=np.array(self.notes))

    @classmethod
    def load(cls, path: Path) -> Trunks:
        with np.load(path, allow_pickle=False) as stored:
            return cls(stored["vertices"], stored["frames"], tuple(str(note) for note in stored["notes"]))


def subject_of(source: str) -> str:
    """Whose vertebra a source of `VertebraShapes` is: ``"P002"`` of ``"P002_L3"``."""
    return source.rpartition("_")[0]


def shapes_of(subjects: Collection[str], *, but: bool = False) -> VertebraShapes:
    """The vertebra family with nothing but the subjects' vertebrae; or, with but, with everybody else's.

    Raises InputError for a subject that it does not have, or where a level from T9 down would have no source at all.
    """
    family = VertebraShapes.load()
    owners = [subject_of(name) for name in family.names]
    if unknown := sorted(set(subjects) - set(owners)):
        raise InputError(f"no vertebra of {', '.join(unknown)}: there are {', '.join(sorted(set(owners)))}")
    kept = [(owner in subjects) != but for owner in owners]
    chosen = VertebraShapes.__new__(VertebraShapes)
    chosen.__dict__.update(vars(family))
    chosen.frequency = np.where(kept, family.frequency, 0.0)
    for level in VERTEBRA_LEVELS[VERTEBRA_LEVELS.index(TOP) :]:
        if not chosen._weights(level).any():
            raise InputError(f"nobody is left of whom there is a vertebra like {level}")
    return chosen


def draw_trunks(
    numbers: Iterable[int], seed: int, shapes: VertebraShapes | None = None, *, healthy: bool = False
) -> Trunks:
    """The trunks of these numbers, several seconds each; a trunk depends on the seed and its number alone.

    shapes: whose vertebrae (default: everybody's). healthy: no findings.
    """
    model = LumbarSpineModel.load()
    if shapes is not None:
        model = replace(model, shapes=shapes)
    samples = [_standing(model, np.random.default_rng([seed, number]), healthy) for number in numbers]
    levels = VERTEBRA_LEVELS[VERTEBRA_LEVELS.index(TOP) :]
    return Trunks(
        np.stack([_vertices(sample) for sample in samples]),
        np.stack([[sample.frames[level] for level in levels] for sample in samples]),
        tuple("; ".join(sample.notes) for sample in samples),
    )


def _vertices(sample: SpineSample) -> NDArray[np.float32]:
    parts = {**sample.structures, **sample.hips}
    return np.concatenate([parts[name].vertices for name in (*BONES, *BYSTANDERS)])


def _standing(model: LumbarSpineModel, rng: np.random.Generator, healthy: bool) -> SpineSample:
    plan = draw_plan(model.population, rng)
    stand(plan, float(rng.normal(*_STANDING_DEG)))
    for name, probability in PROBABILITIES.items():
        # Films are taken of people with findings: more often than in the model of a population.
        if not healthy and rng.random() < 1.5 * probability:
            FINDINGS[name](plan, rng)
    return model.build(plan, rng, TOP)


def stand(plan: SpinePlan, lordosis_deg: float) -> None:
    """Adds lordosis to a spine: lower levels and sacrum lean forward more, as they do when somebody stands up."""
    change = np.zeros((len(VERTEBRA_LEVELS), 3))
    change[:, 0] = -lordosis_deg * _SHARE_BY_LEVEL
    plan.turn(change)
    plan.sacrum_angles[0] -= lordosis_deg

"""A lumbar spine with the sizes, spacing and lordosis of a population: vertebrae, sacrum, discs and canal.

Postures come from `SpinePopulation`, surfaces from `VertebraShapes`; each vertebra is stretched to its
planned size and stacked on the one below so that every disc has its planned height.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from mri2mesh.anatomy.canal import Canal, canal_of
from mri2mesh.anatomy.clearance import keep_apart
from mri2mesh.anatomy.deformities import deform
from mri2mesh.anatomy.discs import Endplate, disc_between, disc_frame
from mri2mesh.anatomy.measures import body_size
from mri2mesh.anatomy.pathology import FINDINGS
from mri2mesh.anatomy.pelvis_shapes import PelvisShapes
from mri2mesh.anatomy.population import SpinePopulation
from mri2mesh.anatomy.regions import Region
from mri2mesh.anatomy.shapes import VertebraShapes
from mri2mesh.anatomy.spine_plan import SpinePlan, draw_plan
from mri2mesh.anatomy.stacking import stack
from mri2mesh.anatomy.structures import VERTEBRA_LEVELS, disc_name
from mri2mesh.anatomy.templates import template
from mri2mesh.errors import InputError
from mri2mesh.geometry.mesh import Mesh

PROBABILITIES = {
    "fracture": 0.08,
    "degeneration": 0.16,
    "osteophytes": 0.07,
    "listhesis": 0.06,
    "scoliosis": 0.06,
    "transition": 0.03,
}
"""Probability of each finding, by default: about 38% of spines have at least one."""


@dataclass(frozen=True)
class SpineOptions:
    """What to draw. top: uppermost vertebra. spread: scale of the deviation from the average spine (0:
    average posture and sizes). findings: probability of each of `pathology.FINDINGS`."""

    top: str = "T9"
    spread: float = 1.0
    findings: dict[str, float] = field(default_factory=PROBABILITIES.copy)


@dataclass(frozen=True)
class SpineSample:
    """One spine, world RAS, mm, origin near the centre of L3, lying as in a scanner.

    structures: vertebrae ("T9" ... "L5"), "sacrum" (whole), "S1" (its body) and discs ("L4-L5" ... "L5-S1").
    frames: 4x4 local-to-RAS of every vertebra, "S1", "sacrum" and disc (rigid; x right, y anterior, z
    superior). canal: centreline and radius. notes: findings in words.
    """

    structures: dict[str, Mesh]
    frames: dict[str, NDArray[np.float64]]
    canal: Canal
    notes: list[str]
    hips: dict[str, Mesh] = field(default_factory=dict)


@dataclass(frozen=True)
class LumbarSpineModel:
    """Draws whole spines; `load` once, then `sample` in a fraction of a second."""

    population: SpinePopulation
    shapes: VertebraShapes
    pelves: PelvisShapes
    disc_template: Mesh
    _sizes: dict[str, tuple[float, float, float]] = field(default_factory=dict, repr=False)

    @classmethod
    def load(cls) -> LumbarSpineModel:
        """The model shipped with the package."""
        return cls(SpinePopulation.load(), VertebraShapes.load(), PelvisShapes.load(), template("disc"))

    def sample(self, rng: np.random.Generator, options: SpineOptions | None = None) -> SpineSample:
        """One random spine. Raises InputError for an unknown level or finding."""
        options = options or SpineOptions()
        plan = draw_plan(self.population, rng, options.spread)
        for name, probability in options.findings.items():
            if name not in FINDINGS:
                raise InputError(f"no finding {name!r}: choose from {', '.join(FINDINGS)}")
            if rng.random() < probability:
                FINDINGS[name](plan, rng)
        return self.build(plan, rng, options.top)

    def build(self, plan: SpinePlan, rng: np.random.Generator, top: str = "T9") -> SpineSample:
        """The surfaces of a plan from the level ``top`` down to the sacrum."""
        if top not in VERTEBRA_LEVELS[:9]:
            raise InputError(f"the top level must be one of {', '.join(VERTEBRA_LEVELS[:9])}, got {top!r}")
        first = VERTEBRA_LEVELS.index(top)
        levels = VERTEBRA_LEVELS[first:]
        local = self._local_shapes(plan, rng, first)
        pelvis = self._local_pelvis(plan, rng)
        local["S1"] = pelvis["S1"]
        frames = stack(local, plan, first)
        placed = {name: mesh.transformed(frames[name]) for name, mesh in local.items()}
        frames["sacrum"] = frames["S1"]
        placed["sacrum"] = _as_arch(pelvis["sacrum"], pelvis["S1"]).transformed(frames["S1"])
        for upper, lower in zip(levels, (*levels[1:], "sacrum"), strict=True):
            placed[upper], placed[lower] = keep_apart(placed[upper], placed[lower], frames[upper])
        placed["sacrum"] = pelvis["sacrum"].with_vertices(placed["sacrum"].vertices)
        for upper, lower in zip(levels, (*levels[1:], "S1"), strict=True):
            name = disc_name(upper)
            anterior, up = frames[upper][:3, 1] + frames[lower][:3, 1], frames[upper][:3, 2]
            top_plate = Endplate.of(placed[upper], Region.INFERIOR_ENDPLATE, up)
            frames[name] = disc_frame(
                top_plate, Endplate.of(placed[lower], Region.SUPERIOR_ENDPLATE, up), anterior
            )
            bulge = plan.bulges[VERTEBRA_LEVELS.index(upper)]
            placed[name] = disc_between(
                self.disc_template, placed[upper], placed[lower], bulge=bulge, anterior=anterior, up=up
            )
        hips = {name: pelvis[name].transformed(frames["S1"]) for name in ("left_hip", "right_hip")}
        return SpineSample(placed, frames, canal_of(local, frames, levels), list(plan.notes), hips)

    def _local_shapes(self, plan: SpinePlan, rng: np.random.Generator, first: int) -> dict[str, Mesh]:
        """Vertebrae in their local frames at their planned size. All levels draw from the same seed, so one
        subject's vertebrae are blends of the same sources and look alike."""
        seed = int(rng.integers(2**63))
        shapes = {}
        for i, level in enumerate(VERTEBRA_LEVELS[first:], first):
            mesh = self.shapes.sample(level, np.random.default_rng(seed))
            usual = self._usual_size(level)
            target = np.array(
                [usual[0] * plan.width_factors[i], usual[1] * plan.depth_factors[i], plan.body_heights[i]]
            )
            scale = np.clip(target / body_size(mesh), 0.6, 1.6)
            shapes[level] = deform(mesh.with_vertices(mesh.vertices * scale), plan.deformities[i], rng)
        return shapes

    def _usual_size(self, level: str) -> tuple[float, float, float]:
        """(width, depth, height) mm of the mean body of a level; measured once."""
        if level not in self._sizes:
            self._sizes[level] = body_size(self.shapes.mean(level))
        return self._sizes[level]

    def _local_pelvis(self, plan: SpinePlan, rng: np.random.Generator) -> dict[str, Mesh]:
        """Sacrum, S1 and hips in the local frame of S1, as large as the rest of the spine."""
        drawn = self.pelves.sample(rng)
        scale = np.array([plan.width_factors[-1], plan.depth_factors[-1], plan.body_heights.mean() / 24.0])
        scale = 1 + 0.8 * (scale - 1)
        bones = {
            "S1": drawn.s1,
            "sacrum": drawn.sacrum,
            "left_hip": drawn.left_hip,
            "right_hip": drawn.right_hip,
        }
        return {name: mesh.with_vertices(mesh.vertices * scale) for name, mesh in bones.items()}


def _as_arch(sacrum: Mesh, s1: Mesh) -> Mesh:
    """The sacrum labelled for `keep_apart`: what lies behind S1 and clear of its body may bend, the rest not."""
    apart = cKDTree(s1.vertices).query(sacrum.vertices)[0]
    behind = sacrum.vertices[:, 1] < s1.vertices[:, 1].min()
    return sacrum.with_point_data(region=np.where((apart > 5.0) & behind, Region.LAMINA, Region.BODY))

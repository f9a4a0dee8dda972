"""What can be wrong with a lumbar spine, each finding a small bounded change of a `SpinePlan` written into
its notes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from mri2mesh.anatomy.spine_plan import LEAST_DISC_MM, SpinePlan
from mri2mesh.anatomy.structures import BELOW, DISC_LEVELS, VERTEBRA_LEVELS
from mri2mesh.errors import InputError

MAX_WEDGE, MAX_BICONCAVE, MAX_SLIP, MAX_COBB_DEG = 0.5, 0.4, 0.3, 40.0
_MEAN_DEPTH_MM = 33.0
"""Mean depth of a lumbar endplate: turns a height loss into an angle and a slip fraction into millimetres."""


def wedge_fracture(plan: SpinePlan, level: str, loss: float) -> None:
    """Anterior height loss (fraction of the body height, 0 to 0.5); the spine above follows most of the
    wedge."""
    i, loss = _level(level), _bounded(loss, 0, MAX_WEDGE)
    plan.deformities[i] = replace(plan.deformities[i], wedge=loss)
    angle = np.degrees(np.arctan(loss * plan.body_heights[i] / _MEAN_DEPTH_MM))
    change = np.zeros((len(VERTEBRA_LEVELS), 3))
    change[:i, 0] -= 0.65 * angle
    plan.turn(change)
    plan.notes.append(f"wedge fracture {level}, {100 * loss:.0f}% anterior height loss")


def biconcave_fracture(plan: SpinePlan, level: str, loss: float) -> None:
    """Height loss in the middle of the body (fraction, 0 to 0.4), shared by both endplates."""
    i, loss = _level(level), _bounded(loss, 0, MAX_BICONCAVE)
    plan.deformities[i] = replace(plan.deformities[i], biconcave=loss)
    plan.notes.append(f"biconcave fracture {level}, {100 * loss:.0f}% central height loss")


def disc_collapse(plan: SpinePlan, disc: str, remaining: float) -> None:
    """A degenerate disc of this fraction (0.25 to 1) of its height, bulging, with small osteophytes at its
    rims."""
    i, remaining = _disc(disc), _bounded(remaining, 0.25, 1)
    plan.disc_heights[i] = max(LEAST_DISC_MM, remaining * plan.disc_heights[i])
    plan.bulges[i] = replace(plan.bulges[i], around_mm=plan.bulges[i].around_mm + 1.5 * (1 - remaining))
    _grow_rims(plan, i, 3.0 * (1 - remaining))
    plan.notes.append(f"disc collapse {disc}, {100 * remaining:.0f}% of its height left")


def disc_bulge(
    plan: SpinePlan, disc: str, around_mm: float, focal_mm: float = 0.0, angle_deg: float = 0.0
) -> None:
    """Annulus standing out all around (0 to 3 mm) and a posterior protrusion (0 to 7 mm) within 50 degrees
    of the midline (positive to the patient's right)."""
    i = _disc(disc)
    plan.bulges[i] = replace(
        plan.bulges[i],
        around_mm=_bounded(around_mm, 0, 3),
        focal_mm=_bounded(focal_mm, 0, 7),
        focal_angle_deg=_bounded(angle_deg, -50, 50),
    )
    kind = "protrusion" if focal_mm > 1 else "bulge"
    plan.notes.append(f"disc {kind} {disc}, {max(around_mm, focal_mm):.1f} mm")


def osteophytes(plan: SpinePlan, disc: str, size_mm: float) -> None:
    """Bone growing from the rims on both sides of a disc (0 to 6 mm)."""
    _grow_rims(plan, _disc(disc), _bounded(size_mm, 0, 6))
    plan.notes.append(f"osteophytes {disc}, {size_mm:.1f} mm")


def listhesis(plan: SpinePlan, level: str, slip: float) -> None:
    """The level slips forward on the one below by this fraction of the endplate depth (-0.1, backward, to
    0.3). The lower half of its arch stays behind with the facets, as in a lysis of the pars."""
    i, slip = _level(level), _bounded(slip, -0.1, MAX_SLIP)
    shift = slip * _MEAN_DEPTH_MM * float(plan.depth_factors[i])
    plan.slips_mm[i] = shift
    plan.deformities[i] = replace(plan.deformities[i], arch_shift_mm=shift)
    word = "anterolisthesis" if slip >= 0 else "retrolisthesis"
    plan.notes.append(f"{word} {level} on {BELOW[level]}, {100 * abs(slip):.0f}%")


def scoliosis(plan: SpinePlan, apex: str, cobb_deg: float, convex_right: bool) -> None:
    """A lateral curve (Cobb 0 to 40 degrees) over about seven levels with its apex here; vertebrae turn
    towards the convexity, most at the apex."""
    i, cobb = _level(apex), _bounded(cobb_deg, 0, MAX_COBB_DEG)
    steps = (np.arange(len(VERTEBRA_LEVELS)) - i) / 3.5  # -1 at the upper, +1 at the lower end vertebra
    side = 1.0 if convex_right else -1.0
    change = np.zeros((len(VERTEBRA_LEVELS), 3))
    inside = np.clip(np.abs(steps), 0, 2)
    change[:, 1] = side * cobb / 2 * np.sign(steps) * np.sin(np.pi / 2 * inside)
    change[:, 2] = -side * 0.4 * cobb * np.where(inside < 1.5, np.cos(np.pi / 3 * inside), 0.0)
    plan.turn(change)
    plan.sacrum_angles[1:] += 0.3 * change[-1, 1:]
    plan.notes.append(
        f"scoliosis, Cobb {cobb:.0f} degrees, convex {'right' if convex_right else 'left'}, apex {apex}"
    )


def sacralised_l5(plan: SpinePlan, breadth: float, disc_remaining: float) -> None:
    """L5 on its way to the sacrum: transverse processes 1 to 1.6 times as broad and high, L5-S1 a remnant
    (0.35 to 1)."""
    plan.deformities[-1] = replace(plan.deformities[-1], transverse_scale=_bounded(breadth, 1, 1.6))
    plan.disc_heights[-1] = max(LEAST_DISC_MM, _bounded(disc_remaining, 0.35, 1) * plan.disc_heights[-1])
    plan.notes.append("transitional level: sacralised L5")


Draw = Callable[[SpinePlan, np.random.Generator], None]


def _draw_fracture(plan: SpinePlan, rng: np.random.Generator) -> None:
    level = str(rng.choice(VERTEBRA_LEVELS[4:], p=[0.13, 0.22, 0.25, 0.12, 0.12, 0.1, 0.06]))
    if rng.random() < 0.6:
        wedge_fracture(plan, level, rng.uniform(0.15, 0.45))
    else:
        biconcave_fracture(plan, level, rng.uniform(0.12, 0.35))


def _draw_degeneration(plan: SpinePlan, rng: np.random.Generator) -> None:
    for disc in rng.choice(
        DISC_LEVELS[-6:], rng.integers(1, 4), replace=False, p=[0.05, 0.07, 0.13, 0.2, 0.3, 0.25]
    ):
        if rng.random() < 0.5:
            disc_collapse(plan, str(disc), rng.uniform(0.35, 0.8))
        else:
            focal = rng.uniform(2, 6.5) if rng.random() < 0.5 else 0.0
            disc_bulge(plan, str(disc), rng.uniform(1.0, 2.5), focal, rng.uniform(-45, 45))


def _draw_osteophytes(plan: SpinePlan, rng: np.random.Generator) -> None:
    for disc in rng.choice(DISC_LEVELS[3:], rng.integers(1, 5), replace=False):
        osteophytes(plan, str(disc), rng.uniform(1.5, 5.0))


def _draw_listhesis(plan: SpinePlan, rng: np.random.Generator) -> None:
    slip = rng.uniform(0.05, 0.28) if rng.random() < 0.8 else -rng.uniform(0.03, 0.1)
    level = str(rng.choice(["L3", "L4", "L5"], p=[0.1, 0.5, 0.4]))
    disc_collapse(plan, f"{level}-{BELOW[level]}", rng.uniform(0.4, 0.9))
    listhesis(plan, level, slip)


def _draw_scoliosis(plan: SpinePlan, rng: np.random.Generator) -> None:
    cobb = 8 + 32 * rng.beta(1.2, 2.5)
    scoliosis(plan, str(rng.choice(["T12", "L1", "L2", "L3"])), cobb, bool(rng.random() < 0.5))


def _draw_transition(plan: SpinePlan, rng: np.random.Generator) -> None:
    sacralised_l5(plan, rng.uniform(1.15, 1.6), rng.uniform(0.35, 0.8))


FINDINGS: dict[str, Draw] = {
    "fracture": _draw_fracture,
    "degeneration": _draw_degeneration,
    "osteophytes": _draw_osteophytes,
    "listhesis": _draw_listhesis,
    "scoliosis": _draw_scoliosis,
    "transition": _draw_transition,
}
"""Random findings by name; their probabilities are in `SpineOptions`."""


def _grow_rims(plan: SpinePlan, disc: int, size_mm: float) -> None:
    """Upper and lower rim of one disc; the larger of several causes counts."""
    upper = plan.deformities[disc]
    grown = (upper.osteophytes_mm[0], max(upper.osteophytes_mm[1], size_mm))
    plan.deformities[disc] = replace(upper, osteophytes_mm=grown)
    if disc + 1 < len(plan.deformities):
        lower = plan.deformities[disc + 1]
        grown = (max(lower.osteophytes_mm[0], size_mm), lower.osteophytes_mm[1])
        plan.deformities[disc + 1] = replace(lower, osteophytes_mm=grown)


def _bounded(value: float, low: float, high: float) -> float:
    return float(np.clip(value, low, high))


def _level(name: str) -> int:
    if name not in VERTEBRA_LEVELS:
        raise InputError(f"no vertebra {name!r}: choose one of {', '.join(VERTEBRA_LEVELS)}")
    return VERTEBRA_LEVELS.index(name)


def _disc(name: str) -> int:
    if name not in DISC_LEVELS:
        raise InputError(f"no disc {name!r}: choose one of {', '.join(DISC_LEVELS)}")
    return DISC_LEVELS.index(name)

"""All bones of the hip region at once, roughly: where the wanted one is among them, and what the others' shadows are.

A film of a hip or a pelvis shows hips, sacrum and femora, and one of them alone is easily taken for another. So the
joint model of all of them is laid on the film first: a coarse search over places that such films are centred on, then a
fit of pose, the turn of both hips and the largest modes of shape. The fit of the wanted bone begins there, and the
others' shadows are added to its own.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from mri2mesh.anatomy.shape_models.articulation import (
    JOINT_MODES,
    SIDES,
    TURN_SD_DEG,
    articulated,
    turned_by,
)
from mri2mesh.anatomy.shape_models.model import ShapeModel
from mri2mesh.engines.xray_fit.fitting.beside import Neighbours
from mri2mesh.engines.xray_fit.fitting.coarse_to_fine import depth_of, mean_beam
from mri2mesh.engines.xray_fit.fitting.family import SurfaceFamily
from mri2mesh.engines.xray_fit.fitting.held_depth import HeldDepth, held_by
from mri2mesh.engines.xray_fit.fitting.image_term import ImageSettings, ImageTerm, Observation
from mri2mesh.engines.xray_fit.fitting.parameters import Parameters
from mri2mesh.engines.xray_fit.fitting.poses import distinct
from mri2mesh.engines.xray_fit.fitting.prior import Prior, PriorSettings
from mri2mesh.engines.xray_fit.fitting.pyramid import coarser
from mri2mesh.engines.xray_fit.fitting.solver import solve
from mri2mesh.engines.xray_fit.fitting.starts import (
    AMONG_OTHERS,
    Searched,
    around,
    coarse_search,
    most_explaining,
)
from mri2mesh.geometry.transforms import Matrix, apply, rigid_fit

REGION = "pelvis_femur"
"""The shape model of the region."""
CENTRED_ON = {
    "pelvis": (("acetabulum_centre_left", "acetabulum_centre_right", "psis_left", "psis_right"),),
    "femur_left": (("acetabulum_centre_left", "acetabulum_centre_right"), ("lesser_trochanter_left",)),
    "femur_right": (("acetabulum_centre_left", "acetabulum_centre_right"), ("lesser_trochanter_right",)),
}
"""Wanted bone to the places, each the mean of some landmarks, that the middle of a film may be meant to show."""
FLEXIONS_DEG = (-8.0, 0.0, 12.0, 25.0)
ABDUCTIONS_DEG = (-12.0, -6.0, 0.0, 6.0, 12.0)
"""Turns of a hip that are looked at: the two edges of a shaft lie so near each other that a fit begun farther off stays
on the wrong one."""
NEAR_DEG = 8.0
"""Turns that are looked at about where bones were placed by something else."""
PELVIS = ("hip_left", "hip_right", "sacrum")
FACES = 6000
MODES = 10
SEARCHED = 6


NOISE_MM = 60.0
"""Of a whole shape's vertices together: what the region's few modes say of one bone's shape counts so little."""


@dataclass(frozen=True)
class RegionStage:
    """One round of the region's fit, as `levels.Level`. turned: begin it from a model whose hips are turned as they
    were found."""

    pixels: int
    iterations: int
    modes: int
    keep: int
    coarse_mm: float
    spongy: float = 1.0
    gradients: bool = False
    turned: bool = False


STAGES = (
    RegionStage(64, 8, JOINT_MODES + 2, 4, 25.0, gradients=True),
    RegionStage(64, 8, JOINT_MODES + MODES, 1, 25.0, gradients=True),
    RegionStage(128, 8, JOINT_MODES + MODES, 1, 20.0, spongy=0.3, gradients=True, turned=True),
)


@dataclass(frozen=True)
class RegionFit:
    """model: the joint model with its hips turned as they were found. vertices: [V, 3] mm RAS, its surfaces there."""

    model: ShapeModel
    vertices: NDArray[np.float64]

    def beside(self, wanted: Sequence[str], device: torch.device | str = "cpu") -> Neighbours:
        """The other bones."""
        rest = ~np.isin(self.model.part, [self.model.part_names.index(name) for name in wanted])
        return Neighbours(self.vertices, self.model.faces[rest], device)

    def middle(self, wanted: str, near: NDArray) -> NDArray[np.float64]:
        """[3] mm RAS: of the places that a film of the wanted bone may be centred on, the one nearest to a point."""
        places = np.stack(
            [
                np.mean([self.model.landmark(name, self.vertices) for name in names], axis=0)
                for names in CENTRED_ON[wanted]
            ]
        )
        return np.asarray(places[np.linalg.norm(places - near, axis=1).argmin()])

    def part(self, names: Sequence[str]) -> NDArray[np.float64]:
        """[V, 3] mm RAS of some bones."""
        return self.vertices[np.concatenate([self.model.part_vertices(name) for name in names])]

    def start_of(self, model: ShapeModel) -> tuple[Matrix, NDArray[np.float64]]:
        """[4, 4] and coefficients [M] that lay another model of one or some of these bones on them: by its vertices
        where they correspond, else by the landmarks that both have."""
        own = self.part(model.part_names)
        if len(own) == len(model.mean):
            return _laid(model, own)
        names = [name for name in model.landmarks if name in self.model.landmarks]
        mine = np.stack([model.landmark(name) for name in names])
        there = np.stack([self.model.landmark(name, self.vertices) for name in names])
        return rigid_fit(mine, there), np.zeros(len(model.modes))


def _laid(model: ShapeModel, points: NDArray) -> tuple[Matrix, NDArray[np.float64]]:
    own = model.modes[: len(model.modes) - model.local]
    basis = (own * model.deviations[: len(own), None, None]).reshape(len(own), -1).astype(np.float64)
    gram = basis @ basis.T + NOISE_MM**2 * np.eye(len(own))
    shape, b = model.mean, np.zeros(len(model.modes))
    for _ in range(3):
        pose = rigid_fit(shape, points)
        offset = (apply(np.linalg.inv(pose), points) - model.mean).ravel()
        b[: len(own)] = np.linalg.solve(gram, basis @ offset)
        shape = model.vertices(b)
    return rigid_fit(shape, points), b


def search_region(
    views: Sequence[Observation],
    model: ShapeModel,
    wanted: str,
    expected: Parameters,
    *,
    placed: Sequence[NDArray] = (),
    scale_unknown: bool = False,
) -> Searched:
    """The poses of the mean region that explain the images best. model: of `REGION`. wanted: a key of `CENTRED_ON`.
    expected: a batch of one, whose position is what the middle of the film shows. placed: where something else has
    found the bones already, [V, 3] mm RAS in the order of the model, NaN for bones that it has not; then it is only
    looked around there. Raises InputError where it all would be beside or behind a source."""
    family = _family(model, _STRAIGHT, hips_middle(model), expected.position.device)
    if placed:
        at = _at_placed(expected, model, placed, family)
        found = most_explaining(around(at, NEAR_DEG), views, family, SEARCHED, AMONG_OTHERS)
    else:
        starts = _places(expected, model, wanted, family)
        found = coarse_search(
            views, family, starts, scale_unknown=scale_unknown, keep=SEARCHED, settings=AMONG_OTHERS
        )
    for side in range(2):
        tried = Parameters.joined([found.parameters, _hips_turned(found.parameters, side)])
        found = most_explaining(tried, views, family, SEARCHED, AMONG_OTHERS)
    return found


def _hips_turned(at: Parameters, side: int) -> Parameters:
    """Every candidate with one hip bent and spread in each of several ways, as modes have it."""
    grid = list(itertools.product(FLEXIONS_DEG, ABDUCTIONS_DEG))
    many = at.take(torch.arange(len(at), device=at.position.device).repeat_interleave(len(grid)))
    # a left leg is spread by a turn about y that brings its foot to the left, towards -x; a right one by the other
    outward = 1.0 if side == 0 else -1.0
    coefficients = many.coefficients.clone()
    for n, (flexed, spread) in enumerate(grid):
        coefficients[n :: len(grid), 3 * side] += flexed / TURN_SD_DEG[0]
        coefficients[n :: len(grid), 3 * side + 1] += outward * spread / TURN_SD_DEG[1]
    return replace(many, coefficients=coefficients)


def fit_region(
    views: Sequence[Observation],
    model: ShapeModel,
    searched: Searched,
    prior: PriorSettings,
    depth: HeldDepth | None = None,
) -> RegionFit:
    """The region laid on the views, from where `search_region` left it. depth: of the middle of the hip joints, where
    the views do not show it."""
    at, turns, centre = searched.parameters, _STRAIGHT, hips_middle(model)
    device = at.position.device
    before, beam = at, mean_beam(views).to(at.position)
    family = _family(model, turns, centre, device)
    for stage in STAGES:
        if stage.turned:
            turns = turned_by(turns, at.coefficients[0].cpu().numpy())
            family = _family(model, turns, centre, device)
            at = replace(at, coefficients=_without_turns(at.coefficients))
        image = ImageSettings(
            coarse_mm=stage.coarse_mm, spongy=stage.spongy, gradients=stage.gradients, even=True
        )
        terms = [
            ImageTerm(coarser(seen, stage.pixels), n, family, image, depth_of(seen, at))
            for n, seen in enumerate(views)
        ]
        held = held_by(depth, _whole(model, turns, centre, device))
        solution = solve(
            [*terms, *held],
            Prior(before, beam, prior),
            at,
            stage.modes,
            stage.iterations,
            longer=True,
            curvature=False,
        )
        chosen = distinct(solution.parameters, solution.cost, family)[: stage.keep]
        at, before = solution.parameters.take(chosen), before.take(chosen)
    found = articulated(model, turned_by(turns, at.coefficients[0].cpu().numpy()), MODES)
    ended = replace(at, coefficients=_without_turns(at.coefficients))
    whole = SurfaceFamily(found, device, centre=torch.from_numpy(centre))
    return RegionFit(found, ended.vertices(whole)[0].cpu().numpy())


_STRAIGHT = np.stack([np.eye(3)] * 2)


def hips_middle(model: ShapeModel, vertices: NDArray | None = None) -> NDArray[np.float64]:
    """[3] between the hip joints of the mean, or of vertices [V, 3] of the model."""
    sides = [model.landmark(f"acetabulum_centre_{side}", vertices) for side in ("left", "right")]
    return np.asarray(np.mean(sides, axis=0))


def _whole(model: ShapeModel, turns: NDArray, centre: NDArray, device: torch.device | str) -> SurfaceFamily:
    return SurfaceFamily(articulated(model, turns, MODES), device, centre=torch.from_numpy(centre))


def _family(model: ShapeModel, turns: NDArray, centre: NDArray, device: torch.device | str) -> SurfaceFamily:
    return _whole(model, turns, centre, device).lighter(FACES)


def _without_turns(coefficients: torch.Tensor) -> torch.Tensor:
    rest = coefficients.clone()
    rest[:, :JOINT_MODES] = 0
    return rest


def _at_placed(
    expected: Parameters, model: ShapeModel, placed: Sequence[NDArray], family: SurfaceFamily
) -> Parameters:
    """One candidate for each set of placed bones: the region laid on its pelvis, its hips turned as its femora are."""
    pelvis = np.concatenate([model.part_vertices(name) for name in PELVIS])
    n_views = expected.view_turn.shape[1]
    found = []
    for vertices in placed:
        pose = rigid_fit(model.mean[pelvis], vertices[pelvis])
        place = torch.from_numpy(apply(pose, hips_middle(model)[None])).to(expected.position)
        turn = torch.from_numpy(pose[:3, :3])[None].to(expected.position)
        at = Parameters.at(turn, place, family.n_modes, n_views)
        turned = at.coefficients.clone()
        for side, name in enumerate(SIDES):
            rows = model.part_vertices(f"femur_{name}")
            if np.isfinite(vertices[rows]).all():
                own = pose[:3, :3].T @ rigid_fit(model.mean[rows], vertices[rows])[:3, :3]
                angles = np.degrees(Rotation.from_matrix(own).as_rotvec()) / np.array(TURN_SD_DEG)
                turned[0, 3 * side : 3 * side + 3] = torch.from_numpy(np.clip(angles, -2, 2)).to(turned)
        found += [at, replace(at, coefficients=turned)]
    return Parameters.joined(found)


def _places(expected: Parameters, model: ShapeModel, wanted: str, family: SurfaceFamily) -> Parameters:
    """The region's poses by which each of the places of `CENTRED_ON` is where the film's middle is."""
    middle = hips_middle(model)
    shown = np.stack(
        [np.mean([model.landmark(one) for one in names], axis=0) for names in CENTRED_ON[wanted]]
    )
    positions = expected.position + torch.from_numpy(middle - shown).to(expected.position)
    n_views = expected.view_turn.shape[1]
    rotations = expected.rotation.expand(len(positions), 3, 3)
    return Parameters.at(rotations, positions, family.n_modes, n_views)

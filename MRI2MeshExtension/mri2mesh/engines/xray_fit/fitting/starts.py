"""Where a fit begins: from landmarks picked in the images, or from a coarse look around where the geometry points.

A radiograph's geometry says about where the patient is and how it lies: in front of the source, near the isocentre,
along the axes. Both ways start from there, and give several starts, for one alone may end in the wrong valley.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch

from mri2mesh.engines.xray_fit.fitting.beside import Neighbours
from mri2mesh.engines.xray_fit.fitting.coarse_to_fine import depth_of, mean_beam
from mri2mesh.engines.xray_fit.fitting.family import SurfaceFamily
from mri2mesh.engines.xray_fit.fitting.image_term import ImageSettings, ImageTerm, Observation
from mri2mesh.engines.xray_fit.fitting.landmark_term import LandmarkTerm
from mri2mesh.engines.xray_fit.fitting.parameters import Parameters
from mri2mesh.engines.xray_fit.fitting.poses import in_front, seen_from_aside
from mri2mesh.engines.xray_fit.fitting.prior import Prior, PriorSettings
from mri2mesh.engines.xray_fit.fitting.pyramid import coarser
from mri2mesh.engines.xray_fit.fitting.solver import solve
from mri2mesh.errors import InputError
from mri2mesh.geometry.tensors import rotation_matrix

SEARCH_PIXELS = 64
SHIFTS_MM = (-60.0, -40.0, -20.0, 0.0, 20.0, 40.0, 60.0)
"""Shifts in the plane of the first image, at the patient."""
DEPTHS_MM = (-40.0, 0.0, 40.0)
"""Shifts along the first beam; one view cannot distinguish them, a second from another side can."""
IN_PLANE_DEG = (-12.0, 0.0, 12.0)
"""Turns about the first beam. A long bone that is turned so looks most like itself where it was slid along its
shaft."""
TURN_DEG = 12.0
LANDMARK_TURN_DEG = 40.0
SIZES = (0.75, 1.0, 1.3)
"""Sizes of the shown bone relative to the population's, where the scale is unknown."""
ALONE = ImageSettings(coarse_mm=50.0, lattice=2)
"""Settings of the search for one bone: wider details than a fit compares, for they are still alike where the bone is a
shaft's width away; and less freedom of contrast, with which a wrong place could be explained too."""
AMONG_OTHERS = ImageSettings(coarse_mm=25.0, lattice=2, gradients=True, even=True)
"""Settings of the search for all bones of a region. By gradients, measured by how much detail there is nearby, the
truth explains more of a film of a whole hip region than all of 200 places 40 to 140 mm away (0.17 against 0.12 of two
collimated views, 0.056 against 0.043 of one view of a pelvis); by values, even with wider details, less than some of
them, for the skin outweighs bones."""
SEARCH_FACES = 2500
"""Faces that are enough at `SEARCH_PIXELS`."""
_AT_ONCE = 8


@dataclass(frozen=True)
class Searched:
    """parameters: candidates, the best first. explained: the share of the images' detail, as a mean over views, that
    the best explains."""

    parameters: Parameters
    explained: float


def from_landmarks(
    terms: Sequence[LandmarkTerm],
    views: Sequence[Observation],
    family: SurfaceFamily,
    expected: Parameters,
    settings: PriorSettings,
    keep: int = 2,
) -> Parameters:
    """The poses of the mean shape, from several orientations, that bring its landmarks best onto the picked ones.

    expected: a batch of one, what is known of the pose besides.
    """
    turns = [(0.0, 0.0, 0.0), *_turns(LANDMARK_TURN_DEG)]
    start = _turned(expected, turns)
    start = start.take(torch.nonzero(in_front(start, family, views))[:, 0])
    if not len(start):
        raise InputError(_TOO_NEAR)
    prior = Prior(
        expected.take(torch.zeros(len(start), dtype=torch.long)),
        mean_beam(views).to(start.position),
        settings,
    )
    solution = solve(terms, prior, start, n_shape=0, iterations=30, curvature=False)
    return solution.parameters.take(solution.cost.argsort()[:keep])


def coarse_search(
    views: Sequence[Observation],
    family: SurfaceFamily,
    expected: Parameters,
    *,
    scale_unknown: bool = False,
    keep: int = 12,
    settings: ImageSettings = ALONE,
) -> Searched:
    """The poses of the mean shape around the expected ones (a batch) whose shadows explain the images best.

    First shifts and turns in the plane of the first image (and shifts in depth, where another view shows it; and sizes,
    where the scale is unknown), then small turns of the best about all axes. Raises InputError where all of it would be
    beside or behind a source.
    """
    columns, rows, beam = torch.from_numpy(views[0].camera.axes_ras).to(expected.position)
    depths = DEPTHS_MM if seen_from_aside(views) else (0.0,)
    sizes = SIZES if scale_unknown else (1.0,)
    grid = list(itertools.product(SHIFTS_MM, SHIFTS_MM, IN_PLANE_DEG, depths, sizes))
    right, down, degrees, deeper, size = torch.tensor(grid).to(expected.position).T[..., None]
    places = torch.arange(len(expected), device=expected.position.device)
    right, down, degrees, deeper, size = (
        one.repeat(len(expected), 1) for one in (right, down, degrees, deeper, size)
    )
    many = expected.take(places.repeat_interleave(len(grid)))
    shifted = replace(
        many,
        rotation=rotation_matrix(degrees.deg2rad() * beam) @ many.rotation,
        position=many.position + right * columns + down * rows + deeper * beam,
        log_scale=many.log_scale + size[:, 0].log(),
    )
    best = most_explaining(shifted, views, family, keep, settings).parameters
    return most_explaining(around(best, TURN_DEG), views, family, keep, settings)


def around(at: Parameters, degrees: float) -> Parameters:
    """The candidates, and each turned about all axes both ways."""
    turned = [_turned(at.take(torch.tensor([n])), _turns(degrees)) for n in range(len(at))]
    return Parameters.joined([at, *turned])


_TOO_NEAR = (
    "the bone would reach the X-ray source: the source to isocentre distance, or the isocentre, must be wrong"
)


def most_explaining(
    candidates: Parameters,
    views: Sequence[Observation],
    family: SurfaceFamily,
    keep: int,
    settings: ImageSettings,
    *,
    pixels: int = SEARCH_PIXELS,
    beside: Neighbours | None = None,
) -> Searched:
    """The candidates that explain most of the images at low resolution, the best first. pixels: of the longer side.
    beside: other bones in the pictures. Raises InputError where all would be beside or behind a source."""
    small = [coarser(seen, pixels) for seen in views]
    shadows = [None if beside is None else beside.layers(seen.camera) for seen in small]
    terms = [
        ImageTerm(seen, n, family, settings, depth_of(seen, candidates), shadow)
        for n, (seen, shadow) in enumerate(zip(small, shadows, strict=True))
    ]
    clear = torch.nonzero(in_front(candidates, family, views))[:, 0]
    if not len(clear):
        raise InputError(_TOO_NEAR)
    candidates = candidates.take(clear)
    explained = []
    for some in torch.arange(len(candidates)).split(_AT_ONCE):
        batch = candidates.take(some)
        explained.append(torch.stack([term.agreement(batch).square() for term in terms]).sum(0))
    share = torch.cat(explained) / len(terms)
    return Searched(candidates.take(share.argsort(descending=True)[:keep]), float(share.max()))


def _turns(degrees: float) -> list[tuple[float, float, float]]:
    """Rotation vectors, in degrees, about each of the patient's axes both ways."""
    return [
        (sign * degrees * (axis == 0), sign * degrees * (axis == 1), sign * degrees * (axis == 2))
        for axis in range(3)
        for sign in (-1, 1)
    ]


def about_joint(
    at: Parameters, family: SurfaceFamily, views: Sequence[Observation], joint: str, degrees: Sequence[float]
) -> Parameters:
    """A candidate, and turned about a landmark of its surface, by each of some angles about each view's beam and about
    what is across the first: as a long bone turns in its joint, whose place is known best."""
    beams = [torch.from_numpy(seen.camera.axes_ras[2]) for seen in views]
    axes = [*beams, torch.linalg.cross(beams[0], torch.tensor([0.0, 0.0, 1.0]).double())]
    vectors = torch.stack([axis * angle for axis in axes for angle in degrees]).deg2rad().to(at.position)
    turns = rotation_matrix(vectors)
    many = at.take(torch.zeros(len(vectors), dtype=torch.long))
    pivot = at.vertices(family)[0, family.landmarks[joint]].mean(0)
    moved = replace(
        many,
        rotation=turns @ many.rotation,
        position=pivot + (turns @ (many.position - pivot)[..., None])[..., 0],
    )
    return Parameters.joined([at, moved])


def _turned(at: Parameters, turns: Sequence[tuple[float, float, float]]) -> Parameters:
    """One candidate turned about its centre in each of several ways."""
    many = at.take(torch.zeros(len(turns), dtype=torch.long))
    turn = rotation_matrix(torch.deg2rad(torch.tensor(turns, dtype=torch.float64))).to(at.rotation)
    return replace(many, rotation=turn @ many.rotation)

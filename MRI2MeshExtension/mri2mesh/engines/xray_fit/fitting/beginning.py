"""Where a fit begins: landmarks, an earlier result, a search, or where something has placed the bones; and what is
known of depth and of the other bones there.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from mri2mesh.anatomy.shape_models.model import ShapeModel
from mri2mesh.engines.xray_fit.fitting.beside import Neighbours
from mri2mesh.engines.xray_fit.fitting.case import Case
from mri2mesh.engines.xray_fit.fitting.coarse_to_fine import FitSettings, mean_beam
from mri2mesh.engines.xray_fit.fitting.expected import LEAST_SURE_MM
from mri2mesh.engines.xray_fit.fitting.held_depth import JOINTS, HeldDepth
from mri2mesh.engines.xray_fit.fitting.image_term import ImageSettings, Observation
from mri2mesh.engines.xray_fit.fitting.levels import PLACE_KNOWN
from mri2mesh.engines.xray_fit.fitting.near import near_bone
from mri2mesh.engines.xray_fit.fitting.parameters import Parameters
from mri2mesh.engines.xray_fit.fitting.poses import distinct, in_front, posed
from mri2mesh.engines.xray_fit.fitting.region import RegionFit, fit_region, hips_middle, search_region
from mri2mesh.engines.xray_fit.fitting.starts import (
    AMONG_OTHERS,
    SEARCH_FACES,
    Searched,
    about_joint,
    coarse_search,
    from_landmarks,
    most_explaining,
)
from mri2mesh.engines.xray_fit.fitting.stored import from_plain
from mri2mesh.errors import InputError
from mri2mesh.reconstruction import Reconstruction

TURNED_ABOUT = {name: joints[0] for name, joints in JOINTS.items() if len(joints) == 1}
"""Long bones to the landmark that they turn about."""
TURNS_DEG = (-8.0, -5.0, -2.5, 2.5, 5.0, 8.0)
NEAR_PLACE = ImageSettings(coarse_mm=20.0, lattice=2, spongy=0.3, gradients=True, even=True)
NEAR_PIXELS, TURNED = 128, 3
"""With what turned starts are compared, and how many go on."""

NOTHING_ELSE = 0.4
"""Share of the detail that a bone explains only where no other is in the picture: found by a coarse search, one bone of
a whole region explains 0.02 to 0.2."""


@dataclass(frozen=True)
class Beginning:
    """starts: candidates to begin from. expected: a batch of one, what the geometry alone says of the pose. views: as
    they are compared; near: only pixels near the bone count, where the place is known. depth: of the joints, where the
    views do not show it. beside: the other bones in the pictures, where they were found; then the place is known to
    some millimetres."""

    starts: Parameters
    expected: Parameters
    views: Sequence[Observation]
    depth: HeldDepth | None = None
    beside: Neighbours | None = None

    @property
    def place_known(self) -> bool:
        return self.beside is not None


def beginning_of(case: Case, earlier: Reconstruction | Mapping[str, Any] | None) -> Beginning:
    """Where to begin: from an earlier result or its stored fit, from landmarks, or from a coarse search: for the bone
    alone and, where there is a model of them, for all bones of the region; what explains more of the images counts.
    Where something has placed the region's bones already, all of them are looked for around there.

    Raises InputError for an earlier result of other views or another model, and where the bone would reach a source.
    """
    if earlier is not None:
        stored = earlier.provenance.get("fit", {}) if isinstance(earlier, Reconstruction) else earlier
        at = from_plain(stored, case.family.n_modes, len(case.views))
        at = Parameters(*(value.to(case.family.mean) for value in vars(at).values()))
        if not bool(in_front(at, case.family, case.views).all()):
            raise InputError("the earlier result reaches the X-ray source: the geometry must be another")
        return _going_on(case, at)
    if case.landmarks:
        found = from_landmarks(case.landmarks, case.views, case.family, case.expected, case.settings.prior)
        return Beginning(found, case.expected, case.views)
    if case.region is None:
        return Beginning(_alone(case).parameters, case.expected, case.views)
    if not case.placed:
        alone = _alone(case)
        light = case.family.lighter(SEARCH_FACES)
        by_itself = most_explaining(alone.parameters, case.views, light, 1, AMONG_OTHERS).explained
        by_itself = math.inf if by_itself > NOTHING_ELSE else by_itself
    else:
        by_itself = 0.0
    if by_itself < math.inf:
        together = search_region(
            case.views,
            case.region,
            case.anatomy,
            case.expected,
            placed=case.placed,
            scale_unknown=case.scale_unknown,
        )
        if together.explained >= by_itself:
            return _among_others(case, case.region, together)
    return Beginning(alone.parameters, case.expected, case.views)


def _going_on(case: Case, at: Parameters) -> Beginning:
    """From an earlier result: it lies as deep as it was found, whatever else the geometry alone would say."""
    beam = mean_beam(case.views).to(at.position)
    deeper = ((at.position[:1] - case.expected.position) @ beam)[:, None] * beam
    expected = replace(case.expected, position=case.expected.position + deeper)
    held = None
    if case.depth is not None and not case.landmarks:
        vertices = at.vertices(case.family)[0]
        joints = [vertices[case.family.landmarks[name]].mean(0) for name in JOINTS[case.model.name]]
        held = case.depth.moved_to(torch.stack(joints).mean(0).cpu().numpy())
    return Beginning(at, expected, case.views, held)


def _alone(case: Case) -> Searched:
    light = case.family.lighter(SEARCH_FACES)
    return coarse_search(case.views, light, case.expected, scale_unknown=case.scale_unknown)


def _among_others(case: Case, region: ShapeModel, together: Searched) -> Beginning:
    """From where all bones of the region were found, roughly."""
    hips = case.expected.position[0].cpu().numpy()
    if case.placed:
        hips = np.mean([hips_middle(region, vertices) for vertices in case.placed], axis=0)
    held = None if case.depth is None else case.depth.moved_to(hips)
    prior = case.settings.prior if held is None else replace(case.settings.prior, depth_mm=LEAST_SURE_MM)
    found = fit_region(case.views, region, together, prior, held)
    beam = mean_beam(case.views).to(case.family.mean)
    # how deep the bone is expected follows from how deep the hips are, or what the film is centred on
    middle = hips_middle(region, found.vertices)
    if not case.placed and held is None:
        middle = found.middle(case.anatomy, hips)
    deeper = (torch.from_numpy(hips - middle).to(beam) @ beam) * beam
    start = posed(case.family, *found.start_of(case.model), len(case.views))
    beside = found.beside(case.model.part_names, case.family.mean.device)
    if held is not None:
        joint = np.mean(
            [found.model.landmark(name, found.vertices) for name in JOINTS[case.model.name]], axis=0
        )
        held = held.moved_to(joint + deeper.cpu().numpy())
    starts = _several(case, Parameters.joined([start, *_as_placed(case, region)]), beside)
    expected = replace(case.expected, position=start.position + deeper)
    light = case.family.lighter(SEARCH_FACES)
    return Beginning(starts, expected, near_bone(case.views, light, starts, case.shown), held, beside)


def _as_placed(case: Case, region: ShapeModel) -> list[Parameters]:
    """The bone where it was placed before this fit: no fit may end where the images agree less than there."""
    whole = [RegionFit(region, vertices) for vertices in case.placed]
    shown = [found for found in whole if np.isfinite(found.part(case.model.part_names)).all()]
    return [posed(case.family, *found.start_of(case.model), len(case.views)) for found in shown]


def _several(case: Case, starts: Parameters, beside: Neighbours) -> Parameters:
    """The starts and others that explain the images well: a shaft has two edges so near each other that a fit may end
    on the wrong one, so a femur is turned in its hip too."""
    if case.anatomy not in TURNED_ABOUT:
        return starts.take(distinct(starts, torch.arange(len(starts)), case.family))
    light = case.family.lighter(SEARCH_FACES)
    turned = about_joint(
        starts.take(torch.tensor([0])), case.family, case.views, TURNED_ABOUT[case.anatomy], TURNS_DEG
    )
    tried = Parameters.joined([turned, starts.take(torch.arange(1, len(starts)))])
    best = most_explaining(tried, case.views, light, TURNED, NEAR_PLACE, pixels=NEAR_PIXELS, beside=beside)
    return best.parameters


def settings_from(settings: FitSettings, beginning: Beginning) -> FitSettings:
    """The settings of a fit that begins so: levels of their own where the place is known, unless others were asked for;
    and where the joints are held at their depth, the middle of the surface is where the shape has it."""
    if beginning.depth is not None:
        settings = replace(settings, prior=replace(settings.prior, depth_mm=LEAST_SURE_MM))
    if settings.levels is None and beginning.place_known:
        return replace(settings, levels=PLACE_KNOWN)
    return settings

"""One fit to radiographs, made ready: the model and the images on their device, what is known beside them, and where to
begin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from mri2mesh.anatomy.shape_models.model import ShapeModel
from mri2mesh.engines.xray_fit.fitting.beside import Neighbours
from mri2mesh.engines.xray_fit.fitting.coarse_to_fine import FitSettings, mean_beam
from mri2mesh.engines.xray_fit.fitting.contour_term import ContourTerm
from mri2mesh.engines.xray_fit.fitting.expected import expected_place
from mri2mesh.engines.xray_fit.fitting.family import SurfaceFamily
from mri2mesh.engines.xray_fit.fitting.image_term import ImageSettings, Observation
from mri2mesh.engines.xray_fit.fitting.landmark_term import LandmarkTerm
from mri2mesh.engines.xray_fit.fitting.levels import PLACE_KNOWN
from mri2mesh.engines.xray_fit.fitting.parameters import Parameters
from mri2mesh.engines.xray_fit.fitting.poses import in_front
from mri2mesh.engines.xray_fit.fitting.prior import PriorSettings
from mri2mesh.engines.xray_fit.fitting.region import fit_region, hips_middle, search_region
from mri2mesh.engines.xray_fit.fitting.solver import Term
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
from mri2mesh.geometry.transforms import Matrix, apply
from mri2mesh.imaging.radiographs.radiograph import Radiograph
from mri2mesh.reconstruction import Reconstruction

LEAST_USABLE = 0.02
"""Least fraction of an image that must be usable: less than this shows no bone."""

JOINTS = {
    side: f"femoral_head_centre_{side.removeprefix('femur_')}" for side in ("femur_left", "femur_right")
}
"""Bone to the landmark that it turns about."""
TURNS_DEG = (-8.0, -5.0, -2.5, 2.5, 5.0, 8.0)
NEAR_PLACE = ImageSettings(coarse_mm=20.0, lattice=2, spongy=0.3, gradients=True, even=True)
NEAR_PIXELS, TURNED = 128, 3
"""With what turned starts are compared, and how many go on."""

NOTHING_ELSE = 0.4
"""Share of the detail that a bone explains only where no other is in the picture: found by a coarse search, one bone of
a whole region explains 0.02 to 0.2."""

Picked = Mapping[str, tuple[float, float]]
"""Landmark name -> (column, row) in pixels of the image."""


@dataclass(frozen=True)
class Case:
    """What a fit needs, on its device. region: the shape model of all bones around this one, where there is one.
    placed: as of `region.search_region`."""

    anatomy: str
    model: ShapeModel
    family: SurfaceFamily
    views: list[Observation]
    picked: Sequence[Picked]
    masks: Sequence[NDArray[np.bool_] | None]
    expected: Parameters
    settings: FitSettings
    region: ShapeModel | None = None
    placed: Sequence[NDArray] = ()

    @cached_property
    def landmarks(self) -> list[LandmarkTerm]:
        return [
            LandmarkTerm(picked, seen.camera, number, self.family)
            for number, (picked, seen) in enumerate(zip(self.picked, self.views, strict=False))
            if picked
        ]

    @cached_property
    def outlines(self) -> list[ContourTerm]:
        return [
            ContourTerm(mask, seen.camera, number, self.family)
            for number, (mask, seen) in enumerate(zip(self.masks, self.views, strict=False))
            if mask is not None
        ]

    @property
    def terms(self) -> list[Term]:
        """What is known beside the images."""
        return [*self.landmarks, *self.outlines]

    @property
    def scale_unknown(self) -> bool:
        return self.settings.prior.scale > 0


DIRECTIONS = ("source_to_detector_mm", "source_to_isocentre_mm", "primary_angle_deg")
"""What must be known of several views for their geometry to hold together."""


def settings_for(radiographs: Sequence[Radiograph]) -> FitSettings:
    """What is free by how well the geometry is known: scale where it is not, depth more where the isocentre is only
    assumed, each view's own pose a little where there are several and their geometry is assumed: where it is known,
    views that may slide against each other only give away the depth that they show together."""
    assumed = any(one.geometry.origins[name] == "default" for one in radiographs for name in DIRECTIONS)
    loose = len(radiographs) > 1 and assumed
    return FitSettings(
        prior=PriorSettings(
            depth_mm=_isocentre_sd_mm(radiographs),
            scale=0.0 if all(one.scale_known for one in radiographs) else 0.25,
            view_turn_deg=1.0 if loose else 0.0,
            view_shift_mm=2.0 if loose else 0.0,
        ),
    )


def _isocentre_sd_mm(radiographs: Sequence[Radiograph]) -> float:
    """How far from the isocentre bones lie, front to back, where it is known, or only assumed."""
    known = all(one.geometry.source_to_isocentre_mm.origin != "default" for one in radiographs)
    return 15.0 if known else 40.0


def prepare_case(
    radiographs: Sequence[Radiograph],
    model: ShapeModel,
    landmarks: Sequence[Picked] | None = None,
    masks: Sequence[NDArray[np.bool_] | None] | None = None,
    settings: FitSettings | None = None,
    device: torch.device | str = "cpu",
    region: ShapeModel | None = None,
    placed: Sequence[NDArray] = (),
) -> Case:
    """region: of `region.REGION`, for the bones of `region.CENTRED_ON`. placed: as of `region.search_region`.

    Raises InputError for a number of landmark sets or masks other than that of radiographs, for an unknown landmark, a
    mask of another size, and for an image in which there is nothing to fit."""
    if not radiographs:
        raise InputError("a fit needs at least one radiograph")
    if landmarks is not None and len(landmarks) != len(radiographs):
        raise InputError(f"landmarks of {len(landmarks)} views for {len(radiographs)} radiographs")
    if masks is not None and len(masks) != len(radiographs):
        raise InputError(f"masks of {len(masks)} views for {len(radiographs)} radiographs")
    family = SurfaceFamily(model, device)
    views = [observation_of(one) for one in radiographs]
    depths = [one.geometry.source_to_isocentre_mm.value for one in radiographs]
    place = expected_place(views, depths, _isocentre_sd_mm(radiographs))
    expected = Parameters.at(
        torch.eye(3)[None].to(family.mean),
        torch.from_numpy(place.position)[None].to(family.mean),
        family.n_modes,
        len(views),
    )
    if settings is None:
        settings = settings_for(radiographs)
        sure = place.sd_along(mean_beam(views).numpy())
        settings = replace(settings, prior=replace(settings.prior, depth_mm=sure))
    case = Case(
        model.name, model, family, views, landmarks or [], masks or [], expected, settings, region, placed
    )
    _ = case.terms  # wrong landmarks and masks are refused before anything is fitted
    return case


def observation_of(radiograph: Radiograph) -> Observation:
    """What a fit sees of a radiograph. Raises InputError where that is nothing."""
    mask = radiograph.mask & np.isfinite(radiograph.pixels)
    if mask.mean() < LEAST_USABLE:
        raise InputError("nearly all of the radiograph is masked or blank: there is no bone to fit")
    if np.ptp(radiograph.pixels[mask]) == 0:
        raise InputError("every pixel of the radiograph has the same value: there is nothing to fit")
    return Observation(radiograph.camera, np.where(mask, radiograph.pixels, 0).astype(np.float32), mask)


@dataclass(frozen=True)
class Beginning:
    """starts: candidates to begin from. expected: a batch of one, what the geometry alone says of the pose. beside: the
    other bones in the pictures, where they were found; then the place is known to some millimetres."""

    starts: Parameters
    expected: Parameters
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
        return Beginning(at, case.expected)
    if case.landmarks:
        return Beginning(
            from_landmarks(case.landmarks, case.views, case.family, case.expected, case.settings.prior),
            case.expected,
        )
    light = case.family.lighter(SEARCH_FACES)
    alone = coarse_search(case.views, light, case.expected, scale_unknown=case.scale_unknown)
    if case.region is None:
        return Beginning(alone.parameters, case.expected)
    by_itself = most_explaining(alone.parameters, case.views, light, 1, AMONG_OTHERS)
    if by_itself.explained > NOTHING_ELSE:
        return Beginning(alone.parameters, case.expected)
    together = search_region(
        case.views,
        case.region,
        case.anatomy,
        case.expected,
        placed=case.placed,
        scale_unknown=case.scale_unknown,
    )
    if together.explained < by_itself.explained:
        return Beginning(alone.parameters, case.expected)
    return _among_others(case, case.region, together)


def _among_others(case: Case, region: ShapeModel, together: Searched) -> Beginning:
    """From where all bones of the region were found, roughly."""
    found = fit_region(case.views, region, together, case.settings.prior)
    start = _at(case, *found.start_of(case.model))
    # how deep the bone is expected follows from how deep the region's middle is, or the hips where they were placed
    beam = mean_beam(case.views).to(start.position)
    if case.placed:
        expected = np.mean([hips_middle(region, vertices) for vertices in case.placed], axis=0)
        middle = hips_middle(region, found.vertices)
    else:
        expected = case.expected.position[0].cpu().numpy()
        middle = found.middle(case.anatomy, expected)
    deeper = torch.from_numpy(expected - middle).to(start.position) @ beam
    beside = found.beside(case.model.part_names, case.family.mean.device)
    return Beginning(
        _turned_starts(case, start, beside),
        replace(case.expected, position=start.position + deeper * beam),
        beside,
    )


def _turned_starts(case: Case, start: Parameters, beside: Neighbours) -> Parameters:
    """The start and others that explain the images well: a shaft has two edges so near each other that a fit may end on
    the wrong one, so a femur is turned in its hip too."""
    if case.anatomy not in JOINTS:
        return start
    light = case.family.lighter(SEARCH_FACES)
    turned = about_joint(start, case.family, case.views, JOINTS[case.anatomy], TURNS_DEG)
    best = most_explaining(turned, case.views, light, TURNED, NEAR_PLACE, pixels=NEAR_PIXELS, beside=beside)
    return best.parameters


def settings_from(settings: FitSettings, beginning: Beginning) -> FitSettings:
    """The settings of a fit that begins so: fewer levels where the place is known, unless levels were asked for."""
    if settings.levels is None and beginning.place_known:
        return replace(settings, levels=PLACE_KNOWN)
    return settings


def _at(case: Case, pose: Matrix, coefficients: NDArray) -> Parameters:
    like = case.family.mean
    place = apply(pose, case.family.centre.cpu().numpy()[None])
    at = Parameters.at(
        torch.from_numpy(pose[:3, :3])[None].to(like),
        torch.from_numpy(place).to(like),
        case.family.n_modes,
        len(case.views),
    )
    return replace(at, coefficients=torch.from_numpy(coefficients)[None].to(like))

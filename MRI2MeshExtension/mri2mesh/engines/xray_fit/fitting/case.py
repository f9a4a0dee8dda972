"""One fit to radiographs, made ready: the model and the images on their device, and what is known beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray

from mri2mesh.anatomy.shape_models.model import ShapeModel
from mri2mesh.engines.dense_maps.depth_option import HIPS_TO_DETECTOR
from mri2mesh.engines.dense_maps.reference import reference_of
from mri2mesh.engines.xray_fit.fitting.coarse_to_fine import FitSettings, mean_beam
from mri2mesh.engines.xray_fit.fitting.contour_term import ContourTerm
from mri2mesh.engines.xray_fit.fitting.expected import expected_place
from mri2mesh.engines.xray_fit.fitting.family import SurfaceFamily
from mri2mesh.engines.xray_fit.fitting.held_depth import JOINTS, HeldDepth
from mri2mesh.engines.xray_fit.fitting.image_term import Observation
from mri2mesh.engines.xray_fit.fitting.landmark_term import LandmarkTerm
from mri2mesh.engines.xray_fit.fitting.parameters import Parameters
from mri2mesh.engines.xray_fit.fitting.poses import seen_from_aside
from mri2mesh.engines.xray_fit.fitting.prior import PriorSettings
from mri2mesh.engines.xray_fit.fitting.solver import Term
from mri2mesh.engines.xray_fit.fitting.uncertainty import GEOMETRY_SD, Enlarged
from mri2mesh.errors import InputError
from mri2mesh.imaging.radiographs.radiograph import Radiograph

LEAST_USABLE = 0.02
"""Least fraction of an image that must be usable: less than this shows no bone."""

Picked = Mapping[str, tuple[float, float]]
"""Landmark name -> (column, row) in pixels of the image."""


@dataclass(frozen=True)
class Case:
    """What a fit needs, on its device. region: the shape model of all bones around this one, where there is one.
    placed: as of `region.search_region`. shown: per view [rows, columns], where the bone is seen, or None. enlarged:
    how surely the geometry of several views gives sizes, None where the images or a calibration do."""

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
    shown: Sequence[NDArray[np.bool_] | None] = ()
    enlarged: Enlarged | None = None

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
    def depth(self) -> HeldDepth | None:
        """Of the hip joints, of bones that have one, where the views do not show it."""
        if self.anatomy not in JOINTS or seen_from_aside(self.views):
            return None
        place, beam = self.expected.position[0].cpu().numpy(), mean_beam(self.views).numpy()
        return HeldDepth(place, beam, self.settings.prior.depth_mm)

    @property
    def scale_unknown(self) -> bool:
        return self.settings.prior.scale > 0


DEPTH_OPTION = f"--{HIPS_TO_DETECTOR.flag}"
DIRECTIONS = ("source_to_detector_mm", "source_to_isocentre_mm", "primary_angle_deg")
"""What must be known of several views for their geometry to hold together."""
SIZES = ("source_to_detector_mm", "pixel_spacing_mm")
"""By a calibration of one of them sizes are right."""


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


def _depths(
    radiographs: Sequence[Radiograph], model: ShapeModel, hips_to_detector_mm: float | None
) -> tuple[list[float], float]:
    """How far from each source bones are expected, and the standard deviation of that, front to back."""
    if hips_to_detector_mm is None:
        return [one.geometry.source_to_isocentre_mm.value for one in radiographs], _isocentre_sd_mm(
            radiographs
        )
    if model.name not in JOINTS:
        raise InputError(f"{DEPTH_OPTION} says how deep hips lie: it cannot be used for {model.name}")
    if len(radiographs) > 1:
        raise InputError(f"{DEPTH_OPTION} is for one radiograph: several views show the depth themselves")
    known = reference_of(radiographs[0].geometry, hips_to_detector_mm, DEPTH_OPTION)
    return [known.depth_mm], known.sd_mm


def prepare_case(
    radiographs: Sequence[Radiograph],
    model: ShapeModel,
    landmarks: Sequence[Picked] | None = None,
    masks: Sequence[NDArray[np.bool_] | None] | None = None,
    settings: FitSettings | None = None,
    device: torch.device | str = "cpu",
    region: ShapeModel | None = None,
    placed: Sequence[NDArray] = (),
    shown: Sequence[NDArray[np.bool_] | None] = (),
    hips_to_detector_mm: float | None = None,
) -> Case:
    """region: of `region.REGION`, for the bones of `region.CENTRED_ON`. placed: as of `region.search_region`. shown: as
    of `Case`. hips_to_detector_mm: from the middle of the hip joints along the beam of one front view, where it is
    known.

    Raises InputError for a number of landmark sets or masks other than that of radiographs, for an unknown landmark, a
    mask of another size, a distance of no use, and for an image in which there is nothing to fit."""
    if not radiographs:
        raise InputError("a fit needs at least one radiograph")
    if landmarks is not None and len(landmarks) != len(radiographs):
        raise InputError(f"landmarks of {len(landmarks)} views for {len(radiographs)} radiographs")
    if masks is not None and len(masks) != len(radiographs):
        raise InputError(f"masks of {len(masks)} views for {len(radiographs)} radiographs")
    family = SurfaceFamily(model, device)
    views = [observation_of(one) for one in radiographs]
    place = expected_place(views, *_depths(radiographs, model, hips_to_detector_mm))
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
        model.name,
        model,
        family,
        views,
        landmarks or [],
        masks or [],
        expected,
        settings,
        region,
        placed,
        shown,
        enlarged_by(radiographs) if seen_from_aside(views) else None,
    )
    _ = case.terms  # wrong landmarks and masks are refused before anything is fitted
    return case


def enlarged_by(radiographs: Sequence[Radiograph]) -> Enlarged | None:
    """What is not known of sizes where the distances of several views were read or typed, not calibrated."""
    geometries = [one.geometry for one in radiographs]
    known = all(one.scale_known for one in geometries)
    measured = all("calibrated" in (one.origins[name] for name in SIZES) for one in geometries)
    if measured or not known:
        return None
    return Enlarged(np.mean([one.isocentre_ras_mm.value for one in geometries], axis=0), GEOMETRY_SD)


def observation_of(radiograph: Radiograph) -> Observation:
    """What a fit sees of a radiograph. Raises InputError where that is nothing."""
    mask = radiograph.mask & np.isfinite(radiograph.pixels)
    if mask.mean() < LEAST_USABLE:
        raise InputError("nearly all of the radiograph is masked or blank: there is no bone to fit")
    if np.ptp(radiograph.pixels[mask]) == 0:
        raise InputError("every pixel of the radiograph has the same value: there is nothing to fit")
    return Observation(radiograph.camera, np.where(mask, radiograph.pixels, 0).astype(np.float32), mask)

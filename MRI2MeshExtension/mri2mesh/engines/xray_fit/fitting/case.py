"""One fit to radiographs, made ready: the model and the images on their device, what is known beside them, and where to
begin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from mri2mesh.anatomy.shape_models.model import ShapeModel
from mri2mesh.engines.xray_fit.fitting.coarse_to_fine import FitSettings
from mri2mesh.engines.xray_fit.fitting.contour_term import ContourTerm
from mri2mesh.engines.xray_fit.fitting.family import SurfaceFamily
from mri2mesh.engines.xray_fit.fitting.image_term import Observation
from mri2mesh.engines.xray_fit.fitting.landmark_term import LandmarkTerm
from mri2mesh.engines.xray_fit.fitting.parameters import Parameters
from mri2mesh.engines.xray_fit.fitting.poses import in_front
from mri2mesh.engines.xray_fit.fitting.prior import PriorSettings
from mri2mesh.engines.xray_fit.fitting.solver import Term
from mri2mesh.engines.xray_fit.fitting.starts import coarse_search, expected_place, from_landmarks
from mri2mesh.engines.xray_fit.fitting.stored import from_plain
from mri2mesh.errors import InputError
from mri2mesh.imaging.radiographs.radiograph import Radiograph
from mri2mesh.reconstruction import Reconstruction

LEAST_USABLE = 0.02
"""Least fraction of an image that must be usable: less than this shows no bone."""

Picked = Mapping[str, tuple[float, float]]
"""Landmark name -> (column, row) in pixels of the image."""


@dataclass(frozen=True)
class Case:
    """What a fit needs, on its device."""

    model: ShapeModel
    family: SurfaceFamily
    views: list[Observation]
    picked: Sequence[Picked]
    masks: Sequence[NDArray[np.bool_] | None]
    expected: Parameters
    settings: FitSettings

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


def settings_for(radiographs: Sequence[Radiograph]) -> FitSettings:
    """What is free by how well the geometry is known: scale where it is not, depth more where the isocentre is only
    assumed, each view's own pose a little where there are several."""
    depth_known = all(one.geometry.source_to_isocentre_mm.origin != "default" for one in radiographs)
    several = len(radiographs) > 1
    return FitSettings(
        prior=PriorSettings(
            depth_mm=15.0 if depth_known else 40.0,
            scale=0.0 if all(one.scale_known for one in radiographs) else 0.25,
            view_turn_deg=1.0 if several else 0.0,
            view_shift_mm=2.0 if several else 0.0,
        ),
    )


def prepare_case(
    radiographs: Sequence[Radiograph],
    model: ShapeModel,
    landmarks: Sequence[Picked] | None = None,
    masks: Sequence[NDArray[np.bool_] | None] | None = None,
    settings: FitSettings | None = None,
    device: torch.device | str = "cpu",
) -> Case:
    """Raises InputError for a number of landmark sets or masks other than that of radiographs, for an unknown landmark,
    a mask of another size, and for an image in which there is nothing to fit."""
    if not radiographs:
        raise InputError("a fit needs at least one radiograph")
    if landmarks is not None and len(landmarks) != len(radiographs):
        raise InputError(f"landmarks of {len(landmarks)} views for {len(radiographs)} radiographs")
    if masks is not None and len(masks) != len(radiographs):
        raise InputError(f"masks of {len(masks)} views for {len(radiographs)} radiographs")
    family = SurfaceFamily(model, device)
    views = [_observation(one) for one in radiographs]
    place = expected_place(views, [one.geometry.source_to_isocentre_mm.value for one in radiographs])
    expected = Parameters.at(
        torch.eye(3)[None].to(family.mean),
        torch.from_numpy(place)[None].to(family.mean),
        family.n_modes,
        len(views),
    )
    settings = settings or settings_for(radiographs)
    case = Case(model, family, views, landmarks or [], masks or [], expected, settings)
    _ = case.terms  # wrong landmarks and masks are refused before anything is fitted
    return case


def _observation(radiograph: Radiograph) -> Observation:
    mask = radiograph.mask & np.isfinite(radiograph.pixels)
    if mask.mean() < LEAST_USABLE:
        raise InputError("nearly all of the radiograph is masked or blank: there is no bone to fit")
    if np.ptp(radiograph.pixels[mask]) == 0:
        raise InputError("every pixel of the radiograph has the same value: there is nothing to fit")
    return Observation(radiograph.camera, np.where(mask, radiograph.pixels, 0).astype(np.float32), mask)


def starts_of(case: Case, earlier: Reconstruction | Mapping[str, Any] | None) -> Parameters:
    """Where to begin: from an earlier result or its stored fit, from landmarks, or from a coarse search.

    Raises InputError for an earlier result of other views or another model, and where the bone would reach a source.
    """
    if earlier is not None:
        stored = earlier.provenance.get("fit", {}) if isinstance(earlier, Reconstruction) else earlier
        at = from_plain(stored, case.family.n_modes, len(case.views))
        at = Parameters(*(value.to(case.family.mean) for value in vars(at).values()))
        if not bool(in_front(at, case.family, case.views).all()):
            raise InputError("the earlier result reaches the X-ray source: the geometry must be another")
        return at
    if case.landmarks:
        return from_landmarks(case.landmarks, case.views, case.family, case.expected, case.settings.prior)
    return coarse_search(case.views, case.family, case.expected, scale_unknown=case.scale_unknown)

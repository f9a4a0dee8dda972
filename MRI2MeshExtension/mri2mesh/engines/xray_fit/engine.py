"""X-ray fit: a shape model's pose and shape, and so closed surfaces, from one or several radiographs.

Starts from landmarks, from an earlier result, or from a coarse search, in the hip region for all bones together; then a
coarse-to-fine least-squares fit of the bones' shadows (`mri2mesh.engines.xray_fit.fitting`); then what of the result is
certain, seen and plausible.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from mri2mesh import __version__
from mri2mesh.anatomy.shape_models.file import PREFIX, read_shape_model
from mri2mesh.anatomy.shape_models.local_modes import flexible
from mri2mesh.anatomy.shape_models.model import ShapeModel
from mri2mesh.anatomy.structures import STRUCTURES
from mri2mesh.device import choose_device
from mri2mesh.engines.ddx.bone_maps import bone_maps_in
from mri2mesh.engines.ddx.placing import PlacedBones, place_bones
from mri2mesh.engines.model_cache import Cache, ModelCache, no_cache
from mri2mesh.engines.stages import Progress, Stages, Watch
from mri2mesh.engines.xray_fit.checks import (
    COARSE_MM,
    MIN_AGREEMENT,
    MIN_COARSE_AGREEMENT,
    check_fit,
    diverged,
    seen_all_over,
    side,
)
from mri2mesh.engines.xray_fit.declaration import ANATOMIES
from mri2mesh.engines.xray_fit.fitting.beginning import TURNED_ABOUT, Beginning, beginning_of, settings_from
from mri2mesh.engines.xray_fit.fitting.case import DEPTH_OPTION, Case, Picked, prepare_case
from mri2mesh.engines.xray_fit.fitting.coarse_to_fine import Fit, FitSettings, fit, mean_beam
from mri2mesh.engines.xray_fit.fitting.family import SurfaceFamily
from mri2mesh.engines.xray_fit.fitting.held_depth import held_by
from mri2mesh.engines.xray_fit.fitting.parameters import Parameters, turn_of
from mri2mesh.engines.xray_fit.fitting.poses import seen_from_aside
from mri2mesh.engines.xray_fit.fitting.region import CENTRED_ON, REGION
from mri2mesh.engines.xray_fit.fitting.second_fit import fit_twice_if_doubtful
from mri2mesh.engines.xray_fit.fitting.side import (
    SIDE_LEVELS,
    SIDE_LEVELS_IN_PLACE,
    in_place,
    mirrored,
    one_sided,
)
from mri2mesh.engines.xray_fit.fitting.stored import to_plain
from mri2mesh.engines.xray_fit.fitting.support import support_in_views
from mri2mesh.engines.xray_fit.fitting.uncertainty import (
    IN_PLACE,
    IN_PLACE_ONE_SIDE,
    LONG_ONE_SIDE,
    MODEL_RESIDUAL_MM,
    UNKNOWN_RESIDUAL_MM,
    pose_check,
    uncertainty_of,
)
from mri2mesh.engines.xray_fit.placed import PlacedInViews
from mri2mesh.engines.xray_fit.second_opinion import differing
from mri2mesh.errors import InputError
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.repair import remove_self_intersections
from mri2mesh.geometry.transforms import apply
from mri2mesh.imaging.radiographs.assumptions import assumptions_of
from mri2mesh.imaging.radiographs.radiograph import Radiograph
from mri2mesh.measures.uncertainty import REACH_OF_A_PLACED_BONE_MM
from mri2mesh.reconstruction import Check, PixelMaps, ReconstructedStructure, Reconstruction
from mri2mesh.rendering.prepare import prepare
from mri2mesh.weights import find

STAGES = {"load the shape model": 0.05, "find a start": 0.1, "fit": 0.75, "check": 0.1}
STAGES_OF_ONE_SIDE = {"load the shape model": 0.05, "find a start": 0.1, "fit": 0.55, "check": 0.3}
"""Name to its share of the time on a processor; of a bone with another on the other side, that one is
fitted coarsely too, as a check, and sometimes this one again."""
UNCERTAINTY = (
    "standard deviation of a vertex's distance from its place on the bone, by the curvature of the fit at its end, by "
    "other poses that explain the images about as well and by what the shape model leaves of a new bone; point data "
    "show it along the beam, where it is largest, and across"
)
ONE_VIEW = (
    "one view: how far the bone is, and whether it tilts towards the detector or away, are hardly seen: landmarks or a "
    "second view show more"
)


def reconstruct(
    radiographs: Sequence[Radiograph],
    *,
    anatomy: str | None,
    landmarks: Sequence[Picked] | None = None,
    masks: Sequence[NDArray[np.bool_] | None] | None = None,
    hips_to_detector_mm: float | None = None,
    settings: FitSettings | None = None,
    device: str = "auto",
    progress: Progress | None = None,
    watch: Watch | None = None,
    start: Reconstruction | Mapping[str, Any] | None = None,
    cache: Cache = no_cache,
) -> Reconstruction:
    """The surfaces of one anatomy (of `ANATOMIES`) from its radiographs, in patient RAS.

    landmarks: per radiograph the picked landmarks of the shape model, none, few or all. masks: per radiograph the
    bone's whole silhouette [rows, columns], or None. hips_to_detector_mm: from the middle of the hip joints to the
    detector along the beam, of one front view of bones of the hip. settings: by default `settings_for` these
    radiographs. start: an earlier result of the same views, or its ``provenance["fit"]``, to go on from, as with new
    landmarks.
    progress and watch, which is called after each step: what they raise ends the fit and is passed on.
    A fit that diverges gives a result without structures and with a failed check.
    Raises InputError for an unknown anatomy, landmark or device, and for geometry or images that cannot be fitted.
    """
    has_other_side = anatomy in STRUCTURES and STRUCTURES[anatomy].side is not None
    stages = Stages(STAGES_OF_ONE_SIDE if has_other_side else STAGES, progress)
    if cache is no_cache:  # every view is looked at by the same network
        cache = ModelCache()
    with stages.stage("load the shape model"):
        chosen = choose_device(device)
        # the fit is in double precision, which Apple's GPUs do not have
        on = "cpu" if chosen.type == "mps" else chosen
        region = _region(anatomy, cache)
        known = start is not None or any(landmarks or ())
        places, placed = PlacedInViews(), list[PlacedBones | None]()
        if region is not None and not known and anatomy is not None:
            placed = [place_bones(one, hips_to_detector_mm, DEPTH_OPTION, cache=cache) for one in radiographs]
            places = PlacedInViews.of(placed, radiographs, anatomy)
        case = prepare_case(
            radiographs,
            _model(anatomy, cache),
            landmarks,
            masks,
            settings,
            on,
            region,
            places.vertices,
            places.shown,
            hips_to_detector_mm,
        )
        prepare(
            lambda message, done: stages.share(0.4 + 0.6 * done, message),
            device=case.family.mean.device,
            only=("ray thickness",),
        )

    def each(at: Parameters, fraction: float) -> None:
        stages.share(fraction)
        if watch is not None:
            watch(_surfaces(case, at), fraction, _to_views(at))

    structures: list[ReconstructedStructure] = []
    extra: dict[str, Any] = {}
    maps: PixelMaps | None = None
    opinions: list[str] = []
    try:
        with stages.stage("find a start"):
            beginning = beginning_of(case, start)
        with stages.stage("fit"):
            found = fit_twice_if_doubtful(
                beginning.views,
                case.family,
                beginning.starts,
                settings_from(case.settings, beginning),
                case.terms,
                each,
                expected=beginning.expected,
                beside=beginning.beside,
                held=held_by(beginning.depth, case.family),
            )
        with stages.stage("check"):
            if not (
                torch.isfinite(found.parameters.vertices(case.family)).all() and math.isfinite(found.cost)
            ):
                raise torch.linalg.LinAlgError("a number is not finite")
            structures = _structures(case, beginning, found)
            checks = _checks(case, beginning, found, structures, stages.share)
            if not all(one.scale_known for one in radiographs):
                checks = [_without_scale(check) for check in checks]
            extra = {"fit": to_plain(found.parameters), "views": _views(found)}
            maps = bone_maps_in(radiographs, case.model, landmarks or (), placed, cache)
            if maps is not None:
                opinions = differing(maps, case.model, _in_view(case, found.parameters, maps.image))
    except torch.linalg.LinAlgError:
        structures, checks = [], [diverged("give landmarks, or check the geometry of the images")]
    stages.done()
    return Reconstruction(
        engine="xray-fit",
        structures=structures,
        checks=checks,
        warnings=[*assumptions_of(radiographs), *([ONE_VIEW] if len(radiographs) == 1 else []), *opinions],
        provenance={
            "version": __version__,
            "weights": [
                find(name).provenance()
                for name in (
                    *(PREFIX + model.name for model in (case.model, case.region) if model),
                    *(["ddx"] if case.placed or maps is not None else []),
                )
            ],
            "device": str(case.family.mean.device),
            "uncertainty_method": UNCERTAINTY,
            "uncertainty_reach_mm": REACH_OF_A_PLACED_BONE_MM,
            "settings": {
                "anatomy": case.model.name,
                "landmarks": sum(len(term.groups) for term in case.landmarks),
                **({} if hips_to_detector_mm is None else {"hips_to_detector_mm": hips_to_detector_mm}),
            },
            **extra,
        },
        timings_s=stages.seconds,
        maps=maps,
    )


def _model(anatomy: str | None, cache: Cache) -> ShapeModel:
    if anatomy not in ANATOMIES:
        asked = (
            "a radiograph does not say which bone is wanted"
            if anatomy is None
            else f"no shape model of {anatomy}"
        )
        raise InputError(f"{asked}: give --anatomy {'|'.join(ANATOMIES)}")
    return cache(_flexible, anatomy)


def _region(anatomy: str | None, cache: Cache) -> ShapeModel | None:
    return cache(read_shape_model, REGION) if anatomy in CENTRED_ON else None


def _flexible(anatomy: str) -> ShapeModel:
    return flexible(read_shape_model(anatomy))


def _in_view(case: Case, at: Parameters, view: int) -> NDArray[np.float64]:
    """[V, 3] RAS mm: the model's vertices as a view's given geometry sees them."""
    return apply(_to_views(at)[view], at.by_first_view(case.family)[0].cpu().numpy())


def _surfaces(case: Case, at: Parameters) -> dict[str, Mesh]:
    vertices = at.by_first_view(case.family)[0].cpu().numpy()
    return {name: case.model.surface(vertices, name) for name in case.model.part_names}


def _structures(case: Case, beginning: Beginning, found: Fit) -> list[ReconstructedStructure]:
    residual = MODEL_RESIDUAL_MM.get(case.model.name, UNKNOWN_RESIDUAL_MM)
    calibration = None
    if beginning.place_known:
        one_side = LONG_ONE_SIDE if case.anatomy in TURNED_ABOUT else IN_PLACE_ONE_SIDE
        calibration = IN_PLACE if seen_from_aside(case.views) else one_side
    cameras = [seen.camera for seen in case.views]
    spread = uncertainty_of(found, case.family, cameras, residual, calibration, case.enlarged)
    result = []
    for name, mesh in _surfaces(case, found.parameters).items():
        own = case.model.part_vertices(name)
        mesh = remove_self_intersections(mesh).with_point_data(
            uncertainty_along_beam_mm=spread.along_beam[own],
            uncertainty_across_mm=spread.across[own],
        )
        support = support_in_views(mesh.vertices, case.views)
        result.append(ReconstructedStructure(STRUCTURES[name], mesh, spread.total[own], support))
    return result


def _checks(
    case: Case,
    beginning: Beginning,
    found: Fit,
    structures: Sequence[ReconstructedStructure],
    report_progress: Callable[[float], None],
) -> list[Check]:
    at, expected = found.parameters, beginning.expected
    turn = math.degrees(float(turn_of(at.rotation @ expected.rotation.mT).norm()))
    beam = mean_beam(case.views).to(at.position)
    depth, depth_sd = abs(float((at.position - expected.position)[0] @ beam)), case.settings.prior.depth_mm
    if beginning.depth is not None:
        depth = abs(float(held_by(beginning.depth, case.family)[0].off_mm(at)[0]))
        depth_sd = beginning.depth.sd_mm
    missed = [float(term.distance_mm(at)[0].square().mean().sqrt()) for term in case.landmarks]
    b = at.coefficients[0].cpu().numpy()
    outlines = [float(term.distance_mm(at)[0]) for term in case.outlines]
    pixel_mm = max(max(seen.camera.pixel_spacing_mm) for seen in case.views)
    least = MIN_AGREEMENT if pixel_mm <= COARSE_MM else MIN_COARSE_AGREEMENT
    checks = check_fit(
        structures,
        found.agreement,
        b,
        turn,
        depth,
        missed,
        outlines,
        least,
        depth_sd_mm=depth_sd,
    )
    checks.append(pose_check(found, case.family))
    if beginning.place_known:  # there gradients are compared, and what is beside the bone is known
        checks += [seen_all_over(number, share) for number, share in enumerate(found.not_seen, 1)]
    if one_sided(case.model):
        checks.append(_side(case, beginning, found, report_progress))
    return checks


def _without_scale(check: Check) -> Check:
    """A check that says of its millimetres that they are assumed."""
    return replace(check, detail=f"{check.detail} (scale unknown)") if " mm" in check.detail else check


def _side(case: Case, beginning: Beginning, found: Fit, report_progress: Callable[[float], None]) -> Check:
    """The other side's bone is fitted, coarsely, as this one was: where its place among the others is known, there, for
    the film may show the other side's own bone elsewhere.

    report_progress: called with the fraction done.
    """
    model = mirrored(case.model)
    other = replace(case, model=model, family=SurfaceFamily(model, case.family.mean.device), region=None)
    quick = replace(case.settings, levels=SIDE_LEVELS_IN_PLACE if beginning.place_known else SIDE_LEVELS)

    def agreement(one: Case, start: Parameters, share: float) -> float:
        def each(at: Parameters, fraction: float) -> None:
            report_progress(share + 0.5 * fraction)

        ended = fit(
            beginning.views,
            one.family,
            start,
            quick,
            one.terms,
            each,
            beginning.expected,
            beginning.beside,
            held_by(beginning.depth, one.family),
        )
        return float(np.mean(ended.agreement))

    this = float(np.mean(found.agreement))
    if beginning.place_known:
        start = in_place(other.family, found.parameters, case.family)
    else:
        start = beginning_of(other, None).starts
    there = agreement(other, start, 0.0)
    if not side(this, there).passed:
        # Both coarsely then: that may explain more than the fit itself, and is what the other side was given.
        this = max(this, agreement(case, found.parameters, 0.5))
    return side(this, there)


def _views(found: Fit) -> list[dict[str, Any]]:
    """Per view its agreement, and the 4x4 that moves the surfaces to where they must stand to be seen as they are."""
    moves = _to_views(found.parameters)
    return [
        {"agreement": agreement, "surface_to_view": move.tolist()}
        for agreement, move in zip(found.agreement, moves, strict=True)
    ]


def _to_views(at: Parameters) -> list[NDArray[np.float64]]:
    """Per view the [4, 4] that moves the surface `Parameters.by_first_view` to where it is seen as it is."""
    position, turns = at.position[0].cpu().numpy(), at.view_turn[0].cpu().numpy()
    moves = []
    for turn, shift in zip(turns @ turns[0].T, at.view_shift[0].cpu().numpy(), strict=True):
        move = np.eye(4)
        move[:3, :3] = turn
        move[:3, 3] = position + shift - turn @ position
        moves.append(move)
    return moves

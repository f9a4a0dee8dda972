"""3DReVert: lumbar vertebrae from one radiograph, or from two.

A network says for every pixel of the film which vertebra it shows; in the crop around each vertebra another says where
its key points are, how deep its front and back lie and where on the bone that is. The camera makes points of it, and
the level's shape model completes the surface.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from itertools import pairwise
from pathlib import Path

from mri2mesh import __version__
from mri2mesh.anatomy.lumbar_region import VERTEBRAE
from mri2mesh.anatomy.shape_models.model import ShapeModel
from mri2mesh.device import choose_device
from mri2mesh.engines.dense_maps.checks import fit_checks, outline_agreement, surface_checks, without_scale
from mri2mesh.engines.dense_maps.completion.complete import turn_deg
from mri2mesh.engines.dense_maps.film import scaled
from mri2mesh.engines.dense_maps.maps import SURE
from mri2mesh.engines.dense_maps.network import GRID
from mri2mesh.engines.dense_maps.reference import reference_of
from mri2mesh.engines.dense_maps.surfaces import UNCERTAINTY, shadows, structure_of
from mri2mesh.engines.model_cache import Cache, no_cache
from mri2mesh.engines.revert.checks import (
    LEAST_SEEN,
    MOST_APART_MM,
    MOST_TURN_DEG,
    chain_check,
    click_check,
    overlap_limit,
    shadow_check,
)
from mri2mesh.engines.revert.depth import Found, at_one_depth, by_second_view
from mri2mesh.engines.revert.networks.stored import TrainedNetworks, load_networks
from mri2mesh.engines.revert.picking import Pick, parse_level, picks_of
from mri2mesh.engines.revert.refining import Refinement, agreement_in, refine_all
from mri2mesh.engines.revert.seeing import SpineFilm, presence_at_clicks, see, vertebrae_seen
from mri2mesh.engines.revert.targets import LEVELS, targets
from mri2mesh.engines.revert.vertebra import SeenVertebra, completed
from mri2mesh.engines.stages import Progress, Stages
from mri2mesh.engines.xray_fit.refining import observation_of
from mri2mesh.errors import InputError, ReconstructionRefused
from mri2mesh.imaging.radiographs.assumptions import assumptions_of
from mri2mesh.imaging.radiographs.radiograph import Radiograph
from mri2mesh.quality.overlap import neighbours_apart
from mri2mesh.reconstruction import (
    Check,
    LevelCount,
    PixelMaps,
    ReconstructedStructure,
    Reconstruction,
    given_statement,
    level_check,
)
from mri2mesh.weights import find

STAGES = {"load the networks": 0.2, "find the vertebrae": 0.2, "complete the vertebrae": 0.4, "check": 0.2}
MOST_VIEWS = 2
REFINED_ALONG_MM = 2.0
"""How far the X-ray fit to one view may move a vertebra along the beam against the others: it hardly shows."""


def reconstruct(
    radiographs: Sequence[Radiograph],
    *,
    level: str | None = None,
    vertebrae: Sequence[str] = (),
    landmarks: Sequence[Mapping[str, tuple[float, float]]] = (),
    spine_to_detector_mm: float | None = None,
    refine: bool = False,
    weights_dir: Path | None = None,
    device: str = "auto",
    progress: Progress | None = None,
    cache: Cache = no_cache,
) -> Reconstruction:
    """Closed surfaces of lumbar vertebrae in patient RAS, as far as one film shows them, or two.

    radiographs: one from any side, and perhaps a second from another side, which shows the depth. level: one vertebra
    that is known, as ``"L3@column,row"`` (`picking`): the others are counted from it. vertebrae: names of those that
    are wanted; all of L1 to L5 that are seen by default.
    landmarks: per image the pixels that were clicked, by level: those vertebrae alone are reconstructed.
    spine_to_detector_mm: from the middle of the spine to the detector along the beam, in the first film. refine: by the
    X-ray fit to the same films, each vertebra among its neighbours.

    Raises InputError for more films, wrong names, places without a vertebra, missing weights, and for what needs
    millimetres where there are none, ReconstructionRefused for a film without a lumbar vertebra or without one that was
    asked for.
    """
    stages = Stages(STAGES, progress)
    if not 1 <= len(radiographs) <= MOST_VIEWS:
        raise InputError(
            "the engine revert takes one radiograph of the lumbar spine, or two from different sides"
        )
    if (refine or len(radiographs) > 1) and not all(one.scale_known for one in radiographs):
        raise InputError(
            "a second view and --refine need radiographs whose scale is known: give their geometry with --camera, or "
            "calibrate with a marker of known size"
        )
    radiograph = radiographs[0]
    picks = _picks(radiograph, level, landmarks[:1])
    wanted = _wanted(vertebrae, picks if level is None else [])
    with stages.stage("load the networks"):
        reference = reference_of(radiograph.geometry, spine_to_detector_mm, "--spine-to-detector")
        chosen = choose_device(device)
        trained: TrainedNetworks = cache(load_networks, weights_dir, str(chosen))
        models: dict[str, ShapeModel] = cache(targets)
    with stages.stage("find the vertebrae"):
        seen = see(radiograph, trained, models, reference, picks)
        names = _names(seen, wanted)
        looked = vertebrae_seen(seen, trained, names)
    with stages.stage("complete the vertebrae"):
        found, left_out = complete_all(looked, trained, models)
        notes: list[Refinement] = []
        if len(radiographs) > 1:
            other = _in_second_view(radiographs[1], list(found), trained, models, landmarks[1:])
            found, sure = by_second_view(found, other)
            seen = replace(seen, reference=replace(seen.reference, sd_mm=sure))
            found = {name: (one, replace(end, shift_sd_mm=sure)) for name, (one, end) in found.items()}
        if refine:
            along = seen.reference.sd_mm if len(radiographs) > 1 else REFINED_ALONG_MM
            views = [observation_of(one) for one in radiographs]
            found, notes = refine_all(views, found, models, along, stages.share)
        structures = _structures(found, models, seen)
    with stages.stage("check"):
        count = _count(seen, picks, level)
        checks = _checks(found, structures, models, seen, count, all_wanted=not wanted)
        checks += _shadows(radiograph, found, models, seen)
    stages.done()
    return Reconstruction(
        engine="revert",
        structures=structures,
        checks=checks if radiograph.scale_known else without_scale(checks),
        warnings=[
            *assumptions_of(radiographs),
            *_warnings(seen, left_out, len(radiographs)),
            *(note.sentence for note in notes),
        ],
        provenance={
            "version": __version__,
            "weights": [
                trained.entry.provenance(),
                *(find(f"shape_{name}").provenance() for name in found),
            ],
            "device": str(chosen),
            "uncertainty_method": UNCERTAINTY,
            "settings": {
                "level": level,
                "vertebrae": list(vertebrae),
                "landmarks": {pick.name: list(pick.pixel) for pick in picks} if landmarks else None,
                "spine_to_detector_mm": spine_to_detector_mm,
                "refine": refine,
            },
            "refinement": [asdict(note) for note in notes],
        },
        timings_s=stages.seconds,
        levels=count,
        maps=_pixel_maps(seen, structures),
    )


def _picks(
    radiograph: Radiograph, level: str | None, landmarks: Sequence[Mapping[str, tuple[float, float]]]
) -> list[Pick]:
    if level is not None and landmarks:
        raise InputError("--level and --landmarks both say where a vertebra is: give one of them")
    if level is not None:
        return [parse_level(level, radiograph)]
    return picks_of(landmarks, radiograph)


def _wanted(vertebrae: Sequence[str], picks: Sequence[Pick]) -> list[str]:
    """Names that were asked for, from head to foot; none for all."""
    given = [name.strip().upper() for name in vertebrae]
    if unknown := [name for name in (*given, *(pick.name for pick in picks)) if name not in LEVELS]:
        raise InputError(f"the engine revert makes {LEVELS[0]} to {LEVELS[-1]}, not {unknown[0][:20]!r}")
    if picks:
        given = [pick.name for pick in picks if not given or pick.name in given]
    return sorted(set(given), key=LEVELS.index)


def _names(seen: SpineFilm, wanted: Sequence[str]) -> list[str]:
    """Of what is reconstructed, from head to foot. Raises ReconstructionRefused where that is nothing, or less than was
    asked for."""
    there = [name for name in LEVELS if name in seen.spine.centres or name in seen.clicks]
    if not there:
        raise ReconstructionRefused(
            "no lumbar vertebra is seen in this radiograph: give a view of the lumbar spine, head up, or point at a "
            "vertebra with --level"
        )
    if missing := [name for name in wanted if name not in there]:
        raise ReconstructionRefused(
            f"{', '.join(missing)} is not seen in this radiograph, which shows {', '.join(there)}: ask for one of "
            "those, or name a vertebra with --level if the levels are counted wrongly"
        )
    return list(wanted) or there


def complete_all(
    looked: Mapping[str, SeenVertebra],
    trained: TrainedNetworks,
    models: Mapping[str, ShapeModel],
) -> tuple[Found, list[str]]:
    """What the film shows enough of, and the names of what it does not."""
    found: Found = {}
    for name, one in looked.items():
        completion = completed(one, models[name], trained.places[name], one.crop.sd_mm)
        if completion is not None:
            found[name] = (one, completion)
    if found:
        found = at_one_depth(found)
    else:
        raise ReconstructionRefused(
            f"too little of {', '.join(looked)} is seen at the place: click on the middle of the body, or give a film "
            "that shows it"
        )
    return found, [name for name in looked if name not in found]


def _in_second_view(
    radiograph: Radiograph,
    names: Sequence[str],
    trained: TrainedNetworks,
    models: dict[str, ShapeModel],
    landmarks: Sequence[Mapping[str, tuple[float, float]]],
) -> Found:
    """The same vertebrae as a second film shows them: those that were picked there, or those that are seen."""
    picks = picks_of(landmarks, radiograph)
    reference = reference_of(radiograph.geometry, None, "--spine-to-detector")
    seen = see(radiograph, trained, models, reference, picks)
    there = seen.clicks if picks else seen.spine.centres
    looked = vertebrae_seen(seen, trained, [name for name in names if name in there])
    if not looked:
        raise InputError(
            f"{', '.join(names)} is not seen in the second view: pick it there with --landmarks, one file for each view"
        )
    return complete_all(looked, trained, models)[0]


def _structures(
    found: Found, models: Mapping[str, ShapeModel], seen: SpineFilm
) -> list[ReconstructedStructure]:
    """In the radiograph's own world."""
    result = []
    for name, (_, one) in found.items():
        support = one.measured & seen.film.holds(one.vertices)
        surface = models[name].surface(one.vertices / seen.scale)
        spread, shift = one.uncertainty_mm / seen.scale, one.shift_sd_mm / seen.scale
        result.append(structure_of(name, surface, spread, shift, support))
    return result


def _count(seen: SpineFilm, picks: Sequence[Pick], level: str | None) -> LevelCount:
    """Vertebrae that were all picked by name are not a guess."""
    if picks and level is None:
        return LevelCount("given", given_statement(picks[0].name), max(pick.name for pick in picks))
    return seen.spine.count


def _checks(
    found: Found,
    structures: Sequence[ReconstructedStructure],
    models: Mapping[str, ShapeModel],
    seen: SpineFilm,
    count: LevelCount,
    all_wanted: bool,
) -> list[Check]:
    """all_wanted: whether every vertebra in view was to be made, so that one that is missing between two is a fault."""
    checks = [level_check(count)]
    checks += [click_check(name, at) for name, at in presence_at_clicks(seen).items() if name in found]
    for item in structures:
        one, completion = found[item.name]
        model = models[item.name]
        own = completion.coefficients[: len(completion.coefficients) - model.local]
        checks += surface_checks(item, LEAST_SEEN)
        checks += fit_checks(
            item.name, completion.apart_mm, turn_deg(completion.matrix), own, one.maps.certainty,
            most_apart_mm=MOST_APART_MM, most_turn_deg=MOST_TURN_DEG,
        )  # fmt: skip
        shadow = shadows(model, completion.vertices, one.maps.camera)[0]
        checks.append(outline_agreement(item.name, one.maps.presence[0] > SURE, shadow))
    meshes = {item.name: item.mesh for item in structures}
    order = sorted(meshes, key=VERTEBRAE.index)
    checks += [
        neighbours_apart(
            upper, lower, meshes, overlap_limit(found[upper][1], found[lower][1], 1 / seen.scale)
        )
        for upper, lower in pairwise(order)
        if VERTEBRAE.index(lower) == VERTEBRAE.index(upper) + 1
    ]
    chain = chain_check({name: one.matrix[:3, 3] for name, (_, one) in found.items()})
    return [*checks, chain] if chain is not None and all_wanted else checks


def _shadows(
    radiograph: Radiograph, found: Found, models: dict[str, ShapeModel], seen: SpineFilm
) -> list[Check]:
    """Whether the film itself shows each vertebra; nothing is said where its pixels are too coarse."""
    view = observation_of(radiograph)
    image = -view.image if seen.inverted else view.image
    view = replace(view, image=image, camera=scaled(view.camera, seen.scale))
    agreements = {name: agreement_in(view, name, found, models) for name in found}
    return [shadow_check(name, value) for name, value in agreements.items() if value is not None]


def _warnings(seen: SpineFilm, left_out: Sequence[str], views: int) -> list[str]:
    found = []
    if views == 1:
        found = [
            f"one film does not show how deep the spine lies: all of it together may be shifted along the beam, by "
            f"{seen.reference.sd_mm / seen.scale:.0f} mm (standard deviation); the distance from the spine to the "
            "detector, or a second view, says more"
        ]
    if seen.inverted:
        found.append(
            "bone is taken to be shown the other way round than the file says: the network sees it so"
        )
    return found + [f"{name} is left out: the film hardly shows it" for name in left_out]


def _pixel_maps(seen: SpineFilm, structures: Sequence[ReconstructedStructure]) -> PixelMaps | None:
    """Of every structure what the network of levels saw, in the radiograph's own millimetres; None where it saw none of
    what was picked."""
    names = tuple(item.name for item in structures if item.name in seen.spine.channels)
    if not names:
        return None
    rows = [seen.spine.channels[name] for name in names]
    maps = seen.spine.maps
    return PixelMaps(
        names,
        seen.film.film[::GRID, ::GRID],
        maps.presence[rows],
        maps.depth_mm[rows] / seen.scale,
        scaled(maps.camera, 1 / seen.scale),
    )

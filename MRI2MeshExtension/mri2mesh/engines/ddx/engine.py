"""3DDX: pelvis and femora from one front view (Gu et al., MICCAI 2024).

A network says for every pixel which bones it shows, how deep their front and back lie, and where on the bones that is;
the camera makes points of it, and shape models complete the surfaces.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mri2mesh import __version__
from mri2mesh.anatomy.hip_region import BONES
from mri2mesh.anatomy.structures import STRUCTURES
from mri2mesh.device import choose_device
from mri2mesh.engines.ddx.networks.stored import TrainedNetwork, load_network
from mri2mesh.engines.ddx.region import complete_region
from mri2mesh.engines.ddx.seeing import Seen, see
from mri2mesh.engines.ddx.targets import MODELS, Target, targets
from mri2mesh.engines.dense_maps.checks import fit_checks, outline_agreement, surface_checks, without_scale
from mri2mesh.engines.dense_maps.completion.complete import (
    Completion,
    Noise,
    turn_deg,
)
from mri2mesh.engines.dense_maps.film import scaled
from mri2mesh.engines.dense_maps.inputs import Reference
from mri2mesh.engines.dense_maps.maps import SURE, BoneMaps
from mri2mesh.engines.dense_maps.network import GRID
from mri2mesh.engines.dense_maps.reference import reference_of
from mri2mesh.engines.dense_maps.surfaces import UNCERTAINTY, shadows, structure_of
from mri2mesh.engines.model_cache import Cache, no_cache
from mri2mesh.engines.stages import Progress, Stages
from mri2mesh.errors import InputError, ReconstructionRefused
from mri2mesh.imaging.radiographs.assumptions import assumptions_of
from mri2mesh.imaging.radiographs.radiograph import Radiograph
from mri2mesh.measures.uncertainty import REACH_OF_A_PLACED_BONE_MM
from mri2mesh.reconstruction import Check, PixelMaps, ReconstructedStructure, Reconstruction
from mri2mesh.weights import find

STAGES = {"load the network": 0.3, "look at the film": 0.1, "complete the bones": 0.4, "check": 0.2}
SAMPLES = {
    "pelvis": Noise(along=10.0, across=7.0, independent=30, independent_outline=40, understated=1.3),
    "femur_left": Noise(along=10.0, across=7.0, independent=2, independent_outline=6),
    "femur_right": Noise(along=10.0, across=7.0, independent=2, independent_outline=6),
}
"""How far the network's samples are off, mm, and how many of them err independently, on films of subjects that it
learned from: so many as bring surfaces nearest to the truth. Stated uncertainties are about as large as errors are on
left-out subjects. It errs most in how bones are turned, all pixels alike, and femora most of all."""
LEAST_MEASURED = 0.05
"""A bone of which the film shows less is left out."""
LEAST_SEEN = {"hip": 0.5, "whole_sacrum": 0.4, "femur": 0.15}
"""Least share of a bone's surface that the film must show, by its kind: of a femur a film of the hip shows a third."""
Completed = list[tuple[Target, Completion]]


def reconstruct(
    radiographs: Sequence[Radiograph],
    *,
    hips_to_detector_mm: float | None = None,
    weights_dir: Path | None = None,
    device: str = "auto",
    progress: Progress | None = None,
    cache: Cache = no_cache,
) -> Reconstruction:
    """Closed surfaces of hips, sacrum and femora in patient RAS, as far as one film shows them.

    radiographs: one, from the front. hips_to_detector_mm: from the middle of the hip joints to the detector.
    Raises InputError for views from elsewhere, several films and missing weights, ReconstructionRefused for a film
    without a pelvis.
    """
    stages = Stages(STAGES, progress)
    if len(radiographs) != 1:
        raise InputError("the engine ddx takes one radiograph: give the front view alone")
    radiograph = radiographs[0]
    with stages.stage("load the network"):
        reference = reference_of(radiograph.geometry, hips_to_detector_mm, "--hips-to-detector")
        chosen = choose_device(device)
        trained: TrainedNetwork = cache(load_network, weights_dir, str(chosen))
        bones: tuple[Target, ...] = cache(targets)
    with stages.stage("look at the film"):
        seen = see(radiograph, trained, reference, bones[0])
    with stages.stage("complete the bones"):
        expected = Reference(reference.depth_mm * seen.scale, reference.sd_mm)
        found, left_out = _completed(seen.maps, bones, trained, expected)
        structures = _structures(found, seen)
        left_out += [
            name for item in structures if (name := item.name) and item.support.mean() < LEAST_MEASURED
        ]
        structures = [item for item in structures if item.support.mean() >= LEAST_MEASURED]
    with stages.stage("check"):
        checks = _checks(found, structures, seen)
    stages.done()
    return Reconstruction(
        engine="ddx",
        structures=structures,
        checks=checks if radiograph.scale_known else without_scale(checks),
        warnings=[
            *assumptions_of(radiographs),
            *_warnings(seen, reference.sd_mm, hips_to_detector_mm is None, left_out),
        ],
        provenance={
            "version": __version__,
            "weights": [trained.entry.provenance(), *(find(f"shape_{name}").provenance() for name in MODELS)],
            "device": str(chosen),
            "uncertainty_method": UNCERTAINTY,
            "uncertainty_reach_mm": REACH_OF_A_PLACED_BONE_MM,
            "settings": {
                "hips_to_detector_mm": hips_to_detector_mm,
                "film_pixels": list(seen.film.film.shape),
            },
        },
        timings_s=stages.seconds,
        maps=pixel_maps(seen, [item.name for item in structures]),
    )


def _completed(
    maps: BoneMaps, bones: Sequence[Target], trained: TrainedNetwork, reference: Reference
) -> tuple[Completed, list[str]]:
    """What the film shows enough of, and the names of femora that it does not."""
    found = list(zip(bones, complete_region(maps, bones, trained.places, SAMPLES, reference), strict=True))
    if found[0][1] is None:
        raise ReconstructionRefused(
            "no pelvis is seen in this radiograph: give a front view of the pelvis or of a hip, head up"
        )
    return [(target, one) for target, one in found if one is not None], [
        target.name for target, one in found if one is None
    ]


def _structures(found: Completed, seen: Seen) -> list[ReconstructedStructure]:
    """In the radiograph's own world."""
    result = []
    for target, one in found:
        shift, own = one.shift_sd_mm, one.uncertainty_mm
        for name in target.model.part_names:
            rows = target.model.part_vertices(name)
            vertices, spread = one.vertices[rows] / seen.scale, own[rows] / seen.scale
            support = one.measured[rows] & seen.film.holds(vertices * seen.scale)
            surface = target.model.surface(one.vertices / seen.scale, name)
            result.append(structure_of(name, surface, spread, shift, support))
    return sorted(result, key=lambda item: BONES.index(item.name))


def _checks(found: Completed, structures: Sequence[ReconstructedStructure], seen: Seen) -> list[Check]:
    checks = []
    for target, one in found:
        if not any(item.name in target.model.part_names for item in structures):
            continue
        turn = turn_deg(one.matrix)
        sure = seen.maps.certainty_of(*target.bones)
        own = one.coefficients[: len(one.coefficients) - target.model.local]
        checks += fit_checks(target.name, one.apart_mm, turn, own, sure)
    shadows = _shadows(found, seen.maps)
    for item in structures:
        number = BONES.index(item.name)
        checks += surface_checks(item, LEAST_SEEN[item.structure.kind])
        checks.append(outline_agreement(item.name, seen.maps.presence[number] > SURE, shadows[number]))
    return checks


def _shadows(found: Completed, maps: BoneMaps) -> NDArray[np.bool_]:
    """[5, H, W] where the finished surfaces are in the film."""
    result = np.zeros(maps.presence.shape, bool)
    for target, one in found:
        result[list(target.bones)] = shadows(target.model, one.vertices, maps.camera)
    return result


def _warnings(seen: Seen, shift_sd_mm: float, assumed: bool, left_out: Sequence[str]) -> list[str]:
    more = "; the distance from the hips to the detector says more" if assumed else ""
    found = [
        f"one film does not show how deep the bones lie: all of them together may be shifted along the beam, by "
        f"{shift_sd_mm:.0f} mm (standard deviation){more}"
    ]
    if seen.inverted:
        found.append(
            "bone is taken to be shown the other way round than the file says: the network sees it so"
        )
    found += [f"{STRUCTURES[name].in_words} is left out: the film hardly shows it" for name in left_out]
    return found


def pixel_maps(seen: Seen, names: Sequence[str]) -> PixelMaps:
    """Of bones of `BONES` what the network saw, in the radiograph's own millimetres."""
    rows = [BONES.index(name) for name in names]
    return PixelMaps(
        tuple(names),
        seen.film.film[::GRID, ::GRID],
        seen.maps.presence[rows],
        seen.maps.depth_mm[rows] / np.float32(seen.scale),
        scaled(seen.maps.camera, 1 / seen.scale),
        shown=seen.maps.shown,
    )

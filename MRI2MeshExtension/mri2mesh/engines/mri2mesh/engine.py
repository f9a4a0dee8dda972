"""MRI2Mesh: one lumbar MR volume to the closed surfaces of its vertebrae and discs.

Localiser, chain, frames; then templates deformed crop by crop and moved onto edges; then repairs, support and checks.
"""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mri2mesh import __version__
from mri2mesh.anatomy.structures import STRUCTURES
from mri2mesh.engines.model_cache import Cache, no_cache
from mri2mesh.engines.mri2mesh.deformation.models import Models, load_models
from mri2mesh.engines.mri2mesh.deformation.surfaces import find_surfaces
from mri2mesh.engines.mri2mesh.localisation.levels import name_levels, refuse_both
from mri2mesh.engines.mri2mesh.localisation.named_level import NamedLevel, parse_level
from mri2mesh.engines.mri2mesh.localisation.spine import find_spine
from mri2mesh.engines.mri2mesh.quality.checks import check_reconstruction
from mri2mesh.engines.mri2mesh.quality.facing import facing_checks
from mri2mesh.engines.mri2mesh.quality.support import seen_enough, support_of
from mri2mesh.engines.mri2mesh.quality.uncertainty import uncertainty_of
from mri2mesh.engines.stages import Progress, Stages
from mri2mesh.errors import ReconstructionRefused
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.volume import Volume
from mri2mesh.quality.neighbours import separate
from mri2mesh.reconstruction import ReconstructedStructure, Reconstruction, level_check

UNCERTAINTY = (
    "standard deviation: the spread of four passes (slices resampled a fraction of a slice apart, crops moved by 1.5 mm"
    " and turned by 2.5 degrees), and how gradually the tissue's probability falls across the surface"
)
STAGES = {
    "load weights": 0.01,
    "find the spine": 0.045,
    "deform the templates": 0.615,
    "separate neighbours": 0.21,
    "check": 0.12,
}
"""Name to its share of the time on a processor."""
STEPS_PER_SURFACE = 6
"""Number of steps that `separate` takes for each surface, as a rule."""


def reconstruct(
    volume: Volume,
    *,
    device: str = "auto",
    level: str | None = None,
    level_shift: int = 0,
    weights_dir: Path | None = None,
    progress: Progress | None = None,
    cache: Cache = no_cache,
) -> Reconstruction:
    """Surfaces of all lumbar vertebrae and discs in a volume, with T12, T11 and S1 where they are seen.

    level: one vertebra that is known, as ``"L3@17.0,-40.9,-460.2"`` (`localisation.named_level`). level_shift:
    corrects the count by so many levels (`localisation.levels`).
    Raises ReconstructionRefused when no lumbar spine is found, InputError for missing weights or devices, or a level
    that cannot be.
    """
    named = None if level is None else parse_level(level)
    refuse_both(named, level_shift)
    stages = Stages(STAGES, progress)
    with stages.stage("load weights"):
        models = cache(load_models, device, weights_dir)
    return reconstruct_with(volume, models, level=named, level_shift=level_shift, stages=stages)


def reconstruct_with(
    volume: Volume,
    models: Models,
    *,
    level: NamedLevel | None = None,
    level_shift: int = 0,
    stages: Stages | None = None,
) -> Reconstruction:
    """`reconstruct` with networks that are loaded already, for many volumes in a row."""
    stages = stages or Stages(STAGES)
    with stages.stage("find the spine"):
        spine = find_spine(volume, models.localiser, models.device)
        named = name_levels(spine, volume, level, level_shift)
    with stages.stage("deform the templates"):
        surfaces, overlaps = find_surfaces(volume, spine, named, models, stages.share)

    def support(name: str, mesh: Mesh) -> NDArray[np.float32]:
        return support_of(mesh.vertices, STRUCTURES[name].kind, volume, spine.evidence)

    with stages.stage("separate neighbours"):
        # What is left out must not push its neighbours aside first.
        surfaces = {name: found for name, found in surfaces.items() if seen_enough(support(name, found[0]))}
        steps = itertools.count(1)
        meshes = separate(
            {name: mesh for name, (mesh, _) in surfaces.items()},
            lambda: stages.share(next(steps) / (STEPS_PER_SURFACE * len(surfaces))),
            left_as_found=[overlap.left_as_found for overlap in overlaps if overlap.deep],
        )
    with stages.stage("check"):
        structures = [
            ReconstructedStructure(
                STRUCTURES[name],
                mesh,
                uncertainty_of(mesh, STRUCTURES[name].kind, surfaces[name][1], spine.evidence),
                support(name, mesh),
            )
            for name, mesh in meshes.items()
        ]
        if not structures:
            raise ReconstructionRefused("vertebrae were found, but too little of any of them is in the image")
        checks = [
            level_check(named.count),
            *facing_checks(volume, spine.evidence, models.localiser, models.device),
            *check_reconstruction(structures, volume, spine.evidence),
            *(overlap.check() for overlap in overlaps),
        ]
    stages.done()
    return Reconstruction(
        engine="mri2mesh",
        structures=structures,
        checks=checks,
        warnings=[*named.warnings, *(each.message for each in overlaps if each.message)],
        provenance={
            "version": __version__,
            "weights": [entry.provenance() for entry in models.weights],
            "device": str(models.device),
            "uncertainty_method": UNCERTAINTY,
            "settings": {"level_shift": level_shift} if level is None else {"level": str(level)},
        },
        timings_s=stages.seconds,
        levels=named.count,
    )

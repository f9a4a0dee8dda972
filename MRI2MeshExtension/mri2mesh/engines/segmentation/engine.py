"""Closed surfaces in correspondence from anyone's label map, whole or drawn on some slices.

Labels are taken for bones; shape models are placed on them and bent to them; neighbours are kept apart; checks.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed

import numpy as np

from mri2mesh import __version__
from mri2mesh.anatomy.structures import STRUCTURES
from mri2mesh.engines.model_cache import Cache, no_cache
from mri2mesh.engines.segmentation.bones import Fitted, Labelled, fit_bone
from mri2mesh.engines.segmentation.checks import check_surfaces
from mri2mesh.engines.segmentation.drawn import Drawn, where_drawn
from mri2mesh.engines.segmentation.fitting.starts import spine_directions
from mri2mesh.engines.segmentation.label_map import LabelMap
from mri2mesh.engines.segmentation.mending import mended
from mri2mesh.engines.segmentation.numbering.choosing import Taken
from mri2mesh.engines.segmentation.numbering.presets import NOTHING
from mri2mesh.engines.segmentation.numbering.sizes import size_doubt
from mri2mesh.engines.segmentation.onto_image import refuse_elsewhere
from mri2mesh.engines.segmentation.parts import bodies_alone, patches_of
from mri2mesh.engines.segmentation.patch import Patch
from mri2mesh.engines.segmentation.separate import take_apart
from mri2mesh.engines.stages import Progress, Stages
from mri2mesh.errors import ReconstructionRefused
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.quality.neighbours import separate, touching_pairs
from mri2mesh.quality.overlap import neighbours_apart
from mri2mesh.reconstruction import ReconstructedStructure, Reconstruction

STAGES = {"read the labels": 0.05, "fit the bones": 0.7, "separate neighbours": 0.15, "check": 0.1}
"""Name to its share of the time on a processor."""
SEPARATIONS = 3
AT_ONCE = 2
"""Bones that are fitted at the same time, where there are processors for it."""
MOST_LISTED = 8
UNCERTAINTY = (
    "standard deviation: 0.3 of the voxel size where a label shows the surface; elsewhere what the shape model leaves"
    " open once it is fitted to the labels"
)


def reconstruct(
    label_map: LabelMap,
    *,
    device: str = "auto",
    numbering: str | None = None,
    segments: Sequence[str] = (),
    drawn_parts: str = "auto",
    whole: bool = False,
    progress: Progress | None = None,
    cache: Cache = no_cache,
) -> Reconstruction:
    """The bones of a label map.

    device: of no use here, everything is computed on the processor. numbering: of `numbering.presets.NUMBERINGS`.
    segments: as ``"20=L1"``, what single labels are. drawn_parts: of vertebrae: "whole", "bodies" or "auto".
    whole: whole vertebrae where only bodies were drawn.
    Raises InputError where no label is a bone, nothing says which is which, or the labels do not lie on their image;
    what else is wrong with the label map was said when it was read.
    """
    stages = Stages(STAGES, progress)
    with stages.stage("read the labels"):
        label_map, taken = take_apart(label_map, numbering, segments)
        if label_map.has_image:
            refuse_elsewhere(label_map, list(taken.bones))
        patches = patches_of(label_map, taken.bones)
        drawn = where_drawn(list(patches.values()), label_map)
        patches, notes = _mended(patches, drawn)
        body = bodies_alone(patches) if drawn_parts == "auto" else drawn_parts == "bodies"
        doubts = [doubt for name, patch in patches.items() if (doubt := size_doubt(name, patch.box_mm))]
        directions = spine_directions({name: patch.centre for name, patch in patches.items()})
        bones = [
            Labelled(name, patch, body and STRUCTURES[name].kind == "vertebra", directions.get(name))
            for name, patch in patches.items()
        ]
    with stages.stage("fit the bones"):
        fitted = _fit_all(bones, drawn, whole, stages.share)
        if not fitted:
            raise ReconstructionRefused("too little of every labelled bone is in the image")
    with stages.stage("separate neighbours"):
        meshes = _apart(fitted, drawn)
    with stages.stage("check"):
        structures = [_structure(fitted[name], mesh) for name, mesh in meshes.items()]
        across = np.delete(label_map.spacing, drawn.axis) if drawn.axis is not None else label_map.spacing
        checks = check_surfaces(structures, fitted, float(across.max()))
    stages.done()
    cut_off = [one.name for one in bones if one.name not in fitted]
    return Reconstruction(
        engine="segmentation",
        structures=structures,
        checks=checks,
        warnings=[*doubts, *notes, *taken.notes, *_left_out(taken, cut_off)],
        provenance={
            "version": __version__,
            "device": "cpu",
            "uncertainty_method": UNCERTAINTY,
            "settings": _settings(taken, drawn, body, whole),
        },
        timings_s=stages.seconds,
    )


def _mended(patches: Mapping[str, Patch], drawn: Drawn) -> tuple[dict[str, Patch], list[str]]:
    found, notes = {}, []
    for name, patch in patches.items():
        found[name], said = mended(name, patch, drawn)
        notes += said
    return found, notes


def _fit_all(
    bones: Sequence[Labelled], drawn: Drawn, whole: bool, report_progress: Callable[[float], None]
) -> dict[str, Fitted]:
    """Those that are in the image far enough, in the order of the bones; two at a time."""
    found: dict[str, Fitted | None] = {}
    with ThreadPoolExecutor(max_workers=min(AT_ONCE, os.cpu_count() or 1)) as pool:
        jobs = {pool.submit(fit_bone, bone, drawn, whole): bone.name for bone in bones}
        try:
            for job in as_completed(jobs):
                found[jobs[job]] = job.result()
                report_progress(len(found) / len(bones))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return {bone.name: one for bone in bones if (one := found[bone.name]) is not None}


def _apart(fitted: Mapping[str, Fitted], drawn: Drawn) -> dict[str, Mesh]:
    """The surfaces without folds and without overlap. Between slices two fits may lie deep in one another: then once
    more, as long as it helps; and facets that nobody drew may have come to lie on the wrong side of their partners,
    which takes bending the arches."""
    meshes = {name: one.mesh for name, one in fitted.items()}
    homes = {name: one.home for name, one in fitted.items()}
    for attempt in range(SEPARATIONS):
        meshes = separate(meshes, homes=homes, bend_arches=attempt > 0 and not drawn.whole)
        pairs = touching_pairs(meshes)
        if all(neighbours_apart(first, second, meshes).passed for first, second in pairs):
            break
    return meshes


def _structure(fitted: Fitted, mesh: Mesh) -> ReconstructedStructure:
    support = fitted.support(mesh)
    return ReconstructedStructure(STRUCTURES[fitted.name], mesh, fitted.uncertainty_mm(support), support)


def _left_out(taken: Taken, cut_off: Sequence[str]) -> list[str]:
    found = [f"{name} is left out: too little of it is in the image to place it." for name in cut_off]
    if listed := [f"{label} ({name})" for label, name in taken.left_out.items() if name != NOTHING]:
        more = f" and {len(listed) - MOST_LISTED} more" if len(listed) > MOST_LISTED else ""
        found.append(
            f"Labels left out, as there is no template of them: {', '.join(listed[:MOST_LISTED])}{more}."
        )
    return found


def _settings(taken: Taken, drawn: Drawn, body: bool, whole: bool) -> dict[str, str]:
    return {
        "labels": taken.how,
        "taken for": ", ".join(f"{label} {name}" for label, name in taken.bones.items()),
        "drawn": drawn.words,
        "vertebrae": ("bodies drawn, whole ones made" if whole else "bodies") if body else "whole",
    }

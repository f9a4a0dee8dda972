"""One run, from files to a result folder: reads, reconstructs, writes. Every front end runs through here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from mri2mesh.device import choose_device, free_cores
from mri2mesh.engines.declaration import Engine, load
from mri2mesh.engines.model_cache import Cache, ModelCache, no_cache
from mri2mesh.engines.reading import read_inputs
from mri2mesh.engines.registry import default_engine, get_engine
from mri2mesh.engines.stages import Progress
from mri2mesh.engines.stages import Watch as EngineWatch
from mri2mesh.errors import InputError, ReconstructionRefused, is_out_of_memory
from mri2mesh.export.report_input import Image, describe_view
from mri2mesh.export.results import check_request, write_results
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.volume import Volume
from mri2mesh.imaging.kind import kind_of
from mri2mesh.reconstruction import Check, Reconstruction
from mri2mesh.request import Request

READ, WRITE = "read the images", "write the results"
ENGINE_DONE = 0.83
"""Fraction of the whole after which the engine is done and the results are written."""
SHEARED = (
    "the slices are shifted against each other (a tilted gantry), and neither label maps nor a scene can hold such a "
    "grid: leave out --labelmaps and --scene, or resample the image to a regular grid first"
)
GPU_FULL = "the memory of the GPU ran out: computed on the CPU instead, which takes longer"

Watch = Callable[[Mapping[str, Mesh], float, list[dict[str, Any]]], None]
"""Called with the surfaces so far by name, the engine's fraction, and for each radiograph what `describe_view` says, as
the report will; what it raises ends the run."""


def run(
    request: Request,
    *,
    progress: Progress | None = None,
    warn: Callable[[str], None] | None = None,
    watch: Watch | None = None,
    cache: Cache = no_cache,
) -> Reconstruction:
    """Fills ``request.out`` and returns what it was filled with; a refusal gives a result without structures.

    warn: called at once with what was done otherwise than asked; it is in the result's warnings too.
    What progress and watch raise ends the run, and then nothing is written.
    Raises InputError for bad input; then nothing was written.
    """
    report_progress = progress or (lambda stage, fraction: None)
    if request.engine is None:
        request.refuse_missing()
        engine = default_engine(kind_of(request.images[0]))
    else:
        engine = get_engine(request.engine)
    # What can be wrong is found before anything slow is done.
    request.refuse_useless(engine)
    if watch is not None and not engine.shows:
        raise InputError(f"the engine {engine.name} has nothing to show while it works: do not ask for it")
    labelmaps, scene = (bool(request.options.get(name)) for name in ("labelmaps", "scene"))
    check_request(request.out, request.formats, scene)
    report_progress(READ, 0.0)
    image, options = read_inputs(engine, request.images, request.options)
    if isinstance(image, Volume) and image.sheared and (labelmaps or scene):
        raise InputError(SHEARED)
    if watch is not None:
        options["watch"] = _with_views(watch, image)

    def computed(device: str) -> Reconstruction:
        try:
            result: Reconstruction = engine.load()(
                image,
                device=device,
                progress=lambda stage, fraction: report_progress(stage, ENGINE_DONE * fraction),
                cache=cache,
                **options,
            )
        except ReconstructionRefused as error:
            return refused(engine.name, error)
        return result

    noted = _input_warnings(engine, image)
    if warn is not None:
        for text in noted:
            warn(text)
    with free_cores():
        reconstruction = _with_cpu_fallback(computed, request.device, cache, warn)
    reconstruction = replace(reconstruction, warnings=[*noted, *reconstruction.warnings])
    write_results(
        reconstruction,
        image,
        request.out,
        formats=request.formats,
        labelmaps=labelmaps and bool(reconstruction.structures),
        scene=scene and bool(reconstruction.structures),
        progress=lambda fraction: report_progress(WRITE, ENGINE_DONE + (1 - ENGINE_DONE) * fraction),
    )
    return reconstruction


def _with_views(watch: Watch, image: Image) -> EngineWatch:
    """Passes on what the engine shows, with the geometry by which it sees each radiograph."""
    geometries = [] if isinstance(image, Volume) else [one.geometry for one in image]

    def watch_with_views(surfaces: Mapping[str, Mesh], fraction: float, moves: Sequence[NDArray]) -> None:
        given = list(moves) or [np.eye(4)] * len(geometries)
        pairs = zip(geometries, given, strict=True)
        watch(surfaces, fraction, [describe_view(geometry, move) for geometry, move in pairs])

    return watch_with_views


def _input_warnings(engine: Engine, image: Image) -> list[str]:
    """What the reader of a volume found, and what of it the engine was not made for. Those of radiographs are in the
    engine's result, where they go with its checks."""
    if not isinstance(image, Volume):
        return []
    unfit = load(engine.input_warnings)(image) if engine.input_warnings else []
    return [*image.warnings, *unfit]


def refused(engine: str, error: ReconstructionRefused) -> Reconstruction:
    """A result without structures, so that the report says why."""
    check = Check("reconstruction possible", 0.0, 1.0, passed=False, detail=str(error))
    return Reconstruction(engine=engine, structures=[], checks=[check])


def _with_cpu_fallback(
    computed: Callable[[str], Reconstruction],
    device: str,
    cache: Cache,
    warn: Callable[[str], None] | None,
) -> Reconstruction:
    """``computed(device)``, and on the CPU where the memory of a GPU does not suffice."""
    try:
        return computed(device)
    except Exception as error:
        if not (is_out_of_memory(error) and choose_device(device).type != "cpu"):
            raise
    # Out of the handler: the error no longer holds what filled the GPU.
    if isinstance(cache, ModelCache):
        cache.clear()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    if warn is not None:
        warn(GPU_FULL)
    result = computed("cpu")
    return replace(result, warnings=[GPU_FULL, *result.warnings])

"""One run of the engine on an exam: its surfaces, how sound they are, how long it took."""

from __future__ import annotations

import time
from dataclasses import dataclass

from mri2mesh.engines.mri2mesh import engine
from mri2mesh.engines.mri2mesh.deformation.models import Models
from mri2mesh.errors import ReconstructionRefused
from mri2mesh.evaluation.lumbar_mri.scores import comparable
from mri2mesh.geometry.checks import is_watertight
from mri2mesh.geometry.intersections import self_intersecting_pairs
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.volume import Volume
from mri2mesh.reconstruction import Reconstruction


@dataclass(frozen=True)
class Soundness:
    """surfaces: how many; of these, not closed and self-intersecting. seconds: of the whole reconstruction."""

    exam: str
    method: str
    surfaces: int
    not_closed: int
    self_intersecting: int
    seconds: float


def engine_run(
    exam: str, method: str, volume: Volume, models: Models
) -> tuple[Reconstruction | None, Soundness]:
    """The reconstruction and its soundness; a refusal (None) is a miss of every structure, not the end."""
    started = time.perf_counter()
    try:
        result = engine.reconstruct_with(volume, models)
    except ReconstructionRefused:
        return None, Soundness(exam, method, 0, 0, 0, time.perf_counter() - started)
    seconds = time.perf_counter() - started
    meshes = [item.mesh for item in result.structures]
    return result, Soundness(
        exam,
        method,
        len(meshes),
        sum(not is_watertight(mesh) for mesh in meshes),
        sum(len(self_intersecting_pairs(mesh.vertices, mesh.faces)) > 0 for mesh in meshes),
        seconds,
    )


def comparable_surfaces(result: Reconstruction | None, bodies_only: bool = True) -> dict[str, Mesh]:
    """By name, cut to what the labels mean."""
    structures = result.structures if result is not None else []
    return {item.name: comparable(item.name, item.mesh, bodies_only) for item in structures}

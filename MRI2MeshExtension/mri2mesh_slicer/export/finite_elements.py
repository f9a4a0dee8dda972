"""The models of a run as a result folder that the worker exports from: where they are in the scene, named as now."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mri2mesh.errors import InputError
from mri2mesh.export.surfaces import write_surface
from mri2mesh.geometry.mesh import Mesh
from mri2mesh_slicer.export.surfaces import mesh_of
from mri2mesh_slicer.runs.runs import REPORTED_AS, RunNodes, structure_name


@dataclass(frozen=True)
class TakenSurfaces:
    """surfaces: name -> mesh in world RAS. report: what report.json says of how they were made, with these names."""

    surfaces: dict[str, Mesh]
    report: dict[str, Any]

    def write(self, folder: Path) -> None:
        """``<structure>.vtp`` and ``report.json``, for `mri2mesh.export.exporting`; a thread may do it."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, mesh in self.surfaces.items():
            write_surface(mesh, folder / f"{name}.vtp")
        (folder / "report.json").write_text(json.dumps(self.report), encoding="utf-8")


def take_surfaces(run: RunNodes, names: Sequence[str]) -> TakenSurfaces:
    """The structures wanted, in the order of the run; on the window's thread.

    Raises InputError where none is wanted or one has left the scene.
    """
    models = {structure_name(model): model for model in run.models}
    if not names:
        raise InputError("tick the structures to export")
    if missing := [name for name in names if name not in models]:
        raise InputError(f"{missing[0]} is no longer in the scene: choose other structures")
    report = json.loads(run.report.text)
    now = {str(model.GetAttribute(REPORTED_AS)): name for name, model in models.items()}
    report["structures"] = [
        {**entry, "name": now[entry["name"]]} for entry in report["structures"] if entry["name"] in now
    ]
    for check in report.get("checks", []):
        check["structure"] = now.get(check.get("structure"), check.get("structure"))
    wanted = [name for name in models if name in names]
    return TakenSurfaces({name: mesh_of(models[name]) for name in wanted}, report)

"""The surfaces to export, with their names and what is known of how they were made."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mri2mesh.anatomy.structures import STRUCTURES, Structure
from mri2mesh.errors import InputError
from mri2mesh.export.exporting.request import MM_PER_UNIT, ExportRequest
from mri2mesh.export.point_files import POINT_FORMATS, read_points
from mri2mesh.export.surfaces import FORMATS, read_surface
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.poisson import surface_from_points

_SMALLEST_MM = 1.0
"""No bone or disc is smaller across: such numbers are metres."""
_LARGEST_MM = 3000.0


@dataclass(frozen=True)
class NamedMesh:
    """name: "L3". mesh: patient RAS millimetres with every array that the file has. structure: None where unknown."""

    name: str
    mesh: Mesh
    structure: Structure | None = None

    @property
    def kind(self) -> str:
        """As in `Structure.kind`, or ``"unknown"``."""
        return self.structure.kind if self.structure else "unknown"


@dataclass(frozen=True)
class Source:
    """meshes: in the order of the report. origin: engine, weights, input and checks as a report has them, or hashes."""

    meshes: list[NamedMesh]
    origin: dict[str, Any] = field(default_factory=dict)
    scale_known: bool = True


def load_source(request: ExportRequest) -> Source:
    """Reads what is to be exported.

    Raises InputError for a folder without a readable result, an unknown structure, an unreadable or empty surface, or
    one whose size says that its numbers are not millimetres.
    """
    source = _from_folder(request) if request.source.is_dir() else _from_file(request)
    for item in source.meshes:
        _check_size(item)
    return source


def _from_folder(request: ExportRequest) -> Source:
    folder = request.source
    path = folder / "report.json"
    if not path.is_file():
        raise InputError(f"{folder} has no report.json: name the result folder of a reconstruction")
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
        entries = {item["name"]: item for item in report["structures"]}
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} is not a readable report: make the reconstruction again") from error
    missing = [name for name in request.structures if name not in entries]
    if missing:
        raise InputError(f"{missing[0]} is not in this result, which has {', '.join(entries) or 'nothing'}")
    names = request.structures or tuple(entries)
    if not names:
        raise InputError(f"{folder} has no surfaces to export")
    meshes = [_named(name, read_surface(folder / f"{name}.vtp")) for name in names]
    kept = (
        "engine",
        "version",
        "passed",
        "levels",
        "weights",
        "input",
        "settings",
        "uncertainty_method",
        "warnings",
    )
    origin: dict[str, Any] = {key: report.get(key) for key in kept}
    origin["checks"] = [c for c in report.get("checks", []) if c.get("structure") in (None, *names)]
    return Source(meshes, origin, bool(report.get("scale_known", True)))


def _from_file(request: ExportRequest) -> Source:
    path = request.source
    extension, unit = path.suffix.lower().lstrip("."), MM_PER_UNIT[request.unit]
    if extension not in (*FORMATS, *POINT_FORMATS):
        raise InputError(
            f"{path.name} is no surface file: use one of {', '.join(FORMATS)}, points as "
            f"{' or '.join(POINT_FORMATS)}, or a result folder"
        )
    origin: dict[str, Any] = {"engine": None}
    if extension in POINT_FORMATS:
        points, normals = read_points(path)
        mesh = surface_from_points(points * unit, normals)
        origin["surface"] = f"Poisson reconstruction of {len(points)} points"
    else:
        mesh = read_surface(path)
        mesh = mesh.with_vertices(mesh.vertices * np.float32(unit))
    wanted = set(request.structures) - {path.stem}
    if wanted:
        raise InputError(f"{path.name} holds one surface: leave out --structures, or name the result folder")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    origin["input"] = {"sha256": digest, "sha256_of": "file"}
    return Source([_named(path.stem, mesh)], origin)


def _named(name: str, mesh: Mesh) -> NamedMesh:
    return NamedMesh(name, mesh, STRUCTURES.get(name))


def _check_size(item: NamedMesh) -> None:
    across = float(np.linalg.norm(np.ptp(item.mesh.vertices, axis=0)))
    if across < _SMALLEST_MM:
        raise InputError(
            f"{item.name} is {across:.3g} mm across, so its file seems to be in metres: add --unit m, "
            "or save it in millimetres"
        )
    if across > _LARGEST_MM:
        raise InputError(f"{item.name} is {across:.3g} mm across: save it in millimetres")

"""A run's folder, as the worker and the command line fill it, read back: report and surfaces."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from vtkmodules.vtkCommonDataModel import vtkPolyData
from vtkmodules.vtkFiltersCore import vtkPolyDataNormals

from mri2mesh.anatomy.structures import Structure
from mri2mesh.errors import InputError
from mri2mesh.export.picture_files import pictures_in
from mri2mesh.export.surfaces import read_surface
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.vtk_bridge import to_polydata
from mri2mesh.imaging.radiographs.xray_geometry import XrayGeometry
from mri2mesh.reconstruction import Check, LevelCount
from mri2mesh_slicer.radiographs.geometry_of_nodes import geometry_from_json

UNREADABLE = "the report of this run cannot be read: run the reconstruction again"


@dataclass(frozen=True)
class ReportedStructure:
    """One structure as the report gives it; millimetres, None where it was not measured."""

    structure: Structure
    files: tuple[str, ...]
    volume_mm3: float | None
    area_mm2: float | None
    watertight: bool
    self_intersections: int
    support_fraction: float | None
    uncertainty_mean_mm: float | None
    uncertainty_p95_mm: float | None

    @property
    def name(self) -> str:
        return self.structure.name


@dataclass(frozen=True)
class RadiographView:
    """One radiograph of a run.

    geometry: every value with its origin. agreement: correlation with the surfaces' own shadow, 0 to 1.
    surface_to_view: [4, 4] that moves the surfaces to where that geometry shows them, where the fit corrected it.
    """

    recognised: str
    geometry: XrayGeometry
    agreement: float | None
    surface_to_view: NDArray[np.float64]


@dataclass(frozen=True)
class RunReport:
    """report.json: what was made and how far it can be trusted. text: the file's own words. fitted: the settings of a
    fit that says where it ended, and so can be continued. levels: how the vertebrae came by their names, or None."""

    text: str
    engine: str
    version: str
    device: str
    scale_known: bool
    fitted: Mapping[str, Any] | None
    structures: tuple[ReportedStructure, ...]
    checks: tuple[Check, ...]
    warnings: tuple[str, ...]
    views: tuple[RadiographView, ...]
    levels: LevelCount | None = None

    @property
    def passed(self) -> bool:
        return all(check.passed for check in self.checks)

    @property
    def run_checks(self) -> tuple[Check, ...]:
        """Those on the run as a whole: they name no structure, or an image."""
        names = {one.name for one in self.structures}
        return tuple(check for check in self.checks if check.structure not in names)

    def checks_of(self, structure: str) -> tuple[Check, ...]:
        """Those on one structure, by the name the report gives it."""
        return tuple(check for check in self.checks if check.structure == structure)

    def rows(self, key: str) -> list[dict[str, Any]]:
        """``"structures"``, ``"measures"`` or ``"checks"`` as they stand in the file; none where it has none."""
        return list(json.loads(self.text).get(key, []))


@dataclass(frozen=True)
class RunResult:
    """A report, and the surface of each of its structures in RAS millimetres: with its per-vertex arrays, and with
    normals that make it look smooth. pictures: caption -> PNG, which the scene does not keep."""

    report: RunReport
    surfaces: dict[str, vtkPolyData]
    pictures: Mapping[str, bytes] = field(default_factory=dict)


def read_run(folder: str | Path) -> RunResult:
    """Read a finished run; touches no MRML, so a thread may do it.

    Raises InputError for a folder without report, or a surface that is missing or damaged.
    """
    folder = Path(folder)
    try:
        text = (folder / "report.json").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError("this folder holds no report.json: choose the result folder of a run") from error
    report = read_report(text)
    surfaces = {}
    for one in report.structures:
        file = next((name for name in one.files if name.endswith(".vtp")), f"{one.name}.vtp")
        try:
            surfaces[one.name] = with_normals(read_surface(folder / Path(file).name))
        except (InputError, ValueError) as error:
            raise InputError(
                f"the surface of {one.name} is missing or damaged: run the reconstruction again"
            ) from error
    return RunResult(
        report, surfaces, {name: path.read_bytes() for name, path in pictures_in(folder).items()}
    )


def with_normals(mesh: Mesh) -> vtkPolyData:
    """The same points and faces, in the same order."""
    normals = vtkPolyDataNormals()
    normals.SetInputData(to_polydata(mesh))
    normals.SplittingOff()
    normals.ConsistencyOff()
    normals.Update()
    return normals.GetOutput()


@lru_cache(maxsize=16)
def read_report(text: str) -> RunReport:
    """Kept, for a panel asks again and again. Raises InputError where it is not a report of this program."""
    try:
        content = json.loads(text)
        return RunReport(
            text=text,
            engine=str(content["engine"]),
            version=str(content["version"]),
            device=str(content["device"]),
            scale_known=bool(content["scale_known"]),
            fitted=dict(content["settings"]) if content.get("fit") else None,
            structures=tuple(_structure(row) for row in content["structures"]),
            checks=tuple(_check(row) for row in content["checks"]),
            warnings=tuple(str(warning) for warning in content["warnings"]),
            views=tuple(_view(row) for row in content["input"].get("views", [])),
            levels=_levels(content.get("levels")),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(UNREADABLE) from error


def _structure(row: Mapping[str, Any]) -> ReportedStructure:
    red, green, blue = (float(value) for value in row["colour"])
    structure = Structure(
        name=str(row["name"]),
        kind=row["kind"],
        code=str(row["code"]),
        meaning=str(row["meaning"]),
        label=int(row["label"]),
        colour=(red, green, blue),
        side=row["side"],
    )
    measures = [field.name for field in fields(ReportedStructure)[2:]]
    return ReportedStructure(structure, tuple(row["files"]), **{name: row[name] for name in measures})


def _check(row: Mapping[str, Any]) -> Check:
    """What JSON cannot hold, a value that is not finite, is NaN again."""
    value, threshold = (
        float("nan") if row[key] is None else float(row[key]) for key in ("value", "threshold")
    )
    return Check(
        str(row["name"]), value, threshold, bool(row["passed"]), str(row["detail"]), row["structure"]
    )


def _levels(row: Mapping[str, Any] | None) -> LevelCount | None:
    """None also where a report of an earlier version says nothing of it."""
    if row is None:
        return None
    probabilities = {str(name): float(share) for name, share in row["probabilities"].items()}
    return LevelCount(
        row["anchor"], str(row["statement"]), str(row["lowest"]), probabilities, str(row["advice"])
    )


def _view(row: Mapping[str, Any]) -> RadiographView:
    geometry = geometry_from_json(row["geometry"])
    return RadiographView(str(row["recognised"]), geometry, row["agreement"], surface_to_view(row))


def surface_to_view(row: Mapping[str, Any]) -> NDArray[np.float64]:
    """[4, 4] of a view's JSON; the identity where nothing was corrected. Raises ValueError where it is no 4x4."""
    stored = row["surface_to_view"]
    move = np.eye(4) if stored is None else np.array(stored, dtype=np.float64)
    if move.shape != (4, 4):
        raise ValueError("surface_to_view is no 4x4")
    return move

"""The models of a run as surface files, as the command line writes them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import vtk
from vtk.util.numpy_support import vtk_to_numpy

from mri2mesh.atomic import move_contents, sibling_folder
from mri2mesh.errors import InputError
from mri2mesh.export.surfaces import FORMATS, write_surface
from mri2mesh.geometry.checks import volume_mm3
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.vtk_bridge import from_polydata
from mri2mesh_slicer.mrml_nodes import transform_between
from mri2mesh_slicer.runs.runs import RunNodes, structure_name

COORDINATES = "LPS, millimetres, world coordinates"
"""Coordinate system of every exported file, for the panel to say."""
SCALE_UNKNOWN = "LPS, world coordinates, scale unknown: no length in these files is certain"


def coordinates_of(run: RunNodes) -> str:
    """A sentence about an export's coordinates and units."""
    return COORDINATES if run.scale_known else SCALE_UNKNOWN


def export_run(
    run: RunNodes, folder: str | Path, formats: Sequence[str] = ("stl",), names: Sequence[str] | None = None
) -> list[Path]:
    """Write ``<structure>.<format>`` for the models of a run, where they appear in the scene; returns the paths.

    formats: of `mri2mesh.export.surfaces.FORMATS`. names: of the structures wanted, by default all. Files of the same
    names are replaced, all of them or none.
    Raises InputError for an unknown format or structure, a run without models, or an unwritable folder.
    """
    unknown = [name for name in formats if name not in FORMATS]
    if unknown or not formats:
        raise InputError(f"choose a format to export, of {', '.join(FORMATS)}")
    models = {structure_name(model): model for model in run.models}
    wanted = list(models) if names is None else list(names)
    missing = [name for name in wanted if name not in models]
    if missing:
        raise InputError(f"{missing[0]} is no longer in the scene: choose other structures")
    if not wanted:
        raise InputError("this run has no models to export")

    def write(made: Path) -> None:
        for name in wanted:
            mesh = mesh_of(models[name])
            for extension in dict.fromkeys(formats):
                write_surface(mesh, made / f"{name}.{extension}")

    return write_into(folder, write)


def write_into(folder: str | Path, write: Callable[[Path], object]) -> list[Path]:
    """The files that ``write`` puts into an empty folder, moved into ``folder`` when all are there; their paths.

    Files of the same names are replaced, all of them or none; a folder that had to be made goes again where it fails.
    Raises InputError for a folder that cannot be made or is a file; what ``write`` raises is passed on.
    """
    folder = Path(folder)
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file; choose a folder for the export")
    existed = folder.is_dir()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{folder} cannot be made: choose a folder you may write to") from error
    try:
        with sibling_folder(folder / "any name") as made:
            write(made)
            written = sorted(path.name for path in made.iterdir())
            move_contents(made, folder)
    except BaseException:
        if not existed and not any(folder.iterdir()):
            folder.rmdir()
        raise
    return [folder / name for name in written]


def mesh_of(model: Any, *, frame: Any = None) -> Mesh:
    """The surface of a model in world RAS, or in the own coordinates of another node (frame), its parent transforms
    applied, outward also where they mirror.

    Per-vertex arrays are kept, but not the normals, which are directions.
    """
    mesh = from_polydata(model.GetPolyData())
    mesh = replace(mesh, point_data={k: v for k, v in mesh.point_data.items() if k != "Normals"})
    parent = None if frame is None else frame.GetParentTransformNode()
    if model.GetParentTransformNode() is parent:
        return mesh
    moved = vtk.vtkPoints()
    transform_between(model, frame).TransformPoints(model.GetPolyData().GetPoints(), moved)
    vertices = vtk_to_numpy(moved.GetData())
    inside_out = volume_mm3(mesh) * volume_mm3(mesh.with_vertices(vertices)) < 0
    return replace(mesh, vertices=vertices, faces=mesh.faces[:, ::-1] if inside_out else mesh.faces)

"""Surface files as 3D Slicer writes them: LPS coordinates (RAS on request), declared in the file, in millimetres.

The one place where a surface leaves or enters patient RAS. `vtkMRMLModelStorageNode` reads these files
back in place; the headers below are the ones it writes.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal

import numpy as np
from vtkmodules.vtkCommonCore import vtkStringArray
from vtkmodules.vtkIOGeometry import vtkOBJReader, vtkSTLReader, vtkSTLWriter
from vtkmodules.vtkIOLegacy import vtkPolyDataReader, vtkPolyDataWriter
from vtkmodules.vtkIOXML import vtkXMLPolyDataReader, vtkXMLPolyDataWriter

from mri2mesh.atomic import whole_file
from mri2mesh.errors import InputError
from mri2mesh.export.formats.ply import write_ply
from mri2mesh.geometry.coordinates import LPS_FROM_RAS, flip_ras_lps
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.vtk_bridge import from_polydata, to_polydata

FORMATS = ("vtp", "vtk", "stl", "ply", "obj")
"""File name extensions; ``vtp``, ``vtk`` and ``ply`` keep the per-vertex arrays, the others hold the surface alone."""

Space = Literal["LPS", "RAS"]
SPACES: tuple[Space, ...] = ("LPS", "RAS")
UNITS = "UNITS=mm"


def header(space: Space) -> str:
    """The first line of a file, as Slicer writes and reads it; the units go before what Slicer looks for."""
    return f"3D Slicer output. {UNITS} SPACE={space}"


def in_space(mesh: Mesh, space: Space) -> Mesh:
    """A surface of patient RAS with its vertices in the coordinates of a file; turned, not mirrored."""
    return mesh.with_vertices(flip_ras_lps(mesh.vertices)) if space == "LPS" else mesh


_SPACE = re.compile(rb"SPACE=(RAS|LPS)")
_LEGACY_VERSION = 42  # legacy VTK file format 4.2: read by every VTK; 5.1 is not read by older programs


def write_surface(mesh: Mesh, path: Path | str, space: Space = "LPS") -> Path:
    """Write a surface; the format follows the extension (`FORMATS`). Returns the path.

    mesh: patient RAS millimetres; written in LPS, or in RAS on request, and the file says which.
    Arrays are written as they are, so one of directions would have to be in that space already. The file
    appears whole or not at all.
    Raises InputError for an unknown extension, an empty surface or a folder that cannot be written to.
    """
    path = Path(path)
    extension = _format_of(path)
    if not len(mesh.faces):
        raise InputError(f"{path.name}: the surface has no faces, nothing to write")
    placed = in_space(mesh, space)
    with whole_file(path) as temporary:
        if extension == "obj":
            _write_obj(placed, temporary, space)
        elif extension == "ply":
            write_ply(placed, temporary, [f"SPACE={space}", UNITS])
        else:
            _write_with_vtk(placed, temporary, extension, space)
        if not temporary.exists() or not temporary.stat().st_size:
            raise InputError(f"{path} could not be written: is the disk full?")
    return path


def read_surface(path: Path | str, default_space: str = "LPS") -> Mesh:
    """Read a surface of any of `FORMATS` into patient RAS millimetres; polygons become triangles.

    default_space: ``"LPS"`` (as Slicer assumes) or ``"RAS"``, for files that do not declare theirs.
    Raises InputError for a missing or unreadable file, or one without faces.
    """
    path = Path(path)
    extension = _format_of(path)
    if not path.is_file():
        raise InputError(f"{path} does not exist or is not a file")
    try:
        mesh, declared = _read_ply(path) if extension == "ply" else _read_with_vtk(path, extension)
    except ValueError as error:
        raise InputError(f"{path} is not a readable {extension} surface") from error
    space = declared or _space_in_header(path) or default_space
    return mesh.transformed(LPS_FROM_RAS) if space == "LPS" else mesh


def _format_of(path: Path) -> str:
    extension = path.suffix.lower().lstrip(".")
    if extension not in FORMATS:
        raise InputError(
            f"{path.name}: unknown surface format {extension!r}; use one of {', '.join(FORMATS)}"
        )
    return extension


def _read_ply(path: Path) -> tuple[Mesh, None]:
    """By trimesh: VTK's PLY reader ends the process on a truncated file. Raises ValueError."""
    import trimesh  # here alone, as Slicer has none before the extension's packages are installed

    loaded = trimesh.load(path, file_type="ply", process=False)
    if not isinstance(loaded, trimesh.Trimesh) or not len(loaded.faces):
        raise ValueError("no faces")
    columns = loaded.metadata.get("_ply_raw", {}).get("vertex", {}).get("data")
    names = getattr(getattr(columns, "dtype", None), "names", None) or ()
    arrays = {name: np.asarray(columns[name]) for name in names if name not in ("x", "y", "z")}
    whole = {name: values for name, values in arrays.items() if len(values) == len(loaded.vertices)}
    return Mesh(np.asarray(loaded.vertices), np.asarray(loaded.faces), whole), None


def _read_with_vtk(path: Path, extension: str) -> tuple[Mesh, str | None]:
    """The surface as it is in the file, and the space its field data declare. Raises ValueError."""
    readers = {
        "vtp": vtkXMLPolyDataReader,
        "vtk": vtkPolyDataReader,
        "stl": vtkSTLReader,
        "obj": vtkOBJReader,
    }
    reader: Any = readers[extension]()
    problems: list[str] = []
    reader.AddObserver("ErrorEvent", lambda *_: problems.append("error"))  # else VTK prints a page
    reader.SetFileName(str(path))
    reader.Update()
    surface = reader.GetOutput()
    if problems or not surface.GetNumberOfPolys():
        raise ValueError("VTK cannot read it")
    array = surface.GetFieldData().GetAbstractArray("SPACE")
    declared = (
        array.GetVariantValue(0).ToString() if array is not None and array.GetNumberOfValues() else None
    )
    return from_polydata(surface), declared


def _space_in_header(path: Path) -> str | None:
    with path.open("rb") as file:
        match = _SPACE.search(file.read(1024))
    return match.group(1).decode() if match else None


def _write_with_vtk(placed: Mesh, path: Path, extension: str, space: Space) -> None:
    surface = to_polydata(placed)
    writer: Any
    if extension == "vtp":
        for name, value in (("SPACE", space), ("UNITS", "mm")):
            text = vtkStringArray()
            text.SetName(name)
            text.InsertNextValue(value)
            surface.GetFieldData().AddArray(text)
        writer = vtkXMLPolyDataWriter()
    elif extension == "vtk":
        writer = vtkPolyDataWriter()
        writer.SetHeader(header(space))
        writer.SetFileVersion(_LEGACY_VERSION)
        writer.SetFileTypeToBinary()
    else:
        writer = vtkSTLWriter()
        writer.SetHeader(header(space))
        writer.SetFileTypeToBinary()
    writer.SetInputData(surface)
    writer.SetFileName(str(path))
    problems: list[str] = []
    writer.AddObserver("ErrorEvent", lambda *_: problems.append("error"))  # else VTK prints a page
    if not writer.Write() or problems:
        raise InputError(f"{path.name} could not be written: is the disk full?")


def _write_obj(placed: Mesh, path: Path, space: Space) -> None:
    """Wavefront OBJ with shared vertices; nine digits hold a float32 exactly; indices start at 1."""
    lines = [f"# {header(space)}"]
    lines += [f"v {x:.9g} {y:.9g} {z:.9g}" for x, y, z in placed.vertices.tolist()]
    lines += [f"f {a} {b} {c}" for a, b, c in (placed.faces + 1).tolist()]
    path.write_text("\n".join(lines) + "\n", encoding="ascii")

"""Exported files read back by other libraries: trimesh, VTK, meshio, and the standard library's XML reader."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from mri2mesh.errors import InputError


@dataclass(frozen=True)
class ReadBack:
    """points: [N, 3] in the file's space, millimetres. cells: [M, 3] triangles or [M, 4] corners of tetrahedra. names:
    of the structure or its sets, as far as the format has any. by: the library."""

    points: NDArray[np.float64]
    cells: NDArray[np.int64]
    names: frozenset[str]
    by: str

    @property
    def volume_mm3(self) -> float:
        """Signed: positive where triangles face outward, or where every tetrahedron is of the right hand."""
        corners = self.points[self.cells]
        if self.cells.shape[1] == 3:
            return float(np.einsum("ni,ni->", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])) / 6)
        a, b, c, d = np.moveaxis(corners, 1, 0)
        volumes = np.einsum("ni,ni->n", np.cross(b - a, c - a), d - a) / 6
        return float(volumes.sum()) if (volumes > 0).all() else -float(np.abs(volumes).sum())


def read_back(path: Path) -> ReadBack:
    """Raises InputError where meshio is not installed; what a library raises for a bad file is passed on."""
    return _READERS[path.suffix.lstrip(".")](path)


def _by_trimesh(path: Path) -> ReadBack:
    import trimesh

    mesh: Any = trimesh.load(path, process=False, force="mesh")
    return ReadBack(np.asarray(mesh.vertices, float), np.asarray(mesh.faces), frozenset(), "trimesh")


def _gltf(path: Path) -> ReadBack:
    """Back from glTF's metres and axes (left, up, front) to LPS millimetres (left, back, up)."""
    import trimesh

    scene: Any = trimesh.load(path, process=False)
    name = next(iter(scene.geometry))
    matrix = scene.graph.get(name)[0]
    points = np.asarray(scene.geometry[name].vertices) @ matrix[:3, :3].T + matrix[:3, 3]
    lps = 1000 * np.stack([points[:, 0], -points[:, 2], points[:, 1]], axis=1)
    return ReadBack(lps, np.asarray(scene.geometry[name].faces), frozenset(scene.geometry), "trimesh")


def _by_vtk(path: Path) -> ReadBack:
    from vtkmodules.util.numpy_support import vtk_to_numpy
    from vtkmodules.vtkIOLegacy import vtkPolyDataReader
    from vtkmodules.vtkIOXML import vtkXMLPolyDataReader

    reader: Any = vtkXMLPolyDataReader() if path.suffix == ".vtp" else vtkPolyDataReader()
    reader.SetFileName(str(path))
    reader.Update()
    surface = reader.GetOutput()
    faces = vtk_to_numpy(surface.GetPolys().GetConnectivityArray()).reshape(-1, 3)
    return ReadBack(
        vtk_to_numpy(surface.GetPoints().GetData()).astype(float), faces.astype(np.int64), frozenset(), "VTK"
    )


def _by_meshio(path: Path) -> ReadBack:
    try:
        import meshio
    except ModuleNotFoundError:
        raise InputError('reading back needs meshio: pip install "mri2mesh[evaluate-export]"') from None
    mesh: Any = meshio.read(path)
    blocks = [block.data for block in mesh.cells if block.type in ("tetra", "tetra10")]
    names = set(mesh.cell_sets) | set(mesh.point_sets) | set(mesh.point_data)
    return ReadBack(np.asarray(mesh.points, float), np.concatenate(blocks)[:, :4], frozenset(names), "meshio")


def _feb(path: Path) -> ReadBack:
    root = ElementTree.parse(path).getroot()
    points = np.array(
        [[float(value) for value in (node.text or "").split(",")] for node in root.iter("node")]
    )
    blocks = [block for block in root.iter("Elements") if str(block.get("type")).startswith("tet")]
    rows = [
        [int(value) - 1 for value in (one.text or "").split(",")[:4]] for block in blocks for one in block
    ]
    names = {
        str(one.get("name")) for one in (*root.iter("Elements"), *root.iter("Surface"), *root.iter("NodeSet"))
    }
    return ReadBack(points, np.array(rows), frozenset(names), "ElementTree")


_READERS: dict[str, Callable[[Path], ReadBack]] = {
    **dict.fromkeys(("stl", "ply", "obj"), _by_trimesh),
    **dict.fromkeys(("vtp", "vtk"), _by_vtk),
    "gltf": _gltf,
    **dict.fromkeys(("inp", "msh", "vtu"), _by_meshio),
    "feb": _feb,
}

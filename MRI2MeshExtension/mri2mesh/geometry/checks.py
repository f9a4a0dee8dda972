"""Is this surface a solid? Closed, outward, free of self-intersections; its volume and area."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from mri2mesh.geometry.edges import directed_edges
from mri2mesh.geometry.intersections import self_intersecting_pairs
from mri2mesh.geometry.mesh import Mesh


def is_watertight(mesh: Mesh) -> bool:
    """True when every edge joins exactly two faces that run along it in opposite directions.

    That is: no holes, no edge shared by three faces, one consistent orientation, no face that uses a
    vertex twice. An empty mesh is not watertight.
    """
    faces = mesh.faces
    if not len(faces):
        return False
    directed = directed_edges(faces)
    if (directed[:, 0] == directed[:, 1]).any():
        return False
    size = len(mesh.vertices)
    forward = np.sort(directed[:, 0] * size + directed[:, 1])
    backward = np.sort(directed[:, 1] * size + directed[:, 0])
    return bool((np.diff(forward) > 0).all() and np.array_equal(forward, backward))


def crossing_faces(mesh: Mesh) -> NDArray[np.int64]:
    """[P, 2] pairs of faces that meet anywhere but in the vertices and edge they share.

    Kept for the surfaces asked about last: what mends a surface, the checks and the report ask about the same one.
    """
    key = _content(mesh)
    if key not in _CROSSING:
        _CROSSING[key] = self_intersecting_pairs(mesh.vertices, mesh.faces)
        _CROSSING[key].flags.writeable = False
        while len(_CROSSING) > MOST_KEPT:
            _CROSSING.pop(next(iter(_CROSSING)), None)
    return _CROSSING[key]


MOST_KEPT = 64
_CROSSING: dict[bytes, NDArray[np.int64]] = {}


def _content(mesh: Mesh) -> bytes:
    """A digest of vertices and faces: equal only for equal surfaces."""
    digest = hashlib.sha256(mesh.vertices.tobytes())
    digest.update(mesh.faces.tobytes())
    return digest.digest()


def self_intersections(mesh: Mesh) -> int:
    """Number of pairs of faces that meet anywhere but in the vertices and edge they share."""
    return len(crossing_faces(mesh))


def volume_mm3(mesh: Mesh) -> float:
    """Signed volume by the divergence theorem: positive when closed and outward, negative inside out."""
    if not len(mesh.faces):
        return 0.0
    corners = mesh.vertices.astype(np.float64)[mesh.faces]
    corners = corners - corners.mean(axis=(0, 1))  # near the origin, where differences keep their digits
    return float(np.einsum("fi,fi->", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])) / 6)


def area_mm2(mesh: Mesh) -> float:
    """Total area of the faces."""
    corners = mesh.vertices.astype(np.float64)[mesh.faces]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    return float(np.linalg.norm(normals, axis=1).sum() / 2)


def outward(mesh: Mesh) -> Mesh:
    """The surface with consistent winding, outward: faces turned where needed, nothing else touched."""
    directed = directed_edges(mesh.faces)
    if len(np.unique(directed, axis=0)) < len(directed):  # two faces run along an edge the same way
        mesh = _consistent(mesh)
    if volume_mm3(mesh) < 0:
        mesh = replace(mesh, faces=mesh.faces[:, ::-1])
    return mesh


def _consistent(mesh: Mesh) -> Mesh:
    """Each connected piece wound one way, outward where VTK can tell."""
    from vtkmodules.vtkFiltersCore import vtkPolyDataNormals

    from mri2mesh.geometry.vtk_bridge import from_polydata, to_polydata

    normals = vtkPolyDataNormals()
    normals.SplittingOff()
    normals.ConsistencyOn()
    normals.AutoOrientNormalsOn()
    normals.SetInputData(to_polydata(replace(mesh, point_data={})))
    normals.Update()
    return replace(mesh, faces=from_polydata(normals.GetOutput()).faces)

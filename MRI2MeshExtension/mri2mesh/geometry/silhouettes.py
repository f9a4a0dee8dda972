"""Outlines of a surface as an X-ray source sees it: edges between a face turned to the source and one turned away.

X-rays pass through, so outlines behind others count too. What depends on the faces alone and on the vertices alone is
prepared, so that a moving source or a moving surface costs one product per face (the contour generator on a mesh, as
in Hertzmann, "Introduction to 3D silhouette detection", SIGGRAPH 1999 course notes).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mri2mesh.geometry.edges import directed_edges
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.xray_camera import XrayCamera

NEAREST = 0.01
"""Share of the way from source to detector within which a vertex is not drawn: its shadow is far off or nowhere."""


@dataclass(frozen=True)
class EdgeAdjacency:
    """Which faces meet at which edge; made once from faces [F, 3].

    edges: [E, 2] vertices. face_pairs: [E, 2] the faces on both sides; at an edge of more than two, each with the next.
    rims: [R, 2] edges of one face only, where an open surface ends.
    """

    edges: NDArray[np.int64]
    face_pairs: NDArray[np.int64]
    rims: NDArray[np.int64]

    @classmethod
    def from_faces(cls, faces: ArrayLike) -> EdgeAdjacency:
        """Raises ValueError for faces that are not [F, 3]."""
        faces = np.asarray(faces, dtype=np.int64)
        if faces.ndim != 2 or faces.shape[1] != 3:
            raise ValueError(f"faces must be [F, 3], got {faces.shape}")
        half_edges = np.sort(directed_edges(faces), axis=1)
        code = half_edges[:, 0] * (faces.max(initial=0) + 1) + half_edges[:, 1]
        order = np.argsort(code, kind="stable")
        same = np.diff(code[order]) == 0  # as the half-edge after it
        first, second = order[:-1][same], order[1:][same]
        alone = np.r_[True, ~same] & np.r_[~same, True] if len(order) else np.zeros(0, bool)
        face = np.tile(np.arange(len(faces)), 3)
        return cls(half_edges[first], face[np.stack([first, second], axis=1)], half_edges[order[alone]])


def face_planes(vertices: ArrayLike, faces: NDArray) -> NDArray[np.float64]:
    """[F, 4] (n, d), n outwards and as long as twice the face's area: n.p + d is positive where p sees its outside."""
    # Coordinate by coordinate: several times faster than rows of three.
    a, b, c = np.asarray(vertices, dtype=np.float64).T[:, np.asarray(faces).T].transpose(1, 0, 2)
    (ux, uy, uz), (vx, vy, vz) = b - a, c - a
    normal = np.stack([uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx])
    return np.concatenate([normal, -(normal * a).sum(axis=0)[None]]).T


def contour_edges(planes: NDArray, adjacency: EdgeAdjacency, source: ArrayLike) -> NDArray[np.int64]:
    """[N, 2] vertices of the edges where n.(p - source) changes sign, and of all rims.

    planes: of `face_planes`. source: [3], in the frame of the vertices.
    """
    towards = planes[:, :3] @ np.asarray(source, dtype=np.float64) + planes[:, 3] > 0
    turned = towards[adjacency.face_pairs[:, 0]] != towards[adjacency.face_pairs[:, 1]]
    found = adjacency.edges[turned]
    return np.concatenate([found, adjacency.rims]) if len(adjacency.rims) else found


@dataclass(frozen=True)
class Outline:
    """Where outlines fall: points [P, 2] (column, row), lines [N, 2] indices of their ends; lines share points."""

    points: NDArray[np.float64]
    lines: NDArray[np.int64]

    @property
    def segments(self) -> NDArray[np.float64]:
        """[N, 2, 2] both ends of every line, (column, row)."""
        return self.points[self.lines]


class Silhouette:
    """The outline of one surface, quickly again and again while it, its source or its detector moves.

    Raises ValueError when the mesh is not made of triangles.
    """

    def __init__(self, mesh: Mesh) -> None:
        self._adjacency = EdgeAdjacency.from_faces(mesh.faces)
        self._faces = mesh.faces
        self.set_vertices(mesh.vertices)

    def set_vertices(self, vertices: ArrayLike) -> None:
        """Other positions [V, 3] mm of the same surface."""
        self._vertices = np.asarray(vertices, dtype=np.float64)
        self._planes = face_planes(self._vertices, self._faces)

    def outline(self, camera: XrayCamera, to_camera: ArrayLike | None = None) -> Outline:
        """What the camera sees. to_camera: 4x4 affine, from the vertices' frame to the camera's.

        Lines that come nearer to the source than `NEAREST`, or lie behind it, are left out. Raises
        numpy.linalg.LinAlgError for a to_camera that flattens space.
        """
        matrix, source = camera.matrix, camera.source_ras_mm
        if to_camera is not None:
            # The few vertices of the outline are moved, not all of them: an affine map keeps what sees what.
            move = np.asarray(to_camera, dtype=np.float64)
            source = np.asarray(np.linalg.solve(move[:3, :3], source - move[:3, 3]), dtype=np.float64)
            matrix = matrix @ move
        edges = contour_edges(self._planes, self._adjacency, source)
        used, lines = _compact(edges, len(self._vertices))
        homogeneous = self._vertices[used] @ matrix[:, :3].T + matrix[:, 3]
        far = homogeneous[:, 2] > NEAREST * camera.source_to_detector_mm
        if not far.all():
            used_lines = lines[far[lines].all(axis=1)]
            keep, lines = _compact(used_lines, len(used))
            homogeneous = homogeneous[keep]
        return Outline(homogeneous[:, :2] / homogeneous[:, 2:], lines)


def _compact(edges: NDArray[np.int64], n_vertices: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The vertices in use, and the edges by their places among them."""
    mark = np.zeros(n_vertices, dtype=bool)
    mark[edges] = True
    used = np.flatnonzero(mark)
    place = np.empty(n_vertices, dtype=np.int64)
    place[used] = np.arange(len(used))
    return used, place[edges]

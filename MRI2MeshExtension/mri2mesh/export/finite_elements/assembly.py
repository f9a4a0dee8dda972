"""Surfaces of one volume mesh together: points that may be shared, and which structure lies behind each triangle."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mri2mesh.errors import InputError
from mri2mesh.export.finite_elements.meshers import Boundary
from mri2mesh.geometry.intersections import self_intersecting_pairs
from mri2mesh.geometry.mesh import Mesh


@dataclass(frozen=True)
class Member:
    """One structure. triangles: [F, 3] points of the assembly, outward. zones: [F]. surface: with its arrays."""

    name: str
    kind: str
    triangles: NDArray[np.int64]
    zones: NDArray[np.int64]
    surface: Mesh


@dataclass(frozen=True)
class Assembly:
    """points: [V, 3] float64 mm, RAS."""

    points: NDArray[np.float64]
    members: list[Member]

    def boundary(self) -> Boundary:
        """Every triangle once: one that two members share has the one inside and the other outside.

        Raises InputError where members cut each other.
        """
        faces = np.concatenate([member.triangles for member in self.members])
        owner = np.repeat(np.arange(1, len(self.members) + 1), [len(m.triangles) for m in self.members])
        keys = np.sort(faces, axis=1)
        _, first, inverse = np.unique(keys, axis=0, return_index=True, return_inverse=True)
        outside = np.zeros(len(first), np.int64)
        second = np.ones(len(faces), bool)
        second[first] = False
        outside[inverse.ravel()[second]] = owner[second]
        self._check_apart(faces[first], owner[first])
        return Boundary(self.points, faces[first], owner[first], outside)

    def _check_apart(self, faces: NDArray, owner: NDArray) -> None:
        pairs = self_intersecting_pairs(self.points.astype(np.float32), faces)
        if len(pairs):
            names = sorted({self.members[int(owner[face]) - 1].name for face in pairs[0]})
            raise InputError(
                f"{' and '.join(names)} cut each other in {len(pairs)} places: give a shorter edge length, "
                "or export them without --join"
            )


def alone(name: str, kind: str, mesh: Mesh, zones: NDArray) -> Assembly:
    """An assembly of one structure."""
    return Assembly(mesh.vertices.astype(np.float64), [Member(name, kind, mesh.faces, zones, mesh)])

"""A triangle surface in patient space."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Mesh:
    """Triangle surface, outward orientation (counter-clockwise seen from outside).

    vertices: [V, 3] float32, millimetres, patient RAS (+x right, +y anterior, +z superior).
    faces: [F, 3] int64 vertex indices.
    point_data: per-vertex arrays, each [V] or [V, C]; ``"region"`` holds `anatomy.regions.Region`.

    Raises ValueError when shapes are wrong, an index is out of range or a vertex is not finite.
    """

    vertices: NDArray[np.float32]
    faces: NDArray[np.int64]
    point_data: dict[str, NDArray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        vertices = np.ascontiguousarray(self.vertices, dtype=np.float32)
        faces = np.ascontiguousarray(self.faces, dtype=np.int64)
        if vertices.ndim != 2 or vertices.shape[1] != 3:
            raise ValueError(f"vertices must be [V, 3], got {vertices.shape}")
        if faces.ndim != 2 or faces.shape[1] != 3:
            raise ValueError(f"faces must be [F, 3], got {faces.shape}")
        if faces.size and (faces.min() < 0 or faces.max() >= len(vertices)):
            raise ValueError("a face names a vertex that does not exist")
        if not np.isfinite(vertices).all():
            raise ValueError("a vertex is not finite")
        for name, values in self.point_data.items():
            if len(values) != len(vertices):
                raise ValueError(f"point data {name!r} has {len(values)} values for {len(vertices)} vertices")
        object.__setattr__(self, "vertices", vertices)
        object.__setattr__(self, "faces", faces)

    @property
    def regions(self) -> NDArray | None:
        """[V] region labels (`anatomy.regions.Region`), or None for an unlabelled surface."""
        return self.point_data.get("region")

    def with_vertices(self, vertices: NDArray) -> Mesh:
        """The same surface with its vertices elsewhere; faces and point data are kept."""
        return replace(self, vertices=vertices)

    def with_point_data(self, **arrays: NDArray) -> Mesh:
        """The same surface with these per-vertex arrays added or replaced."""
        return replace(self, point_data={**self.point_data, **arrays})

    def transformed(self, matrix: NDArray) -> Mesh:
        """Vertices mapped by a 4x4 affine; faces are flipped where it mirrors, so outward stays outward."""
        matrix = np.asarray(matrix, dtype=np.float64)
        vertices = self.vertices @ matrix[:3, :3].T + matrix[:3, 3]
        faces = self.faces[:, ::-1] if np.linalg.det(matrix[:3, :3]) < 0 else self.faces
        return replace(self, vertices=vertices, faces=faces)

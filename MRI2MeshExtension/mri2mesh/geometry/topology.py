"""What is connected to what in a triangle mesh: computed once, shared by every mesh of a batch.

Plain torch, free of geometry: only faces go in. Used by the losses and by graph networks.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import torch
from torch import Tensor


@dataclass(frozen=True)
class MeshTopology:
    """Connectivity of V vertices and F faces; all tensors int64 unless said otherwise.

    faces: [F, 3].
    edges: [E, 2] undirected, each once, smaller index first.
    neighbours: [2, 2E] directed edges (receiver, sender), sorted by receiver: the edge index of graph layers.
    degree: [V] float32, number of neighbours, at least 1 so that it can be divided by.
    face_pairs: [P, 2] faces that share an edge; edges of one face or of more than two are left out.
    pair_edges: [P, 2] the shared edge, in the direction in which the first face runs through it.
    opposite: [P, 2] the vertex of each of the two faces that is not on the shared edge.
    """

    faces: Tensor
    edges: Tensor
    neighbours: Tensor
    degree: Tensor
    face_pairs: Tensor
    pair_edges: Tensor
    opposite: Tensor

    @classmethod
    def from_faces(cls, faces: Tensor, n_vertices: int) -> MeshTopology:
        """Connectivity of faces [F, 3]. Raises ValueError when an index is not below n_vertices."""
        faces = torch.as_tensor(faces, dtype=torch.int64)
        if faces.ndim != 2 or faces.shape[1] != 3:
            raise ValueError(f"faces must be [F, 3], got {tuple(faces.shape)}")
        if faces.numel() and not (int(faces.min()) >= 0 and int(faces.max()) < n_vertices):
            raise ValueError("a face names a vertex that does not exist")
        directed = torch.stack([faces, faces.roll(-1, 1)], dim=2).reshape(-1, 2)  # [3F, 2]
        third = faces.roll(-2, 1).reshape(-1)
        face = torch.arange(len(faces), device=faces.device)[:, None].expand(-1, 3).reshape(-1)

        code = directed.amin(1) * n_vertices + directed.amax(1)
        unique, inverse, counts = torch.unique(code, return_inverse=True, return_counts=True)
        edges = torch.stack([unique // n_vertices, unique % n_vertices], dim=1)
        # Half-edges sorted by their edge: the two of an interior edge follow each other.
        order = torch.argsort(inverse, stable=True)
        start = torch.cumsum(counts, 0) - counts
        first = order[start[counts == 2]]
        second = order[start[counts == 2] + 1]

        both_ways = torch.cat([edges, edges.flip(1)])
        both_ways = both_ways[torch.argsort(both_ways[:, 0] * n_vertices + both_ways[:, 1])]
        degree = torch.bincount(both_ways[:, 0], minlength=n_vertices).clamp_(min=1).float()
        return cls(
            faces=faces,
            edges=edges,
            neighbours=both_ways.T.contiguous(),
            degree=degree,
            face_pairs=torch.stack([face[first], face[second]], dim=1),
            pair_edges=directed[first],
            opposite=torch.stack([third[first], third[second]], dim=1),
        )

    @property
    def n_vertices(self) -> int:
        """Number of vertices, those without a face included."""
        return len(self.degree)

    def to(self, device: torch.device | str) -> MeshTopology:
        """The same connectivity on another device."""
        return MeshTopology(**{field.name: getattr(self, field.name).to(device) for field in fields(self)})

    def neighbour_mean(self, values: Tensor) -> Tensor:
        """[B, V, C] values averaged over the neighbours of each vertex (0 where there are none)."""
        batch, vertices, channels = values.shape
        # Vertices last: one contiguous scatter per channel is much faster on a CPU than one per row.
        rows = values.transpose(1, 2).reshape(batch * channels, vertices)
        receiver, sender = self.neighbours[0].expand(len(rows), -1), self.neighbours[1].expand(len(rows), -1)
        total = torch.zeros_like(rows).scatter_add(1, receiver, rows.gather(1, sender))
        mean = total / self.degree.to(rows.dtype)
        return mean.view(batch, channels, vertices).transpose(1, 2)

    def laplacian(self, values: Tensor) -> Tensor:
        """[B, V, C] uniform Laplacian: mean of the neighbours minus the value itself."""
        return self.neighbour_mean(values) - values

    def face_normals(self, vertices: Tensor) -> Tensor:
        """[B, F, 3] normals of length twice the face's area, from vertices [B, V, 3]."""
        a, b, c = (vertices[:, self.faces[:, k]] for k in range(3))
        return torch.linalg.cross(b - a, c - a)

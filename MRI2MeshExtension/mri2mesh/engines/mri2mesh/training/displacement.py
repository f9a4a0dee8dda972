"""Surfaces displaced from the truth at random, as the stages before the network that reads profiles may leave them."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import sparse
from scipy.spatial.transform import Rotation

from mri2mesh.engines.mri2mesh.networks.template_graph import TemplateGraph
from mri2mesh.geometry.tensors import vertex_normals

BASIS = 96
"""Number of smooth random fields that the others are mixed from."""


class Displacer:
    """Draws surfaces as the earlier stages may leave them: too wide, too deep, shifted, turned, bulging, too smooth."""

    def __init__(self, graph: TemplateGraph, strength: float = 1.0) -> None:
        self.graph, self.strength = graph, strength
        count = len(graph.vertices)
        self.mean = sparse.csr_matrix(
            (
                graph.adjacency.matrix.values().numpy(),
                graph.adjacency.matrix.col_indices().numpy(),
                graph.adjacency.matrix.crow_indices().numpy(),
            ),
            shape=(count, count),
        )
        self.basis: dict[int, NDArray[np.float64]] = {}

    def __call__(
        self, truth: NDArray[np.float32], frame: NDArray[np.float64], rng: np.random.Generator
    ) -> NDArray[np.float32]:
        """truth: [V, 3] mm RAS; frame: 4x4 local to RAS, whose axes are the vertebra's."""
        strength = rng.uniform(0.2, 1.3) * (2.0 if rng.random() < 0.08 else 1.0)
        strength *= self.strength
        axes = frame[:3, :3] / np.linalg.norm(frame[:3, :3], axis=0)
        start = truth.astype(np.float64)
        shared = rng.normal(0, 0.8, 3)
        for where in self.graph.slices:
            centre = start[where].mean(0)
            scale = np.exp(strength * rng.normal(0, (0.06, 0.05, 0.04)))
            turn = Rotation.from_rotvec(np.radians(strength * rng.normal(0, 2.0, 3))).as_matrix()
            shift = strength * axes @ (shared + rng.normal(0, 0.6, 3))
            start[where] = (start[where] - centre) @ axes @ np.diag(scale) @ turn.T @ axes.T + centre + shift
        start = self._smoothed(start, rng)
        normals = vertex_normals(torch.from_numpy(start[None]).float(), self.graph.faces)[0].double().numpy()
        along = strength * (rng.normal(0, 0.8) + self._field(rng, 60) * 0.8 + self._field(rng, 12) * 0.7)
        sliding = strength * np.stack([self._field(rng, 20) for _ in range(3)], 1) * 0.6
        return (start + along[:, None] * normals + sliding).astype(np.float32)

    def _smoothed(self, vertices: NDArray, rng: np.random.Generator) -> NDArray:
        for _ in range(int(rng.integers(0, 3))):
            vertices = 0.7 * vertices + 0.3 * (self.mean @ vertices)
        return vertices

    def _field(self, rng: np.random.Generator, steps: int) -> NDArray[np.float64]:
        """[V] of unit variance, smooth over about the square root of ``steps`` edges."""
        if steps not in self.basis:
            values = np.random.default_rng(steps).standard_normal((len(self.graph.vertices), BASIS))
            for _ in range(steps):
                values = 0.4 * values + 0.6 * (self.mean @ values)
            self.basis[steps] = values / values.std(axis=0) / np.sqrt(BASIS)
        return np.asarray(self.basis[steps] @ rng.standard_normal(BASIS), dtype=np.float64)

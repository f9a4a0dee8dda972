"""A family of vertebrae in point correspondence, and random members of it."""

from __future__ import annotations

from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from mri2mesh.anatomy import storage
from mri2mesh.anatomy.measures import body_size, pedicle_midpoints, to_local_frame
from mri2mesh.anatomy.structures import VERTEBRA_LEVELS
from mri2mesh.anatomy.variation import ShapeVariation
from mri2mesh.errors import InputError
from mri2mesh.geometry.checks import self_intersections
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.repair import remove_self_intersections

__all__ = ["VertebraShapes", "body_size", "pedicle_midpoints"]

_BLENDED = 3
"""Sources in one random vertebra."""
_TRIES = 6


class VertebraShapes:
    """Sources in correspondence with the vertebra template, each in its local frame.

    vertices: [S, V, 3] mm. levels, names: S strings. sizes: [S, 3] body width, depth, height, mm.
    frequency: [S] how often a source takes part, 1 for most.
    typical_size: level -> [3] mm of an average adult, all sources taken together.
    """

    def __init__(self, stored: dict[str, NDArray]) -> None:
        self.vertices = storage.unpack(stored["vertices"])
        self.levels = [str(level) for level in stored["levels"]]
        self.names = [str(name) for name in stored["names"]]
        self.faces = stored["faces"].astype(np.int64)
        self.regions = stored["regions"]
        self.mirror = stored["mirror"].astype(np.int64)
        self.sizes = stored["sizes"]
        self.frequency = stored["frequency"]
        self.typical_size = dict(zip(VERTEBRA_LEVELS, stored["typical_sizes"], strict=True))

    @classmethod
    def load(cls) -> VertebraShapes:
        """The shipped family; read once."""
        return _load()

    def mean(self, level: str) -> Mesh:
        """The mean of a level's sources and their mirror images, at that level's typical size."""
        shapes = [
            self._resized(s, level) for s in range(len(self.names)) if self.levels[s] == self._known(level)
        ]
        shapes += [self._mirrored(shape) for shape in shapes]
        return to_local_frame(self._mesh(np.mean(shapes, axis=0)))

    def sample(self, level: str, rng: np.random.Generator, variability: float = 1.0) -> Mesh:
        """A random vertebra in its local frame: closed, no self-intersection, template topology and regions.

        Sources of this level and, less often, of the neighbouring ones are blended, left and right as they come;
        then proportions, processes and surface vary within bounds. variability scales that last part (0: none).
        """
        for attempt in range(_TRIES):
            vertices = self._blend(level, rng)
            vertices = self._variation.vary(vertices, rng, variability * 0.75**attempt)
            mesh = to_local_frame(self._mesh(vertices))
            if self_intersections(mesh) == 0:
                return mesh
        return remove_self_intersections(mesh)

    @cached_property
    def _variation(self) -> ShapeVariation:
        return ShapeVariation(self.faces, self.regions)

    def _known(self, level: str) -> str:
        if level not in VERTEBRA_LEVELS:
            raise InputError(
                f"no vertebra {level!r}: levels go from {VERTEBRA_LEVELS[0]} to {VERTEBRA_LEVELS[-1]}"
            )
        return level

    def _mesh(self, vertices: NDArray) -> Mesh:
        return Mesh(vertices, self.faces, {"region": self.regions})

    def _mirrored(self, vertices: NDArray) -> NDArray:
        return vertices[self.mirror] * np.array([-1, 1, 1], vertices.dtype)

    def _resized(self, source: int, level: str) -> NDArray:
        """A source at the typical size of a level, with the level's proportions and half of what sets it apart."""
        own, goal = self.typical_size[self.levels[source]], self.typical_size[level]
        apart = np.log(self.sizes[source] / own)
        return self.vertices[source] * (goal / own * np.exp(-(apart + apart.mean()) / 2.0)).astype(np.float32)

    def _weights(self, level: str) -> NDArray:
        """[S] how often each source takes part. Neighbours help; the last lumbar and first lumbar stay themselves."""
        index = VERTEBRA_LEVELS.index(self._known(level))
        apart = np.array([abs(VERTEBRA_LEVELS.index(other) - index) for other in self.levels])
        neighbour = 0.04 if level in ("L5", "T12", "L1") else 0.3
        crosses = np.array([other.startswith("T") != level.startswith("T") for other in self.levels])
        l5 = np.array([other == "L5" for other in self.levels]) & (level != "L5")
        return self.frequency * np.where(
            apart == 0, 1.0, np.where((apart == 1) & ~crosses & ~l5, neighbour, 0.0)
        )

    def _blend(self, level: str, rng: np.random.Generator) -> NDArray:
        weights = self._weights(level)
        count = min(_BLENDED, int((weights > 0).sum()))
        chosen = rng.choice(len(weights), size=count, replace=False, p=weights / weights.sum())
        shares = rng.dirichlet(np.full(count, 0.8))
        shares = 1.15 * shares - 0.15 / count  # a little beyond the sources as well
        shapes = [self._resized(source, level) for source in chosen]
        shapes = [self._mirrored(shape) if rng.random() < 0.5 else shape for shape in shapes]
        return np.tensordot(shares, np.stack(shapes), axes=1)


@lru_cache(maxsize=1)
def _load() -> VertebraShapes:
    return VertebraShapes(storage.read("vertebrae"))

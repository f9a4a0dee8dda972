"""Surfaces displaced from the truth, with the image along their normals: what `ProfileNet` learns from.

No localiser and no deformation network is needed: what they get wrong is drawn at random. What a step needs of a case
is kept in a small file beside the cases, so that a step costs no more than its profiles.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage, sparse
from scipy.spatial.transform import Rotation
from torch import Tensor
from torch.utils.data import Dataset

from mri2mesh.anatomy.structures import disc_name
from mri2mesh.engines.mri2mesh.deformation.profiles import Block, block_around, sample_profiles
from mri2mesh.engines.mri2mesh.networks.profile_net import (
    describe_profiles,
    place_in_template,
    profile_offsets,
    wall_groups,
)
from mri2mesh.engines.mri2mesh.networks.template_graph import TemplateGraph
from mri2mesh.engines.mri2mesh.training.intensity import jitter_intensity
from mri2mesh.engines.mri2mesh.training.mesh_samples import TRAINED_LEVELS
from mri2mesh.engines.mri2mesh.training.pool import CasePool
from mri2mesh.geometry.tensors import vertex_normals
from mri2mesh.geometry.transforms import apply
from mri2mesh.imaging.volumes.intensity import normalise
from mri2mesh.synthesis.mr.case import SyntheticCase

MIN_INSIDE = 0.6
ROWS_PER_SURFACE = (600, 200)
"""Vertices drawn from each surface of a vertebra with its disc, and of S1."""
SHARDS_PER_CASE = 3
"""So often each case is drawn from, with other displacements and intensities."""
FIRST_SHARDS = 48
"""Number of shards that are there before the first step."""
STEPS_PER_SHARD, SHARDS_PER_BATCH = 4, 16
BASIS = 96
"""Number of smooth random fields that the others are mixed from."""


def structures_of(level: str) -> list[str]:
    """Names of the surfaces that the graph of a level joins."""
    return ["S1"] if level == "S1" else [level, disc_name(level)]


def in_view(case: SyntheticCase, level: str) -> bool:
    """Whether enough of a vertebra is in the image to learn from."""
    ijk = apply(
        np.linalg.inv(case.image.ijk_to_ras), case.spine.structures[level].vertices.astype(np.float64)
    )
    inside = ((ijk >= 0) & (ijk <= np.array(case.image.array.shape[::-1]) - 1)).all(1)
    return float(inside.mean()) >= MIN_INSIDE


def write_levels(case: SyntheticCase, path: Path) -> None:
    """The blocks around all levels in view, normalised, in 8 bits, and their surfaces."""
    arrays: dict[str, NDArray] = {}
    for level in (*TRAINED_LEVELS, "S1"):
        names = structures_of(level)
        if not all(name in case.spine.structures for name in names):
            continue
        if not in_view(case, level):
            continue
        vertices = np.concatenate([case.spine.structures[name].vertices for name in names])
        image, matrix = block_around(case.image.array, case.image.ijk_to_ras, vertices)
        arrays[f"{level}_image"] = np.rint(normalise(image) * 170).astype(np.uint8)
        arrays[f"{level}_matrix"] = matrix
        arrays[f"{level}_vertices"] = vertices.astype(np.float32)
        arrays[f"{level}_frame"] = case.spine.frames[level]
    temporary = path.with_name(f".{path.stem}.{os.getpid()}.npz")
    np.savez(temporary, **arrays)  # type: ignore[arg-type]
    os.replace(temporary, path)


def read_level(path: Path, level: str) -> tuple[NDArray[np.float32], NDArray, NDArray, NDArray]:
    """Image block in 0..1.5, its ijk_to_ras, the true vertices [V, 3] and the vertebra's frame."""
    with np.load(path) as file:
        image, matrix, vertices, frame = (
            file[f"{level}_{key}"] for key in ("image", "matrix", "vertices", "frame")
        )
    return image.astype(np.float32) / np.float32(170), matrix, vertices, frame


def levels_in(path: Path) -> list[str]:
    with np.load(path) as file:
        return [name.removesuffix("_image") for name in file.files if name.endswith("_image")]


class Displacer:
    """Draws surfaces as the earlier stages may leave them: too wide, too deep, shifted, turned, bulging, too smooth."""

    def __init__(self, graph: TemplateGraph) -> None:
        self.graph = graph
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


class Shard:
    """Vertices of one case, drawn at random from its levels, each displaced anew: rows that the network learns from.

    local [N, LOCAL] half; overview [L, OVERVIEW] half and surface [N] index into it; kind [N] of graph (0 level,
    1 sacrum) and vertex [N] in it; normals [N, 3]; along [N] mm to the truth; seen [N] bool.
    """

    def __init__(self, arrays: dict[str, NDArray]) -> None:
        self.arrays = {name: torch.from_numpy(array) for name, array in arrays.items()}

    @classmethod
    def read(cls, path: Path) -> Shard:
        with np.load(path) as file:
            return cls({name: file[name] for name in file.files})


GRAPHS = ("level", "sacrum")


def write_shard(
    levels: Path,
    path: Path,
    readers: dict[str, tuple[TemplateGraph, Displacer, Tensor]],
    rng: np.random.Generator,
) -> None:
    """readers: per graph its displacer and the groups of its vertices."""
    rows: dict[str, list[NDArray]] = {}
    offsets = profile_offsets()
    for surface, level in enumerate(levels_in(levels)):
        number = int(level == "S1")
        graph, displacer, groups = readers[GRAPHS[number]]
        image, matrix, truth, frame = read_level(levels, level)
        start = torch.from_numpy(displacer(truth, frame, rng))
        normals = vertex_normals(start[None], graph.faces)[0]
        block: Block = (torch.from_numpy(_thickened(image, rng)), matrix)
        profiles = sample_profiles(block, start, normals, offsets)
        profiles[0] = torch.from_numpy(_recoloured(profiles[0].numpy(), rng)) * profiles[1]
        local, overview = describe_profiles(profiles, graph, groups)
        along = ((torch.from_numpy(truth) - start) * normals).sum(-1)
        chosen = torch.from_numpy(rng.choice(len(start), ROWS_PER_SURFACE[number], replace=False))
        count = len(chosen)
        for name, value in {
            "local": local[chosen].half().numpy(),
            "overview": overview[None].half().numpy(),
            "surface": np.full(count, surface),
            "kind": np.full(count, number),
            "vertex": chosen.numpy(),
            "normals": normals[chosen].half().numpy(),
            "along": along[chosen].numpy(),
            "seen": (profiles[1][chosen].mean(-1) > 0.6).numpy(),
        }.items():
            rows.setdefault(name, []).append(value)
    temporary = path.with_name(f".{path.stem}.{os.getpid()}.npz")
    np.savez(temporary, **{name: np.concatenate(values) for name, values in rows.items()})  # type: ignore[arg-type]
    os.replace(temporary, path)


class ProfileSamples(Dataset):
    """Item n is a batch of rows from several cases; a shard more is made every few batches until there are enough."""

    def __init__(
        self, pool: CasePool, cache: Path, graphs: dict[str, TemplateGraph], batch: int, seed: int
    ) -> None:
        self.pool, self.cache, self.batch, self.seed = pool, cache, batch, seed
        self.readers = {name: (graph, Displacer(graph), wall_groups(graph)) for name, graph in graphs.items()}
        self.places = [place_in_template(graphs[name]) for name in GRAPHS]
        self.shards: list[Shard] = []
        self.most = SHARDS_PER_CASE * pool.n_cases
        cache.mkdir(parents=True, exist_ok=True)
        while len(self.shards) < self.most and self._path(len(self.shards)).exists():
            self.shards.append(Shard.read(self._path(len(self.shards))))

    def _path(self, number: int) -> Path:
        return self.cache / f"shard_{self.seed}_{number:05d}.npz"

    def _grow(self) -> None:
        """One shard more, of the next case that shows a vertebra."""
        number = len(self.shards)
        levels = self.cache / f"levels_{number % self.pool.n_cases:05d}.npz"
        if not levels.exists():
            write_levels(self.pool.load(number % self.pool.n_cases), levels)
        write_shard(levels, self._path(number), self.readers, np.random.default_rng((self.seed, 1, number)))
        self.shards.append(Shard.read(self._path(number)))

    def __getitem__(self, n: int) -> dict[str, Tensor]:
        while len(self.shards) < min(FIRST_SHARDS, self.most):
            self._grow()
        if n % STEPS_PER_SHARD == 0 and len(self.shards) < self.most:
            self._grow()
        rng = np.random.default_rng((self.seed, n))
        columns: dict[str, list[Tensor]] = {}
        drawn = min(SHARDS_PER_BATCH, len(self.shards))
        for number in rng.choice(len(self.shards), drawn, replace=False):
            rows = self.shards[int(number)].arrays
            chosen = torch.from_numpy(rng.integers(len(rows["along"]), size=max(self.batch // drawn, 1)))
            part = {name: rows[name][chosen] for name in ("local", "normals", "along", "seen", "kind")}
            part["overview"] = rows["overview"][rows["surface"][chosen]]
            vertex = rows["vertex"][chosen]
            sacral = part["kind"][:, None] == 1
            part["place"] = torch.where(
                sacral, self.places[1][vertex.clamp(max=len(self.places[1]) - 1)], self.places[0][vertex]
            )
            for name, value in part.items():
                # Half precision is for keeping: mixed precision does not join it.
                kept = value.float() if value.dtype == torch.float16 else value
                columns.setdefault(name, []).append(kept)
        return {name: torch.cat(values) for name, values in columns.items()}


def _thickened(image: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """One in five as thick slices show it, most often sagittal ones."""
    if rng.random() < 0.8:
        return image
    axis = 2 if rng.random() < 0.7 else int(rng.integers(3))
    return ndimage.uniform_filter1d(image, int(rng.integers(2, 5)), axis=axis)


def _recoloured(values: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    values = jitter_intensity(values, rng)
    return (1 - values).astype(np.float32) if rng.random() < 0.1 else values

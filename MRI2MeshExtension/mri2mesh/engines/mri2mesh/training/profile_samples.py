"""Surfaces displaced from the truth, with the image along their normals: what `ProfileNet` learns from.

No localiser and no deformation network is needed: what they get wrong is drawn at random. Blocks of the cases are kept
in small files beside them. A shard, some thousand rows of one case, costs as much as a few steps: it serves many of
them, then another one, displaced and coloured anew, takes its place, so that nothing can be learned by heart.
"""

from __future__ import annotations

from collections import deque
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from mri2mesh.engines.mri2mesh.deformation.profiles import Block, sample_profiles
from mri2mesh.engines.mri2mesh.networks.profile_net import (
    describe_profiles,
    place_in_template,
    profile_offsets,
    wall_groups,
)
from mri2mesh.engines.mri2mesh.networks.template_graph import TemplateGraph
from mri2mesh.engines.mri2mesh.training.displacement import Displacer
from mri2mesh.engines.mri2mesh.training.pool import CasePool
from mri2mesh.engines.mri2mesh.training.profile_appearance import other_appearance
from mri2mesh.engines.mri2mesh.training.profile_levels import levels_in, read_level, resized, write_levels
from mri2mesh.engines.mri2mesh.training.profile_target import distance_along
from mri2mesh.geometry.tensors import vertex_normals

ROWS_PER_SURFACE = (600, 200)
"""Vertices drawn from each surface of a vertebra with its disc, and of S1."""
FIRST_SHARDS, FIRST_OF_A_CASE = 48, 3
"""Number of shards that are there before the first step, and the most of these that are drawn of one case."""
MOST_SHARDS = 320
"""Number of shards in memory, a megabyte each; from there on the oldest goes when a new one comes."""
STEPS_PER_SHARD, SHARDS_PER_BATCH = 4, 16
DISPLACEMENT = 1.2
"""Strength of the displacements learned from, against those that validation is measured with."""
GRAPHS = ("level", "sacrum")


class Shard:
    """Vertices of one case, drawn at random from its levels, each displaced anew: rows that the network learns from.

    local [N, LOCAL] half; overview [L, OVERVIEW] half and surface [N] index into it; kind [N] of graph (0 level,
    1 sacrum) and vertex [N] in it; normals [N, 3]; along [N] mm to the truth; seen [N] bool.
    """

    def __init__(self, arrays: dict[str, Tensor]) -> None:
        self.arrays = arrays


Readers = dict[str, tuple[TemplateGraph, Displacer, Tensor]]
"""Per graph itself, its displacer and the groups of its vertices."""


def draw_shard(levels: Path, readers: Readers, rng: np.random.Generator) -> Shard:
    """All levels of one case (`write_levels`), each resized, displaced and with a look of its own."""
    rows: dict[str, list[Tensor]] = {}
    offsets = profile_offsets()
    for surface, level in enumerate(levels_in(levels)):
        number = int(level == "S1")
        graph, displacer, groups = readers[GRAPHS[number]]
        image, matrix, truth, frame = resized(*read_level(levels, level), rng)
        start = torch.from_numpy(displacer(truth, frame, rng))
        normals, true_normals = (
            vertex_normals(v[None], graph.faces)[0] for v in (start, torch.from_numpy(truth))
        )
        block: Block = (torch.from_numpy(other_appearance(image, rng)), matrix)
        profiles = sample_profiles(block, start, normals, offsets)
        local, overview = describe_profiles(profiles, graph, groups)
        drawn = rng.choice(len(start), ROWS_PER_SURFACE[number], replace=False)
        along = distance_along(start.numpy(), normals.numpy(), truth, true_normals.numpy(), graph, drawn)
        chosen = torch.from_numpy(drawn)
        for name, value in {
            "local": local[chosen].half(),
            "overview": overview[None].half(),
            "surface": torch.full((len(chosen),), surface),
            "kind": torch.full((len(chosen),), number),
            "vertex": chosen,
            "normals": normals[chosen].half(),
            "along": torch.from_numpy(along),
            "seen": profiles[1][chosen].mean(-1) > 0.6,
        }.items():
            rows.setdefault(name, []).append(value)
    return Shard({name: torch.cat(values) for name, values in rows.items()})


class ProfileSamples(Dataset):
    """Item n is a batch of rows from several cases; every few items a shard more is drawn, of the next case there is.

    Cases that are made meanwhile are taken up. Items have to be asked for in their order.
    """

    def __init__(
        self, pool: CasePool, cache: Path, graphs: dict[str, TemplateGraph], batch: int, seed: int
    ) -> None:
        self.pool, self.cache, self.batch, self.seed = pool, cache, batch, seed
        self.readers = {
            name: (graph, Displacer(graph, DISPLACEMENT), wall_groups(graph))
            for name, graph in graphs.items()
        }
        self.places = [place_in_template(graphs[name]) for name in GRAPHS]
        self.shards: deque[Shard] = deque(maxlen=MOST_SHARDS)
        self.drawn = self.last = 0
        cache.mkdir(parents=True, exist_ok=True)

    def _grow(self) -> None:
        """One shard more, of the next case; the oldest one goes where there are enough."""
        index = self.drawn % max(self.pool.there(), 1)
        levels = self.cache / f"levels_{index:05d}.npz"
        if not levels.exists():
            write_levels(self.pool.load(index), levels)
        self.shards.append(
            draw_shard(levels, self.readers, np.random.default_rng((self.seed, 1, self.drawn)))
        )
        self.drawn += 1

    def __getitem__(self, n: int) -> dict[str, Tensor]:
        if not self.shards:
            self.drawn = n  # a run that goes on must not see its first shards again
        first = min(FIRST_SHARDS, FIRST_OF_A_CASE * max(self.pool.there(), 1))
        while len(self.shards) < first or n // STEPS_PER_SHARD > self.last:
            self._grow()
            self.last = n // STEPS_PER_SHARD
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

"""A network that reads the image along the normals of a surface and says how far each vertex is from the edge.

The idea of active shape models (Cootes et al. 1995: grey values along normals), learned: each vertex sees its own
profile, those of its neighbourhoods, wider and wider, and what the walls of the whole structure look like in this
image. It is shown the image alone, no map of tissues: what the localiser takes for bone cannot be copied.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn

from mri2mesh.anatomy.regions import is_body
from mri2mesh.engines.mri2mesh.networks.template_graph import KINDS, TemplateGraph
from mri2mesh.geometry.tensors import vertex_normals

REACH_MM = 9.0
PLACES = 19
"""So many places are looked at from REACH_MM inside a vertex to REACH_MM outside it."""

NEIGHBOURHOODS = (0, 2, 8, 32)
"""Smoothing steps over the graph after which profiles are looked at: about 0, 3, 6 and 12 mm around a vertex."""

WALLS = 6
GROUPS = 2 * WALLS + 1
"""The walls of a body, the arch, and the walls of the disc below."""

REGIONS = 32
HARMONICS_MM = (24.0, 60.0, 150.0)
"""Wave lengths in which a vertex's place in the template is given."""

LOCAL = (len(NEIGHBOURHOODS) + 1) * PLACES
OVERVIEW = GROUPS * PLACES
PLACE_IN_TEMPLATE = 6 * len(HARMONICS_MM) + 3 + len(KINDS) + REGIONS
DROPOUT = 0.1
"""Share of what a block adds that is left out at random while it learns."""
DIFFUSION_STEPS = 2
"""Smoothing steps of the moves: neighbours that read the same edge move alike."""


def profile_offsets() -> Tensor:
    """[PLACES] mm along the normal."""
    return torch.linspace(-REACH_MM, REACH_MM, PLACES)


def wall_groups(graph: TemplateGraph) -> Tensor:
    """[V] number in GROUPS of each vertex of a template: the side its normal points to, or the arch."""
    normals = vertex_normals(graph.vertices[None], graph.faces)[0]
    axis = normals.abs().argmax(-1)
    wall = 2 * axis + (normals.gather(1, axis[:, None])[:, 0] > 0)
    disc = graph.kind == KINDS.index("disc")
    arch = (graph.kind == KINDS.index("vertebra")) & ~torch.from_numpy(
        is_body(graph.region.cpu().numpy())
    ).to(disc.device)
    return torch.where(disc, wall + WALLS + 1, torch.where(arch, torch.full_like(wall, WALLS), wall))


def place_in_template(graph: TemplateGraph) -> Tensor:
    """[V, PLACE_IN_TEMPLATE]: where a vertex lies in its template, which way it faces, what it belongs to."""
    waves = [2 * np.pi / length * graph.vertices for length in HARMONICS_MM]
    return torch.cat(
        [
            *(wave.sin() for wave in waves),
            *(wave.cos() for wave in waves),
            vertex_normals(graph.vertices[None], graph.faces)[0],
            nn.functional.one_hot(graph.kind, len(KINDS)).float(),
            nn.functional.one_hot(graph.region, REGIONS).float(),
        ],
        dim=-1,
    )


def describe_profiles(profiles: Tensor, graph: TemplateGraph, groups: Tensor) -> tuple[Tensor, Tensor]:
    """profiles [2, V, PLACES] (image, inside) to what the network reads: local [V, LOCAL] and overview [OVERVIEW].

    Grey values are standardised over the surface: contrasts and scales of scanners differ.
    """
    image, inside = profiles
    seen = image[inside > 0.5]
    mean, deviation = (seen.mean(), seen.std()) if seen.numel() > 1 else (image.mean(), image.std())
    values = ((image - mean) / deviation.clamp(min=1e-3) * inside).clamp(-4, 4)
    around = [values]
    for start, end in pairwise(NEIGHBOURHOODS):
        around.append(diffused(around[-1][None], graph, end - start)[0])
    overview = torch.zeros(GROUPS, PLACES, device=values.device).index_add(0, groups, values)
    count = torch.bincount(groups, minlength=GROUPS).clamp(min=1)
    return torch.cat([*around, inside], dim=-1), (overview / count[:, None]).flatten()


class ResidualBlock(nn.Module):
    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, width), nn.GELU(), nn.Linear(width, width)
        )
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.dropout(self.layers(x))


class ProfileNet(nn.Module):
    """What a vertex reads to logits of where along its normal the edge is; vertices are independent rows."""

    offsets: Tensor

    def __init__(self, width: int = 192, blocks: int = 3, dropout: float = DROPOUT) -> None:
        super().__init__()
        self.local = nn.Linear(LOCAL, width)
        self.overview = nn.Linear(OVERVIEW, width)
        self.place = nn.Linear(PLACE_IN_TEMPLATE + 3, width)
        self.blocks = nn.Sequential(*(ResidualBlock(width, dropout) for _ in range(blocks)))
        self.leave = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, PLACES))
        self.register_buffer("offsets", profile_offsets(), persistent=False)

    def forward(self, local: Tensor, overview: Tensor, place: Tensor, normals: Tensor) -> Tensor:
        """local [..., LOCAL], overview [..., OVERVIEW] of the surface, place [..., PLACE_IN_TEMPLATE] and normals
        [..., 3] in the patient's axes, to logits [..., PLACES]."""
        place = torch.cat([place, normals], dim=-1)
        x = nn.functional.gelu(self.local(local) + self.overview(overview) + self.place(place))
        return self.leave(self.blocks(x)).float()

    def move(self, logits: Tensor) -> Tensor:
        """Expected distance to the edge, mm along the normal: [...]."""
        return (logits.softmax(-1) * self.offsets).sum(-1)


def diffused(values: Tensor, graph: TemplateGraph, steps: int = DIFFUSION_STEPS) -> Tensor:
    """Values [B, V, C] of the vertices smoothed over the graph."""
    for _ in range(steps):
        values = 0.5 * values + 0.5 * graph.adjacency.mean(values)
    return values

"""The image along the normals of surfaces: what the network that refines them is shown."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mri2mesh.engines.mri2mesh.networks.profile_net import (
    ProfileNet,
    describe_profiles,
    diffused,
    place_in_template,
    wall_groups,
)
from mri2mesh.engines.mri2mesh.networks.template_graph import KINDS, TemplateGraph
from mri2mesh.geometry.tensors import vertex_normals
from mri2mesh.geometry.transforms import apply
from mri2mesh.geometry.volume import Volume
from mri2mesh.imaging.volumes.intensity import normalise

PASSES = 2
"""How often a surface is moved: the second time what was misjudged from afar is seen from close by."""

MARGIN_MM = 14.0
"""How far around a surface the image is cut out: what normalises its grey values, and all that profiles reach."""

Block = tuple[Tensor, NDArray[np.float64]]
"""Image [K, J, I], normalised (`intensity.normalise`), and its ijk_to_ras."""


def block_around(
    image: NDArray, ijk_to_ras: NDArray[np.float64], points: NDArray
) -> tuple[NDArray, NDArray[np.float64]]:
    """The part of an image [K, J, I] within MARGIN_MM of the box of points (mm RAS), and its ijk_to_ras."""
    ijk = apply(np.linalg.inv(ijk_to_ras), np.asarray(points, np.float64))
    margin = MARGIN_MM / np.linalg.norm(ijk_to_ras[:3, :3], axis=0)
    size = np.array(image.shape[::-1])
    low = np.clip(np.floor(ijk.min(0) - margin).astype(int), 0, size - 1)
    high = np.clip(np.ceil(ijk.max(0) + margin).astype(int) + 1, low + 1, size)
    matrix = ijk_to_ras.copy()
    matrix[:3, 3] = apply(ijk_to_ras, low[None].astype(float))[0]
    (i0, j0, k0), (i1, j1, k1) = low, high
    return image[k0:k1, j0:j1, i0:i1], matrix


def sample_profiles(block: Block, vertices: Tensor, normals: Tensor, offsets: Tensor) -> Tensor:
    """[2, V, P]: the image, trilinear, and 1 inside it, at P offsets (mm) along normals of vertices [V, 3] RAS mm."""
    image, ijk_to_ras = block
    to_ijk = torch.from_numpy(np.linalg.inv(ijk_to_ras)).to(vertices)
    points = vertices[:, None] + offsets[None, :, None] * normals[:, None]
    ijk = points @ to_ijk[:3, :3].T + to_ijk[:3, 3]
    size = torch.tensor(image.shape[::-1], dtype=ijk.dtype)
    normalised = (2 * ijk + 1) / size - 1
    values = torch.nn.functional.grid_sample(
        image[None, None].float(), normalised[None, None].float(), padding_mode="border", align_corners=False
    )[0, 0, 0]
    inside = (normalised.abs() <= 1).all(-1).float()
    return torch.stack([values * inside, inside])


@dataclass(frozen=True)
class Reader:
    """A network with what it needs to know of the template whose surfaces it reads. groups: [V]; place: [V, N]."""

    network: ProfileNet
    graph: TemplateGraph
    groups: Tensor
    place: Tensor

    @classmethod
    def of(cls, network: ProfileNet, graph: TemplateGraph) -> Reader:
        return cls(network, graph, wall_groups(graph), place_in_template(graph))

    def moved(self, block: Block, vertices: Tensor, passes: int = PASSES) -> Tensor:
        """A surface [V, 3] mm RAS after it was moved onto the edges ``passes`` times."""
        for _ in range(passes):
            normals = vertex_normals(vertices[None], self.graph.faces)[0]
            profiles = sample_profiles(block, vertices, normals, self.network.offsets)
            local, overview = describe_profiles(profiles, self.graph, self.groups)
            move = self.network.move(self.network(local, overview, self.place, normals))
            vertices = vertices + diffused((move[:, None] * normals)[None], self.graph)[0]
        return vertices


def read_edges(
    volume: Volume, surfaces: NDArray[np.float64], network: ProfileNet, graph: TemplateGraph
) -> NDArray[np.float32]:
    """Surfaces [N, V, 3] mm RAS of a graph, the bones among them moved onto the edges that the volume shows.

    Discs stay where they are: their edges towards ligaments are too faint for this to have made them better.
    """
    reader = Reader.of(network, graph)
    found = []
    with torch.inference_mode():
        for vertices in surfaces:
            image, matrix = block_around(volume.array, volume.ijk_to_ras, vertices)
            block = torch.from_numpy(normalise(image)).to(network.offsets.device), matrix
            start = torch.from_numpy(vertices).float().to(network.offsets.device)
            found.append(reader.moved(block, start).cpu().numpy())
    moved = np.stack(found)
    discs = (graph.kind == KINDS.index("disc")).cpu().numpy()
    moved[:, discs] = surfaces[:, discs]
    return moved

"""The MRI2Mesh network: an image encoder and graph convolutions that deform templates onto the image.

Encoder: 3D ResNet-50 with fused levels (`resnet`). A pose head first moves, turns and scales each template; three
graph stages then displace vertices. Before each stage every vertex samples all levels of the encoder at its current
place, and the image along its normal. Displacements are diffused over the graph, widely at first and little at last:
coarse to fine without changing the template, so regions and faces stay what they were.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mri2mesh.engines.mri2mesh.networks.graph import GraphResBlock
from mri2mesh.engines.mri2mesh.networks.resnet import ResNet50Encoder
from mri2mesh.engines.mri2mesh.networks.template_graph import KINDS, TemplateGraph
from mri2mesh.geometry.tensors import rotation_matrix, vertex_normals
from mri2mesh.imaging.volumes.crop import CropGrid

DIFFUSION_STEPS = (24, 8, 4)
"""Smoothing steps of the displacements along the normals, stage by stage."""

FREE_DIFFUSION_STEPS = 24
"""Smoothing steps of the displacements in any direction: without them vertices slide over the surface, which no image
shows, and fold."""
IMAGE_OFFSETS_MM = (-8.0, -6.0, -4.0, -3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0)
STEM_OFFSETS_MM = (-4.0, 0.0, 4.0)
"""Places along a vertex's normal where the image itself, and the stem's features, are looked at."""

COORDINATE_SCALE_MM = 50.0
CROP_CHANNELS = 7
"""Image, inside the field of view, probabilities of five tissues."""
N_REGIONS = 32
POSE_CELLS = (3, 4, 3)


def sample_at(features: Tensor, points: Tensor, grid: CropGrid) -> Tensor:
    """Trilinear features [B, C, K, J, I] at points [B, N, 3] (mm in the crop's frame): [B, N, C]."""
    lower, extent = grid.bounds(points.device, points.dtype)
    normalised = (points - lower) / extent * 2 - 1
    sampled = nn.functional.grid_sample(
        features, normalised[:, :, None, None].to(features.dtype), padding_mode="border", align_corners=False
    )
    return sampled[..., 0, 0].transpose(1, 2)


class PoseHead(nn.Module):
    """Translation, rotation and three scales for each kind of structure, from the coarsest features."""

    def __init__(self, fused_channels: int, pooled_channels: int) -> None:
        super().__init__()
        cells = POSE_CELLS[0] * POSE_CELLS[1] * POSE_CELLS[2]
        self.mlp = nn.Sequential(
            nn.Linear(2 * fused_channels * cells + pooled_channels, 256),
            nn.ReLU(inplace=True),
            nn.Linear(256, 9 * 3),
        )
        last = self.mlp[-1]
        assert isinstance(last, nn.Linear)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)

    def forward(self, levels: list[Tensor], pooled: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Translation mm, rotation vector, log scale: each [B, kinds, 3]."""
        cells = [nn.functional.adaptive_avg_pool3d(level, POSE_CELLS).flatten(1) for level in levels[-2:]]
        out = self.mlp(torch.cat([*cells, pooled], dim=1)).float().unflatten(1, (len(KINDS), 9))
        return 10.0 * out[..., :3], 0.3 * torch.tanh(out[..., 3:6]), 0.5 * torch.tanh(out[..., 6:])


class DeformationStage(nn.Module):
    """Sampled features and the state of each vertex to a displacement in millimetres.

    Part of it is given along the vertex's normal: what a vertex reads along its normal says how far the edge is, and
    one number then moves it there, whichever way the surface faces.
    """

    def __init__(
        self, channels_in: int, hidden: int, blocks: int, diffusion_steps: int, step_mm: float
    ) -> None:
        super().__init__()
        self.enter = nn.Linear(channels_in, hidden)
        self.blocks = nn.ModuleList(GraphResBlock(hidden) for _ in range(blocks))
        self.leave = nn.Linear(hidden, 4)
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)
        self.diffusion_steps = diffusion_steps
        self.step_mm = step_mm

    def forward(self, x: Tensor, normals: Tensor, graph: TemplateGraph) -> tuple[Tensor, Tensor]:
        """[B, V, channels_in], unit normals [B, V, 3] to (displacement [B, V, 3] mm, hidden state [B, V, hidden])."""
        state = torch.relu(self.enter(x))
        for block in self.blocks:
            state = block(state, graph.adjacency)
        out = self.leave(state).float()
        free = _diffused(out[..., :3], FREE_DIFFUSION_STEPS, graph)
        along = _diffused(out[..., 3:] * normals, self.diffusion_steps, graph)
        return self.step_mm * (free + along), state


def _diffused(displacement: Tensor, steps: int, graph: TemplateGraph) -> Tensor:
    for _ in range(steps):
        displacement = 0.5 * displacement + 0.5 * graph.adjacency.mean(displacement)
    return displacement


class MeshNet(nn.Module):
    """MRI2Mesh: crop [B, 7, K, J, I] (`CROP_CHANNELS`) and templates to vertices in the crop's frame.

    ``base_width``: ResNet-50 stem width (64 in the paper's encoder; 16 here trains and runs on a laptop).
    """

    def __init__(self, grid: CropGrid, base_width: int = 16, hidden: int = 64, blocks: int = 2) -> None:
        super().__init__()
        self.grid = grid
        self.encoder = ResNet50Encoder(CROP_CHANNELS, base_width)
        self.pose = PoseHead(32, self.encoder.pooled_channels)
        self.kind_embedding = nn.Embedding(len(KINDS), 8)
        self.region_embedding = nn.Embedding(N_REGIONS, 8)
        sampled = sum(self.encoder.level_channels[1:])
        profile = len(IMAGE_OFFSETS_MM) * CROP_CHANNELS + len(STEM_OFFSETS_MM) * base_width
        geometry = 3 + 3 + 3 + 16  # place now, place in the template, normal, embeddings
        self.stages = nn.ModuleList(
            DeformationStage(
                sampled + profile + geometry + (hidden if index else 0), hidden, blocks, steps, 5.0
            )
            for index, steps in enumerate(DIFFUSION_STEPS)
        )

    def place_templates(self, graph: TemplateGraph, pose: tuple[Tensor, Tensor, Tensor]) -> Tensor:
        """Templates moved by the pose head, each about its own centre: [B, V, 3]."""
        translation, rotation, log_scale = pose
        placed = []
        for part, where in enumerate(graph.slices):
            kind = KINDS.index(graph.names[part])
            vertices = graph.vertices[where]
            centre = vertices.mean(0)
            linear = rotation_matrix(rotation[:, kind]) * torch.exp(log_scale[:, kind])[:, None, :]
            moved = (vertices - centre) @ linear.transpose(1, 2)
            placed.append(moved + centre + translation[:, None, kind])
        return torch.cat(placed, dim=1)

    def _profile(
        self, features: Tensor, vertices: Tensor, normals: Tensor, offsets: tuple[float, ...]
    ) -> Tensor:
        """Features along each vertex's normal, [B, V, offsets * C]; one sampling for all offsets."""
        points = torch.cat([vertices + mm * normals for mm in offsets], dim=1)
        sampled = sample_at(features, points, self.grid).unflatten(1, (len(offsets), -1))
        return sampled.transpose(1, 2).flatten(2)

    def forward(self, crop: Tensor, graph: TemplateGraph) -> list[Tensor]:
        """Vertices [B, V, 3], mm in the crop's frame: after the pose and after every stage (the last is the result)."""
        levels, pooled = self.encoder(crop)
        vertices = self.place_templates(graph, self.pose(levels, pooled))
        embedding = torch.cat([self.kind_embedding(graph.kind), self.region_embedding(graph.region)], dim=-1)
        embedding = embedding.expand(len(crop), -1, -1)
        home = (graph.vertices / COORDINATE_SCALE_MM).expand_as(vertices)
        outputs, state = [vertices], None
        for stage in self.stages:
            # a stage reads the image where it stands; it is not taught through the reading
            here = vertices.detach()
            normals = vertex_normals(here, graph.faces)
            parts = [sample_at(level, here, self.grid) for level in levels[1:]]
            parts += [
                self._profile(crop, here, normals, IMAGE_OFFSETS_MM),
                self._profile(levels[0], here, normals, STEM_OFFSETS_MM),
            ]
            parts += [here / COORDINATE_SCALE_MM, home, normals, embedding]
            if state is not None:
                parts.append(state)
            displacement, state = stage(torch.cat([part.float() for part in parts], dim=-1), normals, graph)
            vertices = vertices + displacement
            outputs.append(vertices)
        return outputs

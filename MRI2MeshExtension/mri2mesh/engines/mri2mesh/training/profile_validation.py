"""How far displaced surfaces of left-out synthetic cases are from the truth after they were moved onto the edges."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from scipy.spatial import cKDTree
from torch import Tensor, nn

from mri2mesh.anatomy.regions import is_body
from mri2mesh.engines.mri2mesh.deformation.profiles import Block, Reader, block_around
from mri2mesh.engines.mri2mesh.networks.template_graph import TemplateGraph
from mri2mesh.engines.mri2mesh.training.displacement import Displacer
from mri2mesh.engines.mri2mesh.training.profile_levels import in_view, structures_of
from mri2mesh.engines.mri2mesh.training.validation import LEVELS, surface_figures
from mri2mesh.errors import InputError
from mri2mesh.geometry.tensors import vertex_normals
from mri2mesh.geometry.transforms import apply
from mri2mesh.imaging.volumes.intensity import normalise
from mri2mesh.synthesis.mr.case import SyntheticCase

WIDENED_MM = 1.0
"""Added to the left and the right wall of every body, as the localiser's maps are too wide."""


class ProfileValidation:
    """Mean distance along the normals of bodies, arches and discs, mm, and what `surface_figures` says of the walls.

    Every lumbar level in view, displaced at random but the same each time, and too wide by twice WIDENED_MM.
    """

    def __init__(self, cases: Sequence[SyntheticCase], graph: TemplateGraph, seed: int = 0) -> None:
        self.graph = graph
        rng = np.random.default_rng(seed)
        displacer = Displacer(graph)
        self.blocks: list[Block] = []
        self.frames = []
        starts, truths = [], []
        for case in cases:
            for level in LEVELS:
                names = structures_of(level)
                if not (all(n in case.spine.structures for n in names) and in_view(case, level)):
                    continue
                truth = np.concatenate([case.spine.structures[name].vertices for name in names])
                frame = case.spine.frames[level]
                start = displacer(truth, frame, rng)
                side = apply(np.linalg.inv(frame), truth.astype(np.float64))[:, 0]
                start += (WIDENED_MM * np.clip(side / 10, -1, 1)[:, None] * frame[:3, 0]).astype(np.float32)
                image, matrix = block_around(case.image.array, case.image.ijk_to_ras, start)
                self.blocks.append((torch.from_numpy(normalise(image)).half(), matrix))
                self.frames.append(frame)
                starts.append(torch.from_numpy(start))
                truths.append(torch.from_numpy(truth))
        if not starts:
            raise InputError("no lumbar vertebra is in view in any of the validation cases")
        self.starts, self.truths = torch.stack(starts), torch.stack(truths)

    def __call__(self, network: nn.Module) -> dict[str, float]:
        reader = Reader.of(network, self.graph)  # type: ignore[arg-type]
        moved = [reader.moved(block, start) for block, start in zip(self.blocks, self.starts, strict=True)]
        return self.figures(torch.stack(moved))

    def figures(self, found: Tensor) -> dict[str, float]:
        """found: [N, V, 3] mm RAS."""
        normals = vertex_normals(self.truths, self.graph.faces)
        off = ((found - self.truths) * normals).sum(-1).abs()
        where, disc = self.graph.slices[:2]
        body = torch.from_numpy(is_body(self.graph.region[where].cpu().numpy()))
        result = {
            "body_surface_mm": self._to_surface(found, where, body),
            "arch_surface_mm": self._to_surface(found, where, ~body),
            "body_normal_mm": float(off[:, where][:, body].mean()),
            "arch_normal_mm": float(off[:, where][:, ~body].mean()),
            "disc_normal_mm": float(off[:, disc].mean()),
        }
        local = [self._local(surfaces) for surfaces in (found, self.truths)]
        return {**result, **surface_figures(local[0], local[1], self.graph)}

    def _to_surface(self, found: Tensor, where: slice, chosen: Tensor) -> float:
        """Mean distance of the chosen vertices of one structure to its true surface, flat around its nearest vertex."""
        normals = vertex_normals(self.truths, self.graph.faces)
        off = []
        for surface, truth, normal in zip(found, self.truths, normals, strict=True):
            vertices = surface[where][chosen]
            _, nearest = cKDTree(truth[where].numpy()).query(vertices.numpy())
            off.append(((vertices - truth[where][nearest]) * normal[where][nearest]).sum(-1).abs().mean())
        return float(torch.stack(off).mean())

    def _local(self, surfaces: Tensor) -> Tensor:
        moved = [
            apply(np.linalg.inv(frame), vertices.double().numpy())
            for frame, vertices in zip(self.frames, surfaces, strict=True)
        ]
        return torch.from_numpy(np.stack(moved)).float()

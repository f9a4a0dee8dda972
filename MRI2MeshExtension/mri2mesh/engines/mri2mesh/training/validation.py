"""How well a network does on synthetic cases it never learns from, wall by wall.

A single mean distance hides what matters for a screw or an implant: whether bodies come out too wide. Each wall has a
signed error, outside the truth positive.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor, nn

from mri2mesh.anatomy.regions import is_body
from mri2mesh.anatomy.semantic import Semantic
from mri2mesh.anatomy.structures import disc_name
from mri2mesh.engines.mri2mesh.deformation.crops import network_crop
from mri2mesh.engines.mri2mesh.networks.localiser import SPACING_MM
from mri2mesh.engines.mri2mesh.networks.template_graph import TemplateGraph
from mri2mesh.engines.mri2mesh.training.localiser import CoarseView
from mri2mesh.engines.mri2mesh.training.mesh_samples import CropView, jitter_frame
from mri2mesh.errors import InputError
from mri2mesh.geometry.tensors import vertex_normals
from mri2mesh.geometry.transforms import apply
from mri2mesh.imaging.volumes.crop import CropGrid
from mri2mesh.networks.layout import fast_tensor
from mri2mesh.synthesis.mr.case import SyntheticCase

WALLS = {"left": (0, -1), "right": (0, 1), "front": (1, 1), "back": (1, -1), "top": (2, 1), "bottom": (2, -1)}
"""Axis and sign of each wall's normal in the frame of a vertebra."""

FACING = 0.7
LEVELS = ("L1", "L2", "L3", "L4", "L5")
BATCH = 4
NEAR_MM = {"width": 16.0, "depth": 12.0, "height": 4.0}
"""How far beyond a true body its map is looked at; no further up and down, where the next body comes."""


def validation_cases(folder: Path) -> list[SyntheticCase]:
    """All cases of a folder. Raises InputError when there is none."""
    paths = sorted(Path(folder).glob("*.npz"))
    if not paths:
        raise InputError(f"{folder} holds no synthetic cases (*.npz) to validate on")
    return [SyntheticCase.load(path) for path in paths]


def surface_figures(found: Tensor, targets: Tensor, graph: TemplateGraph) -> dict[str, float]:
    """Errors in mm of surfaces [N, V, 3] found, against the true ones, both in frames whose axes are the vertebrae's.

    Mean distance of corresponding vertices of bodies, arches and discs; the signed error of each wall of the bodies,
    and how much the error of the width varies from body to body.
    """
    where = graph.slices[0]
    off = found - targets
    distance = off.norm(dim=-1)
    regions = graph.region[where].cpu().numpy()
    body = torch.from_numpy(is_body(regions))
    figures = {
        "body_mm": float(distance[:, where][:, body].mean()),
        "arch_mm": float(distance[:, where][:, ~body].mean()),
        "disc_mm": float(distance[:, graph.slices[1]].mean()),
    }
    faces = graph.faces_of(0).cpu()
    normals = vertex_normals(targets[:, where], faces)
    outside = (off[:, where] * normals).sum(-1)
    for name, (axis, sign) in WALLS.items():
        there = (sign * normals[..., axis] > FACING) & body
        figures[f"{name}_mm"] = float(outside[there].mean())
    sides = torch.stack(
        [
            torch.stack([o[(s * n[:, 0] > FACING) & body].mean() for s in (-1, 1)]).sum()
            for o, n in zip(outside, normals, strict=True)
        ]
    )
    figures["width_sd_mm"] = float(sides.std())
    return figures


class SurfaceValidation:
    """Mean distance of corresponding vertices of bodies and discs, mm, and the signed error of each wall of the bodies.

    Every lumbar level of every case, in frames misplaced at random but the same each time; tissues are the localiser's
    own where there is one.
    """

    def __init__(
        self,
        cases: Sequence[SyntheticCase],
        graph: TemplateGraph,
        grid: CropGrid,
        localiser: nn.Module | None = None,
        seed: int = 0,
    ) -> None:
        self.graph = graph
        rng = np.random.default_rng(seed)
        crops, targets = [], []
        for case in cases:
            view = CropView(case, localiser)
            for level in LEVELS:
                if level not in view.levels:
                    continue
                frame = jitter_frame(view.sized_frame(level), rng)
                tissues = view.seen_tissues or view.true_tissues
                crops.append(network_crop(view.image, tissues, frame, grid).half())
                names = [level, disc_name(level)]
                world = np.concatenate([view.spine.structures[name].vertices for name in names])
                targets.append(torch.from_numpy(apply(np.linalg.inv(frame), world)).float())
        if not crops:
            raise InputError("no lumbar vertebra is in view in any of the validation cases")
        self.crops, self.targets = torch.stack(crops), torch.stack(targets)

    def __call__(self, network: nn.Module) -> dict[str, float]:
        device = next(network.parameters()).device
        found = []
        for n in range(0, len(self.crops), BATCH):
            crop = fast_tensor(self.crops[n : n + BATCH].float().to(device))
            found.append(network(crop, self.graph)[-1].float().cpu())
        return self.figures(torch.cat(found))

    def figures(self, found: Tensor) -> dict[str, float]:
        """found: [N, V, 3] vertices in the frames of the crops."""
        return surface_figures(found, self.targets, self.graph)


class LocaliserValidation:
    """Dice of bodies and discs, and by how many mm the map of the bodies is too wide, too deep and too tall.

    The last three are sums of probability along lines through the true bodies, both walls together.
    """

    def __init__(self, cases: Sequence[SyntheticCase]) -> None:
        self.views = [CoarseView(case) for case in cases]

    def __call__(self, network: nn.Module) -> dict[str, float]:
        rows = [self._case(network, view) for view in self.views]
        return {name: float(np.nanmean([row[name] for row in rows])) for name in rows[0]}

    @staticmethod
    def _case(network: nn.Module, view: CoarseView) -> dict[str, float]:
        device = next(network.parameters()).device
        stride = int(getattr(network, "stride", 16))
        pads = [(0, (-n) % stride) for n in view.labels.shape]
        image = np.pad(view.image.astype(np.float32), pads)
        out = network(fast_tensor(torch.from_numpy(image)[None, None].to(device)))[0].float().cpu()
        k, j, i = view.labels.shape
        seen = out[: len(Semantic), :k, :j, :i].softmax(0).numpy()
        figures = {}
        for name, label in (("dice_body", Semantic.BODY), ("dice_disc", Semantic.DISC)):
            true = view.labels == label
            figures[name] = float(2 * seen[label][true].sum() / (seen[label].sum() + true.sum()))
        true = view.labels == Semantic.BODY
        for axis, (name, reach) in zip((2, 1, 0), NEAR_MM.items(), strict=True):
            spacing = SPACING_MM[2 - axis]
            line = np.ones([3 if a == axis else 1 for a in range(3)], bool)
            near = ndimage.binary_dilation(true, line, iterations=max(round(reach / spacing), 1))
            crossed = true.any(axis=axis).sum() or np.nan
            figures[f"{name}_mm"] = float((seen[Semantic.BODY][near].sum() - true.sum()) * spacing / crossed)
        return figures

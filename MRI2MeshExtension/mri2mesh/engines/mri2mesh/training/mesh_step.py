"""One training step of the deformation network."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mri2mesh.engines.mri2mesh.networks.template_graph import TemplateGraph
from mri2mesh.engines.mri2mesh.training.supervision import Supervision
from mri2mesh.networks.layout import fast_tensor


class MeshStep:
    """Runs a batch, asks the supervision, and notes the true error in millimetres beside the loss.

    The error (mean distance of corresponding vertices) is only written down: no gradient comes from it.
    """

    def __init__(self, graphs: dict[str, TemplateGraph], supervision: Supervision, first: int = 0) -> None:
        self.graphs, self.supervision, self.count = graphs, supervision, first

    def __call__(self, network: nn.Module, batch: dict) -> tuple[Tensor, dict[str, float]]:
        graph = self.graphs[batch["graph"]]
        device = graph.vertices.device
        crop, target = (
            batch["crop"].to(device, non_blocking=True),
            batch["target"].to(device, non_blocking=True),
        )
        outputs = network(fast_tensor(crop), graph)
        with torch.autocast(device.type, enabled=False):
            losses = self.supervision([x.float() for x in outputs], target, graph, seed=self.count)
        self.count += 1
        figures = {}
        if batch["graph"] == "level":  # S1 batches are few: their figures would only jitter the others' means
            figures = {name: float(value.detach()) for name, value in losses.items()}
            for stage in (0, -1):
                distance = (outputs[stage].detach() - target).norm(dim=-1)
                for part, kind in enumerate(graph.names):
                    figures[f"mm_{kind}_{'placed' if stage == 0 else 'final'}"] = float(
                        distance[:, graph.slices[part]].mean()
                    )
        return torch.stack(list(losses.values())).sum(), figures

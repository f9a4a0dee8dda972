"""Fine-tuning by rendering alone: silhouettes and depth against contours that were drawn on some or all slices."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mri2mesh.engines.mri2mesh.networks.template_graph import TemplateGraph
from mri2mesh.engines.mri2mesh.training.supervision import DEPTH_WEIGHT, VIEW_SIZE, Regulariser
from mri2mesh.learning.losses import both_on, depth_l1_loss, dice_loss
from mri2mesh.rendering.cameras import OrthographicCameras
from mri2mesh.rendering.label_targets import LabelTargets
from mri2mesh.rendering.soft import blur_for, render_soft


class LabelledStep:
    """One step on a batch of `LabelledSamples`; where nothing was drawn only the regularisers speak."""

    def __init__(self, graph: TemplateGraph) -> None:
        self.graph = graph
        self.regularise = Regulariser()

    def __call__(self, network: nn.Module, batch: dict) -> tuple[Tensor, dict[str, float]]:
        device = self.graph.vertices.device
        outputs = network(batch["crop"].to(device), self.graph)
        losses = {"regular": self.regularise(outputs, self.graph)}
        for part, kind in enumerate(self.graph.names):
            targets = LabelTargets(*(t.to(device) for t in batch["targets"][kind]))
            rows = torch.arange(len(batch["crop"]), device=device)
            groups = {False: rows}
            if kind == "vertebra":
                bodies_only = batch["bodies_only"].to(device)
                groups = {False: rows[~bodies_only], True: rows[bodies_only]}
            for body, chosen in groups.items():
                if len(chosen):
                    loss = self._compare(outputs[-1], part, batch, kind, targets, chosen, body)
                    losses[f"{kind}_body" if body else kind] = loss * len(chosen) / len(rows)
        total = torch.stack(list(losses.values())).sum()
        return total, {name: float(value.detach()) for name, value in losses.items()}

    def _compare(
        self,
        vertices: Tensor,
        part: int,
        batch: dict,
        kind: str,
        targets: LabelTargets,
        chosen: Tensor,
        body: bool,
    ) -> Tensor:
        """Dice and depth of some rows of the batch; ``body``: only the faces of the vertebral body are shown."""
        where = self.graph.slices[part]
        faces = self.graph.body_faces_of(part) if body else self.graph.faces_of(part)
        pixels, size_mm = VIEW_SIZE[kind]
        centre = batch["centre"][kind].to(faces.device)[chosen]
        cameras = OrthographicCameras(batch["rotation"].to(faces.device), centre, size_mm, (pixels, pixels))
        sigma, blur_radius = blur_for(cameras, 0.8)
        # Label maps are hard targets: a sharper edge and a softer depth fit them without shrinking.
        # Both sides of the faces are shown: an open body still hides what is behind it.
        seen = render_soft(
            vertices[chosen][:, where].float(), faces, cameras, sigma, 2.5 / (2 * cameras.far_mm), blur_radius
        )
        wanted, valid = targets.silhouette[chosen], targets.valid[chosen]
        dice = dice_loss(seen.silhouette, wanted, valid)
        mask = both_on(seen.silhouette, wanted, targets.depth_valid[chosen])
        return dice + DEPTH_WEIGHT * depth_l1_loss(seen.depth, targets.depth[chosen], mask)

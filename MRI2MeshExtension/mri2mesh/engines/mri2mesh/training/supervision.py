"""The loss of the deformation network: rendered images of the surface, or 3D points, as a switch.

`RenderingSupervision` is MRI2Mesh's: Dice on soft silhouettes and L1 on depth in several views, nothing else about
the true surface. Of a vertebra the body is rendered once more by itself, because the arch hides its back, and bodies
and discs also inside out: the surface that a ray leaves through shows as much as the one that it enters.
`ChamferSupervision` is the usual 3D loss, on points sampled from both surfaces. Both add the same regularisers,
relative to the placed template: neither flattens what is sharp in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

import torch
from scipy.spatial.transform import Rotation
from torch import Tensor

from mri2mesh.engines.mri2mesh.networks.template_graph import TemplateGraph
from mri2mesh.geometry.tensors import vertex_normals
from mri2mesh.geometry.topology import MeshTopology
from mri2mesh.learning.losses import (
    chamfer_loss,
    depth_l1_loss,
    dice_loss,
    edge_length_loss,
    laplacian_loss,
    normal_consistency_loss,
    sample_points,
    sliding_loss,
)
from mri2mesh.rendering.cameras import OrthographicCameras, axis_views
from mri2mesh.rendering.soft import SoftImages, blur_for, render_soft

VIEW_SIZE = {"vertebra": (64, 2.0), "body": (48, 1.5), "disc": (48, 1.5), "sacrum": (48, 2.0)}
"""Pixels across and pixel size in mm of the images of each kind."""

INSIDE_OUT = ("body", "disc", "sacrum")
"""Kinds that are shown from inside as well."""

DEPTH_WEIGHT = 0.1
"""Weight of a millimetre of depth error: 10 mm weigh as much as no overlap at all."""


GAMMA_MM = 0.5
"""Depth over which surfaces one behind the other blend; less biases a fit to soft targets."""

CHAMFER_WEIGHT = 0.05
"""Weight of a square millimetre of Chamfer distance."""


class Supervision(Protocol):
    def __call__(
        self, outputs: list[Tensor], target: Tensor, graph: TemplateGraph, seed: int
    ) -> dict[str, Tensor]:
        """Named losses of the network's outputs [B, V, 3] against the true vertices [B, V, 3]."""


class Regulariser:
    """Laplacian, normal consistency, edge length and sliding, against the placed template (the first output)."""

    def __init__(self) -> None:
        self.topologies: dict[int, MeshTopology] = {}

    def __call__(self, outputs: list[Tensor], graph: TemplateGraph) -> Tensor:
        topology = self.topologies.get(id(graph))
        if topology is None:
            topology = MeshTopology.from_faces(graph.faces, len(graph.vertices))
            self.topologies[id(graph)] = topology
        placed, final = outputs[0].detach(), outputs[-1]
        return (
            0.3 * laplacian_loss(final, topology, reference=placed)
            + 0.3 * normal_consistency_loss(final, topology, reference=placed)
            + 0.02 * edge_length_loss(final, topology)
            + 0.02 * sliding_loss(final, placed, vertex_normals(placed, graph.faces))
        )


class RenderingSupervision:
    """Silhouettes and depths in ``views`` random orthogonal directions per step."""

    def __init__(self, views: int = 2) -> None:
        self.views = views
        self.regularise = Regulariser()

    def _rotations(self, seed: int) -> Tensor:
        """[views, 3, 3]: some of the six axis views, turned together by a random rotation of up to 45 degrees or so."""
        generator = torch.Generator().manual_seed(seed)
        axes = axis_views()
        # opposite views show the same silhouette, and their two depths are this view's entering and leaving ones
        sides = torch.tensor([0, 2, 4])[torch.randperm(3, generator=generator)[: self.views]]
        sides = sides + torch.randint(0, 2, sides.shape, generator=generator)
        turn = Rotation.from_rotvec((0.4 * torch.randn(3, generator=generator)).numpy()).as_matrix()
        return axes[sides] @ torch.from_numpy(turn).float()

    def __call__(
        self, outputs: list[Tensor], target: Tensor, graph: TemplateGraph, seed: int
    ) -> dict[str, Tensor]:
        rotations = self._rotations(seed).to(target.device)
        total: dict[str, Tensor] = {}
        for kind, where, faces in self._shown(graph):
            truth, guess = target[:, where], outputs[-1][:, where]
            pixels, size_mm = VIEW_SIZE[kind]
            used = truth[:, faces.unique()]
            centre = 0.5 * (used.amin(1) + used.amax(1))
            cameras = OrthographicCameras(rotations, centre, size_mm, (pixels, pixels))
            sides = [faces, faces.flip(1)] if kind in INSIDE_OUT else [faces]
            for side, shown in enumerate(sides):
                with torch.no_grad():
                    wanted = self._images(truth, shown, cameras)
                seen = self._images(guess, shown, cameras)
                both = (wanted.silhouette > 0.5) & (seen.silhouette > 0.5)
                depth = DEPTH_WEIGHT / len(sides) * depth_l1_loss(seen.depth, wanted.depth, both)
                total[f"depth_{kind}"] = total.get(f"depth_{kind}", 0.0) + depth
                if side == 0:
                    total[f"dice_{kind}"] = dice_loss(seen.silhouette, wanted.silhouette)
        total["regular"] = self.regularise(outputs, graph)
        return total

    @staticmethod
    def _shown(graph: TemplateGraph) -> Iterator[tuple[str, slice, Tensor]]:
        """What is rendered: its name in VIEW_SIZE, its vertices in the graph, its faces within them."""
        for part, kind in enumerate(graph.names):
            yield kind, graph.slices[part], graph.faces_of(part)
            if kind == "vertebra":
                yield "body", graph.slices[part], graph.body_faces_of(part)

    @staticmethod
    def _images(vertices: Tensor, faces: Tensor, cameras: OrthographicCameras) -> SoftImages:
        sigma, blur_radius = blur_for(cameras)
        return render_soft(
            vertices, faces, cameras, sigma, GAMMA_MM / (2 * cameras.far_mm), blur_radius, cull_backfaces=True
        )


class ChamferSupervision:
    """Symmetric Chamfer distance between ``points`` samples of either surface, in millimetres."""

    def __init__(self, points: int = 1500) -> None:
        self.points = points
        self.regularise = Regulariser()

    def __call__(
        self, outputs: list[Tensor], target: Tensor, graph: TemplateGraph, seed: int
    ) -> dict[str, Tensor]:
        generator = torch.Generator(device=target.device).manual_seed(seed)
        total: dict[str, Tensor] = {}
        for part, kind in enumerate(graph.names):
            where, faces = graph.slices[part], graph.faces_of(part)
            with torch.no_grad():
                points, _ = sample_points(target[:, where], faces, self.points, generator)
            total[f"chamfer_{kind}"] = CHAMFER_WEIGHT * chamfer_loss(
                outputs[-1][:, where], faces, points, n_samples=self.points, generator=generator
            )
        total["regular"] = self.regularise(outputs, graph)
        return total


SUPERVISIONS: dict[str, Callable[[], Supervision]] = {
    "rendering": RenderingSupervision,
    "chamfer": ChamferSupervision,
}

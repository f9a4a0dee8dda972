"""A shape model as tensors: the surfaces that a fit moves through."""

from __future__ import annotations

import torch
from torch import Tensor

from mri2mesh.anatomy.shape_models.lighter import lighter
from mri2mesh.anatomy.shape_models.model import ShapeModel
from mri2mesh.geometry.tensors import vertex_normals
from mri2mesh.rendering.surfaces import ClosedSurfaces

CORTEX_MM = 1.8
"""A thickness for all bones: it decides how much brighter their rims are, not where they are."""


class SurfaceFamily:
    """Surfaces mean + b basis around their centre, in float64 on one device.

    mean: [V, 3] mm, its centroid in the origin; centre: [3], where that centroid is in the frame of the model (given
    where it is another's).
    basis: [M, V, 3] mm per standard deviation; steps: the same in float32. n_own: how many modes, the first, are the
    model's own; the others are local.
    surfaces: all parts as one, for their shadows add up. layers: they and the inner ones of their cortex, over
    2 V vertices. cortex_mm: how far in those are. landmarks: name -> vertex indices.
    """

    def __init__(
        self,
        model: ShapeModel,
        device: torch.device | str = "cpu",
        cortex_mm: float = CORTEX_MM,
        centre: Tensor | None = None,
    ) -> None:
        mean = torch.as_tensor(model.mean, dtype=torch.float64)
        self.centre = mean.mean(0) if centre is None else centre
        self.model = model
        self.mean = (mean - self.centre).to(device)
        deviations = torch.as_tensor(model.deviations, dtype=torch.float64)
        modes = torch.as_tensor(model.modes).double().contiguous()
        self.basis = (modes * deviations[:, None, None]).to(device)
        self.faces = torch.as_tensor(model.faces).long().to(device)
        self.cortex_mm = cortex_mm
        self.surfaces = ClosedSurfaces.of(self.faces, len(mean))
        both = torch.cat([self.faces, self.faces + len(mean)])
        layer = torch.arange(2).repeat_interleave(len(self.faces))
        self.layers = ClosedSurfaces.of(both, 2 * len(mean), layer.to(device))
        self.steps = self.basis.float()
        self.n_own = len(self.basis) - model.local
        self.landmarks = {name: torch.as_tensor(group).long() for name, group in model.landmarks.items()}

    def lighter(self, faces: int) -> SurfaceFamily:
        """The same family with fewer faces: the same parameters mean the same surface."""
        if len(self.faces) <= faces:
            return self
        small = lighter(self.model, faces)
        return SurfaceFamily(small, self.mean.device, self.cortex_mm, self.centre)

    @property
    def n_modes(self) -> int:
        return len(self.basis)

    def local(self, coefficients: Tensor) -> Tensor:
        """[B, V, 3] around the origin, of coefficients [B, M]."""
        moved = coefficients @ self.basis.flatten(1)
        return self.mean + moved.view(len(coefficients), *self.mean.shape)

    def with_cortex(self, vertices: Tensor) -> Tensor:
        """[B, 2 V, 3]: outer surfaces [B, V, 3] and, behind them, the inner ones of the cortex."""
        normals = vertex_normals(vertices, self.faces)
        return torch.cat([vertices, vertices - self.cortex_mm * normals], 1)

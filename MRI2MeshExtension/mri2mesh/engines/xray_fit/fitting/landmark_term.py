"""Landmarks picked in a radiograph: how far from them the model's own fall."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from mri2mesh.engines.xray_fit.fitting.family import SurfaceFamily
from mri2mesh.engines.xray_fit.fitting.image_term import Linearised
from mri2mesh.engines.xray_fit.fitting.parameters import Parameters
from mri2mesh.engines.xray_fit.fitting.yardstick import Yardstick
from mri2mesh.errors import InputError
from mri2mesh.geometry.xray_camera import XrayCamera
from mri2mesh.rendering.projective import ProjectiveCameras


class LandmarkTerm:
    """Distances on the detector between picked points and projected landmarks, in standard deviations.

    picked: name -> (column, row) in pixels of the camera. deviation_mm: how well landmarks are picked, at the detector.
    Raises InputError for a name that the model does not have.
    """

    def __init__(
        self,
        picked: Mapping[str, tuple[float, float]],
        camera: XrayCamera,
        view: int,
        family: SurfaceFamily,
        deviation_mm: float = 4.0,
    ) -> None:
        if unknown := [name for name in picked if name not in family.landmarks]:
            raise InputError(
                f"this shape model has no landmark {unknown[0]!r}: use {', '.join(sorted(family.landmarks))}"
            )
        self.noise = 1.0
        self.view, self.family, self.deviation_mm = view, family, deviation_mm
        self.cameras = ProjectiveCameras.of([camera])
        device = family.mean.device
        self.groups = [family.landmarks[name].to(device) for name in picked]
        row_mm, column_mm = camera.pixel_spacing_mm
        self.unit = torch.tensor([column_mm, row_mm], dtype=torch.float64, device=device) / deviation_mm
        self.target = torch.tensor(list(picked.values()), dtype=torch.float64, device=device)

    def cost(self, at: Parameters, yardstick: Yardstick | None = None) -> Tensor:
        """[B] half the sum of squares. yardstick: not used, landmarks have their own."""
        return 0.5 * self._residual(at).square().sum((1, 2))

    def rank_cost(self, at: Parameters) -> Tensor:
        """[B] the cost: it is the same wherever a candidate lies."""
        return self.cost(at)

    def linearise(self, at: Parameters, n_shape: int | None = None) -> tuple[Linearised, Yardstick]:
        """As `ImageTerm.linearise`."""
        vertices = at.vertices(self.family)
        points = self._mean(at.seen(vertices, self.view), 1)
        moved = self._mean(at.directions(self.family, vertices, self.view, n_shape), 2)
        change = self.cameras.project_directions(points, moved)[:, 0, :, :, :2] * self.unit
        jacobian = change.flatten(2).mT
        residual = self._residual(at).flatten(1)
        slope = (jacobian.mT @ residual[..., None])[..., 0]
        cost = 0.5 * residual.square().sum(1)
        return Linearised(cost, jacobian.mT @ jacobian, slope), Yardstick(torch.ones_like(cost))

    def distance_mm(self, at: Parameters) -> Tensor:
        """[B, landmarks] mm on the detector."""
        return self._residual(at).norm(dim=-1) * self.deviation_mm

    def _residual(self, at: Parameters) -> Tensor:
        points = self._mean(at.seen(at.vertices(self.family), self.view), 1)
        return (self.target - self.cameras.project(points)[:, 0, :, :2]) * self.unit

    def _mean(self, values: Tensor, axis: int) -> Tensor:
        return torch.stack([values.index_select(axis, group).mean(axis) for group in self.groups], axis)

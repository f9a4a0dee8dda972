"""How deep the hip joints lie along the beam, held where the geometry says: one view does not show it.

A small bone near the source and a large one far from it cast nearly the same shadow. What little perspective shows of
the difference is less than what a shape model gets wrong, and counted as an image's other details it carries a bone
tens of millimetres along the beam. So the joints are held at their expected depth, the size of the bone answers to the
size of its shadow there, and the result states how surely that depth is known.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mri2mesh.engines.xray_fit.fitting.family import SurfaceFamily
from mri2mesh.engines.xray_fit.fitting.image_term import Linearised
from mri2mesh.engines.xray_fit.fitting.parameters import SCALE, Parameters
from mri2mesh.engines.xray_fit.fitting.yardstick import Yardstick

HIPS = ("acetabulum_centre_left", "acetabulum_centre_right")
JOINTS = {
    "pelvis": HIPS,
    "pelvis_femur": HIPS,
    "femur_left": ("femoral_head_centre_left",),
    "femur_right": ("femoral_head_centre_right",),
}
"""Shape model to the landmarks between which its hip joints lie."""

WEIGHT = 100.0
"""How many times as much the expected depth weighs as its standard deviation says. Of 15 single views of pelves the
images drew 12 farther from the true depth than the expected depth was: so what they say of it is hardly counted. The
stated uncertainty is the standard deviation's all the same."""


@dataclass(frozen=True)
class HeldDepth:
    """place: [3] RAS mm of the joints, of which only what is along the beam counts. beam: [3] unit vector. sd_mm: how
    far from there they may lie."""

    place: NDArray[np.float64]
    beam: NDArray[np.float64]
    sd_mm: float

    def moved_to(self, place: NDArray) -> HeldDepth:
        """The same depth's standard deviation at another place."""
        return HeldDepth(np.asarray(place, dtype=np.float64), self.beam, self.sd_mm)


class DepthTerm:
    """The mean of some landmarks of a surface, held along the beam. It is a term of a cost, as `ImageTerm` is one."""

    view = 0

    def __init__(self, held: HeldDepth, family: SurfaceFamily, names: tuple[str, ...]) -> None:
        self.noise = WEIGHT
        groups = [family.landmarks[name].to(family.mean.device) for name in names]
        # a mean of vertices moves with the shape as they do, so one point stands for them
        self.mean = torch.stack([family.mean[group].mean(0) for group in groups]).mean(0)
        self.basis = torch.stack([family.basis[:, group].mean(1) for group in groups]).mean(0)
        self.direction = torch.from_numpy(held.beam).to(self.mean) * (WEIGHT**0.5 / held.sd_mm)
        self.target = torch.from_numpy(held.place).to(self.mean) @ self.direction

    def cost(self, at: Parameters, yardstick: Yardstick | None = None) -> Tensor:
        """[B] half the square of the distance, in standard deviations, times the weight. yardstick: not used."""
        return 0.5 * self._residual(at).square()

    def rank_cost(self, at: Parameters) -> Tensor:
        """[B] the cost: it is the same wherever a candidate lies."""
        return self.cost(at)

    def linearise(self, at: Parameters, n_shape: int | None = None) -> tuple[Linearised, Yardstick]:
        """As `ImageTerm.linearise`."""
        modes = len(self.basis) if n_shape is None else n_shape
        offset, residual = self._offset(at), self._residual(at)
        slope = offset.new_zeros(len(at), 7 + modes + 6)
        slope[:, :3] = torch.linalg.cross(offset, self.direction.expand_as(offset))
        slope[:, 3:6] = self.direction
        slope[:, SCALE] = offset @ self.direction
        turned = at.log_scale.exp()[:, None, None] * (self.basis[:modes] @ at.rotation.mT)
        slope[:, 7:-6] = turned @ self.direction
        return (
            Linearised(
                0.5 * residual.square(), slope[:, :, None] * slope[:, None], slope * residual[:, None]
            ),
            Yardstick(torch.ones_like(residual)),
        )

    def off_mm(self, at: Parameters) -> Tensor:
        """[B] mm from the expected depth, deeper ones positive."""
        return -self._residual(at) / self.direction.norm()

    def _offset(self, at: Parameters) -> Tensor:
        """[B, 3] mm from the middle of the surface to the joints."""
        point = self.mean + at.coefficients @ self.basis
        return at.log_scale.exp()[:, None] * (at.rotation @ point[..., None])[..., 0]

    def _residual(self, at: Parameters) -> Tensor:
        return self.target - (at.position + self._offset(at)) @ self.direction


def held_by(depth: HeldDepth | None, family: SurfaceFamily) -> list[DepthTerm]:
    """The terms that hold a family of `JOINTS` at a depth: one, or none where there is no depth."""
    return [] if depth is None else [DepthTerm(depth, family, JOINTS[family.model.name])]

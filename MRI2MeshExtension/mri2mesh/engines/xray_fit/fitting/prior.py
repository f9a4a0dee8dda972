"""What is known before the image is looked at: the population of shapes, about where the patient is, and how well the
geometry is known."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from mri2mesh.engines.xray_fit.fitting.parameters import SCALE, Parameters, turn_of
from mri2mesh.errors import InputError


@dataclass(frozen=True)
class PriorSettings:
    """Standard deviations. depth_mm, across_mm: of the start's position along the beam and across it; one view hardly
    distinguishes a near small bone from a far large one, so the first matters. turn_deg: of the start's orientation.
    scale: of the logarithm of the scale; 0 where the shape model knows sizes. view_turn_deg, view_shift_mm: how wrong
    the geometry of each view may be; 0 where it is exact."""

    depth_mm: float = 15.0
    across_mm: float = 100.0
    turn_deg: float = 30.0
    scale: float = 0.0
    view_turn_deg: float = 0.0
    view_shift_mm: float = 0.0

    def with_views_fixed(self) -> PriorSettings:
        """The same, but the geometry of each view taken for exact: views that may slide against each other from the
        start give away the depth that they show together."""
        return replace(self, view_turn_deg=0.0, view_shift_mm=0.0)

    def __post_init__(self) -> None:
        known = (self.scale, self.view_turn_deg, self.view_shift_mm)
        if not min(self.depth_mm, self.across_mm, self.turn_deg) > 0 or min(known) < 0:
            raise InputError("the standard deviations of a fit's prior must be positive")


class Prior:
    """Gaussian, around the start. beam: [3] the mean direction of the views. n_shape: how many modes may move."""

    def __init__(self, start: Parameters, beam: Tensor, settings: PriorSettings) -> None:
        self.start, self.beam, self.settings = start, beam, settings
        along = torch.outer(beam, beam).to(start.position)
        across = torch.eye(3).to(along) - along
        self.place = along / settings.depth_mm**2 + across / settings.across_mm**2

    def around(self, start: Parameters) -> Prior:
        """The same around other starts."""
        return Prior(start, self.beam, self.settings)

    def of(self, candidate: int) -> Prior:
        """The prior of one candidate."""
        return self.around(self.start.take(torch.tensor([candidate])))

    def free(self, n_shape: int) -> Tensor:
        """[n_steps] which steps may be taken: pose always, the rest where its deviation is not 0."""
        at, views = self.start, self.start.view_turn.shape[1]
        free = torch.zeros(at.n_steps, dtype=torch.bool)
        free[:6] = True
        free[SCALE] = self.settings.scale > 0
        free[7 : 7 + n_shape] = True
        own = torch.tensor([self.settings.view_turn_deg > 0] * 3 + [self.settings.view_shift_mm > 0] * 3)
        # one view's own pose cannot be distinguished from the common one
        free[7 + at.coefficients.shape[1] :] = own.repeat(views) & (views > 1)
        return free.to(at.position.device)

    def precision(self) -> Tensor:
        """[n_steps, n_steps]."""
        at, settings = self.start, self.settings
        diagonal = at.position.new_zeros(at.n_steps)
        modes = at.coefficients.shape[1]
        diagonal[:3] = _precision(math.radians(settings.turn_deg))
        diagonal[SCALE] = _precision(settings.scale)
        diagonal[7 : 7 + modes] = 1.0
        own = [_precision(math.radians(settings.view_turn_deg))] * 3 + [
            _precision(settings.view_shift_mm)
        ] * 3
        diagonal[7 + modes :] = diagonal.new_tensor(own).repeat(at.view_turn.shape[1])
        result = diagonal.diag()
        result[3:6, 3:6] = self.place
        return result

    def deviation(self, at: Parameters) -> Tensor:
        """[B, n_steps] how far from what is expected."""
        turned = turn_of(at.rotation @ self.start.rotation.mT)
        own = torch.cat([turn_of(at.view_turn), at.view_shift], -1).flatten(1)
        shifted = at.position - self.start.position
        return torch.cat([turned, shifted, at.log_scale[:, None], at.coefficients, own], 1)

    def cost(self, at: Parameters) -> Tensor:
        """[B]."""
        deviation = self.deviation(at)
        return 0.5 * torch.einsum("bi,ij,bj->b", deviation, self.precision(), deviation)


def _precision(deviation: float) -> float:
    return 1 / deviation**2 if deviation > 0 else 0.0

"""What a fit changes: pose, scale, shape, and small corrections to the pose of each view.

Steps are vectors in a fixed order: turn (3, radians about the patient's axes), shift (3, mm), log scale (1), shape (M,
standard deviations), then for each view a turn and a shift of its own (6 each).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from mri2mesh.engines.xray_fit.fitting.family import SurfaceFamily
from mri2mesh.geometry.tensors import rotation_matrix

SCALE = 6
"""Index of the logarithm of the scale in a step."""


@dataclass(frozen=True)
class Parameters:
    """B candidates of a fit with N views, float64.

    rotation: [B, 3, 3] and position: [B, 3] mm, of the centre of the surface in patient RAS. log_scale: [B].
    coefficients: [B, M]. view_turn: [B, N, 3, 3] and view_shift: [B, N, 3]: how the surface is turned about its
    centre and shifted before it is seen in each view, because the geometry of that view is not quite the given one.
    """

    rotation: Tensor
    position: Tensor
    log_scale: Tensor
    coefficients: Tensor
    view_turn: Tensor
    view_shift: Tensor

    @classmethod
    def at(cls, rotation: Tensor, position: Tensor, n_modes: int, n_views: int) -> Parameters:
        """The mean shape at poses [B, 3, 3], [B, 3]."""
        like = rotation.double()
        batch = len(like)
        eye = torch.eye(3, dtype=torch.float64, device=like.device)
        return cls(
            like,
            position.double(),
            like.new_zeros(batch),
            like.new_zeros(batch, n_modes),
            eye.expand(batch, n_views, 3, 3).clone(),
            like.new_zeros(batch, n_views, 3),
        )

    def __len__(self) -> int:
        return len(self.rotation)

    @property
    def n_steps(self) -> int:
        """Length of a step."""
        return 7 + self.coefficients.shape[1] + 6 * self.view_turn.shape[1]

    def vertices(self, family: SurfaceFamily) -> Tensor:
        """[B, V, 3] mm, patient RAS."""
        scale = self.log_scale.exp()[:, None, None]
        return scale * family.local(self.coefficients) @ self.rotation.mT + self.position[:, None]

    def seen(self, vertices: Tensor, view: int) -> Tensor:
        """[B, V, 3] the surface as it has to stand for the given geometry of a view to show it."""
        offset = vertices - self.position[:, None]
        shift = (self.position + self.view_shift[:, view])[:, None]
        return offset @ self.view_turn[:, view].mT + shift

    def by_first_view(self, family: SurfaceFamily) -> Tensor:
        """[B, V, 3] the surface in the patient's axes.

        Corrections of the views leave open which of them those axes go by; here it is the first. The place is the
        common one, because a wrong distance shifts each view along its own beam.
        """
        offset = self.vertices(family) - self.position[:, None]
        return offset @ self.view_turn[:, 0].mT + self.position[:, None]

    def directions(
        self, family: SurfaceFamily, vertices: Tensor, view: int, n_shape: int | None = None
    ) -> Tensor:
        """[B, 7 + m + 6, V, 3] float32: how the surface seen in a view moves with each step that it feels: the common
        ones with the first m modes (``n_shape``; by default all), then those of the view itself."""
        modes = family.n_modes if n_shape is None else n_shape
        turn = self.view_turn[:, view]
        offset = vertices - self.position[:, None]
        turned = (offset @ turn.mT).float()
        rotation = (self.log_scale.exp()[:, None, None] * turn @ self.rotation).float()
        shape = (len(self), modes, *family.mean.shape)
        result = turned.new_zeros(len(self), 7 + modes + 6, *family.mean.shape)
        result[:, :3] = _spins(offset.float()) @ turn.mT[:, None].float()
        result[:, SCALE] = turned
        result[:, 7:-6] = (family.steps[:modes].reshape(1, -1, 3) @ rotation.mT).view(shape)
        result[:, -6:-3] = _spins(turned)
        for axis in range(3):
            result[:, 3 + axis, :, axis] = 1.0
            result[:, -3 + axis, :, axis] = 1.0
        return result

    def stepped(self, step: Tensor) -> Parameters:
        """The parameters after a step [B, n_steps]."""
        modes, views = self.coefficients.shape[1], self.view_turn.shape[1]
        own = step[:, 7 + modes :].view(len(self), views, 6)
        return Parameters(
            rotation_matrix(step[:, :3]) @ self.rotation,
            self.position + step[:, 3:6],
            self.log_scale + step[:, SCALE],
            self.coefficients + step[:, 7 : 7 + modes],
            rotation_matrix(own[..., :3]) @ self.view_turn,
            self.view_shift + own[..., 3:],
        )

    def step_to(self, other: Parameters) -> Tensor:
        """[B, n_steps] the step from here to other candidates; a batch of one here serves all of them."""
        own = torch.cat(
            [turn_of(other.view_turn @ self.view_turn.mT), other.view_shift - self.view_shift], -1
        ).flatten(1)
        return torch.cat(
            [
                turn_of(other.rotation @ self.rotation.mT),
                other.position - self.position,
                (other.log_scale - self.log_scale)[:, None],
                other.coefficients - self.coefficients,
                own,
            ],
            1,
        )

    @classmethod
    def joined(cls, parts: Sequence[Parameters]) -> Parameters:
        """All candidates of several batches in one."""
        return cls(*(torch.cat([getattr(part, name) for part in parts]) for name in vars(parts[0])))

    def where(self, better: Tensor, other: Parameters) -> Parameters:
        """Of each candidate this one where better [B] is True, else the other."""
        pick = {
            name: torch.where(better.view(-1, *[1] * (mine.ndim - 1)), mine, getattr(other, name))
            for name, mine in vars(self).items()
        }
        return replace(self, **pick)

    def take(self, index: Tensor) -> Parameters:
        """Some of the candidates."""
        return replace(self, **{name: value[index] for name, value in vars(self).items()})


def _spins(offset: Tensor) -> Tensor:
    """[B, 3, V, 3]: the velocity of points [B, V, 3] per radian about each axis."""
    x, y, z = offset.unbind(-1)
    none = torch.zeros_like(x)
    about_x, about_y, about_z = (none, -z, y), (z, none, -x), (-y, x, none)
    return torch.stack([torch.stack(axis, -1) for axis in (about_x, about_y, about_z)], 1)


def turn_of(rotation: Tensor) -> Tensor:
    """[..., 3] rotation vectors in radians of rotations [..., 3, 3] by less than half a turn."""
    skew = (rotation - rotation.mT) / 2
    axis = torch.stack([skew[..., 2, 1], skew[..., 0, 2], skew[..., 1, 0]], -1)
    sine = axis.norm(dim=-1, keepdim=True)
    cosine = (rotation.diagonal(dim1=-2, dim2=-1).sum(-1, keepdim=True) - 1) / 2
    angle = torch.atan2(sine, cosine)
    return torch.where(sine > 1e-12, axis * angle / sine.clamp_min(1e-12), axis)

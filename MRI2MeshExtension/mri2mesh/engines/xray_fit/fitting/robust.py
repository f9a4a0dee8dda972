"""Least squares in which large residuals count linearly (Huber 1964), and their normal equations."""

from __future__ import annotations

import torch
from torch import Tensor

from mri2mesh.device import one_thread

HUBER = 1.5
"""Residuals beyond this many robust standard deviations count linearly: other bones, metal, bowel gas."""


def huber(residual: Tensor, spread: Tensor) -> Tensor:
    """Huber's cost of each residual, in squares of the spread."""
    z = residual.abs() / spread
    return torch.where(z < HUBER, 0.5 * z**2, HUBER * z - 0.5 * HUBER**2)


def huber_weight(residual: Tensor, spread: Tensor) -> Tensor:
    """By which residuals are weighted so that squares grow as Huber's cost does."""
    return (HUBER / (residual.abs() / spread).clamp_min(1e-9)).clamp(max=1.0)


def least_squares(columns: Tensor, right: Tensor) -> Tensor:
    """[B, g, P] least-squares solution, with a ridge for the bumps that no bone falls on."""
    return solution(columns.mT @ columns, columns.mT @ right)


def solution(gram: Tensor, right: Tensor) -> Tensor:
    """[B, g, P] of normal equations [B, g, g], [B, g, P]."""
    inner = gram.double()
    ridge = 1e-4 * inner.diagonal(dim1=1, dim2=2).mean(1) + 1e-12
    inner = inner + ridge[:, None, None] * torch.eye(inner.shape[1]).to(inner)
    with one_thread():
        return torch.linalg.solve(inner, right.double()).to(right)

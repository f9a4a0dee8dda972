"""Muon: orthogonal updates of kernels, of one size whatever the gradients'."""

import torch
from torch import nn

from mri2mesh.learning.muon import Muon, kernels_of, orthogonal


def test_singular_values_become_about_one():
    torch.manual_seed(0)
    for shape in ((8, 40), (40, 8), (16, 16)):
        values = torch.linalg.svdvals(orthogonal(torch.randn(shape) * 1e-3))
        assert float(values.min()) > 0.5
        assert float(values.max()) < 1.3


def test_a_step_has_the_size_of_its_learning_rate_however_large_the_gradient():
    for size in (1e-4, 1e4):
        torch.manual_seed(0)
        kernel = nn.Parameter(torch.zeros(6, 3, 3, 3))
        kernel.grad = torch.randn_like(kernel) * size
        Muon([kernel], lr=0.1).step()
        values = torch.linalg.svdvals(kernel.detach().flatten(1))
        assert 0.05 < float(values.min()) <= float(values.max()) < 0.13


def test_a_step_goes_against_the_gradient():
    kernel = nn.Parameter(torch.zeros(6, 3, 3, 3))
    kernel.grad = torch.randn(6, 3, 3, 3, generator=torch.Generator().manual_seed(2))
    Muon([kernel], lr=0.1).step()
    assert float((kernel.detach() * kernel.grad).sum()) < 0


def test_heads_and_shortcuts_and_norms_are_no_kernels():
    network = nn.Sequential(nn.Conv2d(3, 8, 3), nn.GroupNorm(4, 8), nn.Conv2d(8, 2, 1), nn.Linear(4, 4))
    assert [tuple(kernel.shape) for kernel in kernels_of(network)] == [(8, 3, 3, 3)]

"""The same images and gradients as PyTorch3D, where a user has it."""

from __future__ import annotations

import pytest
import torch

from mri2mesh.rendering.cameras import OrthographicCameras, ring_cameras
from mri2mesh.rendering.soft import blur_for
from rendering.pytorch3d_images import soft_images_by_pytorch3d
from rendering.scenes import lump

pytest.importorskip(
    "pytorch3d", reason="PyTorch3D is not installed (it has no wheels for current Python and torch)"
)


@pytest.mark.parametrize("gamma", [1e-4, 1e-2, 0.3])
def test_images_and_gradients_are_those_of_pytorch3d(render, gamma):
    side = 24
    vertices, faces = lump(1, dtype=torch.float32)
    cameras = OrthographicCameras(
        ring_cameras(3, (1.0, 2.0, 3.0)), torch.tensor([0.3, -0.2, 0.1]), 1.3, (side, side)
    )
    sigma, blur_radius = blur_for(cameras, 1.3)

    ours = vertices.clone().requires_grad_(True)
    soft = render(ours, faces, cameras, sigma, gamma, blur_radius)

    theirs = vertices.clone().requires_grad_(True)
    silhouette, depth = soft_images_by_pytorch3d(
        theirs, faces, cameras, sigma, gamma, blur_radius, faces_per_pixel=len(faces)
    )

    torch.testing.assert_close(soft.silhouette[0], silhouette, atol=1e-4, rtol=0)
    assert (soft.depth[0] - depth).abs().quantile(0.99) < 1e-2
    for mine, other in ((soft.silhouette[0], silhouette), (soft.depth[0] * silhouette.detach() ** 2, None)):
        other = depth * silhouette.detach() ** 2 if other is None else other
        (a,) = torch.autograd.grad(mine.square().sum(), ours, retain_graph=True)
        (b,) = torch.autograd.grad(other.square().sum(), theirs, retain_graph=True)
        assert (a - b).norm() < 1e-2 * b.norm()

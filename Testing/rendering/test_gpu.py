"""The kernels for GPUs, as far as they can be looked at without one."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest
import torch

from mri2mesh.rendering.backends import available, choose
from mri2mesh.rendering.hard import render_hard
from mri2mesh.rendering.projective import ProjectiveCameras
from mri2mesh.rendering.soft import blur_for, render_soft
from mri2mesh.rendering.surfaces import ClosedSurfaces
from mri2mesh.rendering.thickness import ray_thickness
from rendering.scenes import lump
from rendering.test_thickness import c_arm

pytestmark = pytest.mark.skipif("warp" not in available(), reason="warp is not installed")


@pytest.mark.parametrize("count", [3, 64])
def test_a_face_shared_by_several_tasks_loses_no_row_and_draws_none_twice(monkeypatch, count):
    vertices, faces = lump(1)
    surfaces = ClosedSurfaces.of(faces, vertices.shape[1])
    cameras = ProjectiveCameras.of([c_arm(48, 60.0)])
    sigma, blur_radius = blur_for(cameras)

    def everything() -> list[torch.Tensor]:
        leaf = vertices.clone().requires_grad_(True)
        images = [ray_thickness(leaf, surfaces, cameras, backend="warp")]
        images += render_soft(leaf, faces, cameras, sigma, 1e-2, blur_radius, backend="warp")
        torch.stack([image.square().mean() for image in images]).sum().backward()
        return [*images, render_hard(vertices, faces, cameras, backend="warp").depth, leaf.grad]

    whole = everything()
    monkeypatch.setattr(choose("warp", "cpu"), "strips", lambda *shape: count)
    for one, other in zip(everything(), whole, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-10)


def test_many_faces_are_cut_into_few_strips_and_few_into_many():
    from mri2mesh.rendering.gpu.launch import LEAST_STRIPS, TASKS, strips

    gpu = torch.device("cuda")
    assert strips(1, 12, 512, gpu) == 512
    assert strips(16, 100_000, 512, gpu) == LEAST_STRIPS
    assert TASKS / 2 < strips(1, 20_480, 512, gpu) * 20_480 <= TASKS
    assert strips(1, 12, 512, torch.device("cpu")) == 1


@pytest.mark.parametrize("name", ["thickness", "hard", "drr", "soft"])
def test_kernels_compile_for_gpus_old_and_new(tmp_path: Path, name):
    """Where both faces of an edge must round alike nothing is fused; exp and log fuse inside, which is theirs to do."""
    import warp

    choose("warp", "cpu")
    module = importlib.import_module(f"mri2mesh.rendering.gpu.{name}")
    warp.compile_aot_module(module, arch=[75, 90], module_dir=tmp_path, use_ptx=True)
    texts = [path.read_text() for path in tmp_path.rglob("*.ptx")]
    assert len(texts) == 2
    assert all(".visible .entry" in text for text in texts)
    if name != "soft":
        assert not any(re.search(r"fma\.\w+\.f64", text) for text in texts)

"""How long a DRR takes beside the published ones: DiffDRR and nanodrr run on the same rays where they are installed.

    make benchmark BENCHMARK_ARGS="-k drr"

Neither is installed by this project, for both bring torchvision or torchio and pin torch: into a folder of their own,
`pip install --no-deps --target peers diffdrr nanodrr roma jaxtyping torchio einops kornia fastcore seaborn imageio`
and PYTHONPATH=peers. Every renderer draws the same volume of 256^3 voxels of 1 mm at 256 x 256 pixels, and must draw
the same image before it is timed. Gradients go to the pose.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec

import numpy as np
import pytest
import torch
from torch import Tensor

from mri2mesh.geometry.xray_camera import XrayCamera
from mri2mesh.rendering.backends import available
from mri2mesh.rendering.drr import render_drr
from mri2mesh.rendering.projective import ProjectiveCameras

SIDE, PIXELS, SAMPLES = 256, 256, 200
STEP_MM = 1.3
"""About 200 samples on a ray through the middle, as many as the peers are given."""

CAMERA = XrayCamera.from_c_arm(
    source_to_detector_mm=1000,
    source_to_isocentre_mm=700,
    pixel_spacing_mm=(1.5, 1.5),
    size=(PIXELS, PIXELS),
    primary_angle_deg=20,
    secondary_angle_deg=10,
)


def phantom() -> Tensor:
    """[K, J, I]: two overlapping ellipsoids and a rod, smooth, empty at the border; different along each axis."""
    k, j, i = torch.meshgrid(*(torch.linspace(-1, 1, SIDE),) * 3, indexing="ij")
    body = torch.sigmoid((0.7 - (k**2 + (j / 0.6) ** 2 + (i / 0.9) ** 2).sqrt()) * 30)
    core = torch.sigmoid((0.3 - ((k - 0.2) ** 2 + (j + 0.1) ** 2 + (i - 0.25) ** 2).sqrt()) * 30)
    rod = torch.sigmoid((0.05 - ((j - 0.2) ** 2 + (i + 0.3) ** 2).sqrt()) * 60) * (k.abs() < 0.8)
    return 0.02 * body + 0.03 * core + 0.05 * rod


VOLUME = phantom()
IJK_TO_RAS = torch.eye(4, dtype=torch.float64)
IJK_TO_RAS[:3, 3] = -(SIDE - 1) / 2

Renderer = Callable[[Tensor], Tensor]
"""A function from a translation of the volume [3] in mm, which receives the gradient, to the image [H, W]."""


def ours(method: str, backend: str) -> Renderer:
    views = ProjectiveCameras.of([CAMERA])

    def run(shift: Tensor) -> Tensor:
        moved = IJK_TO_RAS[:3, 3] + shift.double()
        pose = IJK_TO_RAS.index_put((torch.arange(3), torch.tensor(3)), moved)
        return render_drr(VOLUME, pose, views, method=method, step_mm=STEP_MM, backend=backend)[0]

    return run


def rays(shift: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Source [1, 1, 3] and pixel centres [1, H W, 3] in voxels (i, j, k), and their distances in mm [1, H W]."""
    row, column = torch.meshgrid(torch.arange(PIXELS), torch.arange(PIXELS), indexing="ij")
    pixel = torch.stack([column, row, torch.ones_like(row)], -1).reshape(-1, 3).double()
    outwards = torch.linalg.inv(torch.from_numpy(CAMERA.matrix[:, :3]))
    target = torch.from_numpy(CAMERA.source_ras_mm) + pixel @ outwards.T * CAMERA.source_to_detector_mm
    source = torch.from_numpy(CAMERA.source_ras_mm)[None]
    to_voxels = IJK_TO_RAS[:3, 3] + shift.double()
    length = (target - source).norm(dim=-1)
    return (source - to_voxels).float()[None], (target - to_voxels).float()[None], length.float()[None]


def diffdrr(method: str) -> Renderer:
    """Its renderers on our rays; it wants volumes as [I, J, K]."""
    from diffdrr import renderers

    draw = renderers.Siddon() if method == "siddon" else renderers.Trilinear()
    volume = VOLUME.permute(2, 1, 0).contiguous()
    more = {} if method == "siddon" else {"n_points": SAMPLES}

    def run(shift: Tensor) -> Tensor:
        source, target, length = rays(shift)
        return draw(volume, source, target, length[:, None], **more).view(PIXELS, PIXELS)

    return run


def nanodrr() -> Renderer:
    import torchio
    from nanodrr.data import Subject
    from nanodrr.drr import render

    image = torchio.ScalarImage(tensor=VOLUME.permute(2, 1, 0)[None], affine=IJK_TO_RAS.numpy())
    subject = Subject.from_images(image, convert_to_mu=False)
    inner = torch.linalg.inv(torch.from_numpy(CAMERA.matrix[:, :3] @ CAMERA.axes_ras.T))
    inner = inner @ torch.tensor([[1, 0, -0.5], [0, 1, -0.5], [0, 0, 1]], dtype=torch.float64)
    to_world = torch.eye(4)
    to_world[:3, :3] = torch.from_numpy(CAMERA.axes_ras.T)
    distance = torch.tensor([CAMERA.source_to_detector_mm])

    def run(shift: Tensor) -> Tensor:
        source = torch.from_numpy(CAMERA.source_ras_mm).float() - shift.float()
        pose = to_world.index_put((torch.arange(3), torch.tensor(3)), source)[None]
        return render(subject, inner.float()[None], pose, distance, PIXELS, PIXELS, SAMPLES)[0, 0]

    return run


RENDERERS: dict[str, Callable[[], Renderer]] = {
    f"{method} {name}": (lambda m=method, n=name: ours(m, n))
    for method in ("siddon", "trilinear")
    for name in available()
}
if find_spec("diffdrr") is not None:
    RENDERERS["siddon DiffDRR"] = lambda: diffdrr("siddon")
    RENDERERS["trilinear DiffDRR"] = lambda: diffdrr("trilinear")
if find_spec("nanodrr") is not None:
    RENDERERS["trilinear nanodrr"] = nanodrr


@pytest.mark.parametrize("name", RENDERERS)
@pytest.mark.parametrize("with_gradient", [False, True], ids=["forward", "with gradient"])
def bench_drr(benchmark, threads, name, with_gradient) -> None:
    render = RENDERERS[name]()
    shift = torch.zeros(3).requires_grad_(with_gradient)
    expected = ours("siddon", available()[-1])(torch.zeros(3))
    median_error = (render(torch.zeros(3)) - expected).abs().median()
    assert float(median_error) < 5e-3 * float(expected.max()), f"{name} draws something else"

    def run() -> None:
        image = render(shift)
        if with_gradient:
            image.square().mean().backward()

    method = name.split()[0]
    mode = "with gradient" if with_gradient else "forward"
    benchmark.group = f"DRR, {method}, {SIDE}^3 at {PIXELS}x{PIXELS}, {mode}, {threads} threads"
    benchmark.extra_info["median_error"] = float(median_error / np.float64(expected.max()))
    benchmark.pedantic(run, rounds=3, warmup_rounds=1)

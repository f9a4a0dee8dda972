"""How long an iteration of `xray-fit` takes: every view's Jacobian, the normal equations, and the cost of the step.

    make benchmark BENCHMARK_ARGS="-k fit"

It must grow linearly at worst with faces, pixels and views. Radiographs are simulated from the shape model's mean.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest
import torch
import trimesh

from mri2mesh.anatomy.shape_models.file import read_shape_model
from mri2mesh.anatomy.shape_models.model import ShapeModel
from mri2mesh.engines.xray_fit.fitting.coarse_to_fine import FitSettings, depth_of
from mri2mesh.engines.xray_fit.fitting.family import SurfaceFamily
from mri2mesh.engines.xray_fit.fitting.image_term import ImageTerm, Observation
from mri2mesh.engines.xray_fit.fitting.parameters import Parameters
from mri2mesh.engines.xray_fit.fitting.prior import Prior
from mri2mesh.engines.xray_fit.fitting.pyramid import coarser
from mri2mesh.engines.xray_fit.fitting.solver import solve
from mri2mesh.geometry.xray_camera import XrayCamera
from mri2mesh.synthesis.films.single_bone import radiograph

ANGLES = (180.0, 135.0, 225.0, 90.0)

WORK = [
    *(("pelvis", pixels, 1) for pixels in (64, 128, 256, 512)),
    *(("pelvis", 256, views) for views in (2, 4)),
    ("pelvis, faces in four", 256, 1),
    ("left hip", 256, 1),
]


@lru_cache(maxsize=4)
def model(name: str) -> ShapeModel:
    """The pelvis, with its faces as they are or divided into four, or the left hip alone."""
    pelvis = read_shape_model("pelvis")
    if name == "pelvis":
        return pelvis
    if name == "pelvis, faces in four":
        attributes = {str(n): mode for n, mode in enumerate(pelvis.modes)}
        mean, faces, attributes = trimesh.remesh.subdivide(
            pelvis.mean, pelvis.faces, vertex_attributes=attributes
        )
        modes = np.stack([attributes[str(n)] for n in range(len(pelvis.modes))]) / 2
        part = np.repeat(pelvis.part, 4)
        return replace(pelvis, mean=mean, modes=modes, faces=faces, part=part, landmarks={})
    return pelvis.only("hip_left")


@pytest.mark.parametrize("name, pixels, views", WORK)
def bench_fit(benchmark, threads, name, pixels, views) -> None:
    shape = model(name)
    family = SurfaceFamily(shape)
    rng = np.random.default_rng(0)
    bones = [shape.surface(shape.mean - shape.mean.mean(0), part) for part in shape.part_names]
    seen = []
    for angle in ANGLES[:views]:
        camera = XrayCamera.from_c_arm(
            source_to_detector_mm=1000,
            source_to_isocentre_mm=800,
            pixel_spacing_mm=(420 / 512, 420 / 512),
            size=(512, 512),
            primary_angle_deg=angle,
        )
        image = radiograph(bones, camera, rng)
        seen.append(coarser(Observation(camera, image, np.ones(image.shape, bool)), pixels))
    turned = torch.linalg.matrix_exp(
        torch.tensor([[0.0, -0.1, 0], [0.1, 0, 0], [0, 0, 0]], dtype=torch.float64)
    )
    start = Parameters.at(turned[None], torch.tensor([[8.0, 5, -6]]), family.n_modes, views)
    settings = FitSettings()
    image_settings = replace(settings.image, spongy=0.3)
    terms = [ImageTerm(view, n, family, image_settings, depth_of(view, start)) for n, view in enumerate(seen)]
    prior = Prior(start, torch.from_numpy(seen[0].camera.axes_ras[2]), settings.prior)
    benchmark.group = f"iteration of a fit, {threads} threads"
    benchmark.extra_info.update(faces=len(shape.faces), parameters=family.n_modes + 6)
    benchmark.pedantic(lambda: solve(terms, prior, start, family.n_modes, 1), rounds=5, warmup_rounds=1)

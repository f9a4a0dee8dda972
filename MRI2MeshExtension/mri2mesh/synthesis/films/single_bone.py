"""Radiographs made from bones: cortex and marrow, soft tissue around them, scatter, blur and quantum noise.

Beer-Lambert for one effective energy. Bone is a cortical shell around spongy bone, so that its shadow is brighter at
its rims than its thickness alone would have it. Soft tissue is a body of elliptic cross-section with smooth organs and
gas in it. Scatter is a blurred part of what comes through (as in Ohnesorge et al. 1999), and photons are counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.sampling import vertex_normals
from mri2mesh.geometry.xray_camera import XrayCamera
from mri2mesh.rendering.projective import ProjectiveCameras
from mri2mesh.rendering.surfaces import ClosedSurfaces
from mri2mesh.rendering.thickness import ray_thickness

SOFT_TISSUE_PER_MM = 0.0206
"""Water at 60 keV (NIST XCOM)."""


@dataclass(frozen=True)
class XraySettings:
    """cortex_per_mm, spongy_per_mm: linear attenuation above soft tissue's. cortex_mm: mean thickness of the shell.
    photons: that reach a square millimetre of the detector, on average over the image: exposure is automatic (20,000
    are about 0.7 microgray, a radiograph; fluoroscopy has a twentieth). scatter: to primary, as a whole.
    blur_mm: focal spot and screen, at the detector. body_mm: half axes of the body, right and front; None for bone in
    air. organs: smooth lumps of fat, organs and gas."""

    cortex_per_mm: float = 0.035
    spongy_per_mm: float = 0.010
    cortex_mm: float = 1.8
    photons: float = 20_000.0
    scatter: float = 0.6
    blur_mm: float = 0.4
    body_mm: tuple[float, float] | None = (190.0, 110.0)
    organs: int = 14


def radiograph(
    bones: Sequence[Mesh], camera: XrayCamera, rng: np.random.Generator, settings: XraySettings | None = None
) -> NDArray[np.float32]:
    """[H, W] -log(I / I_max), as a detector with a logarithmic response would store it.

    Bones may overlap and leave the image. The body stands upright around their common centre. Raises InputError for a
    surface that is open or reaches the source.
    """
    settings = settings or XraySettings()
    attenuation = np.zeros(camera.size)
    for bone in bones:
        whole = thickness(bone, camera)
        marrow = thickness(shrunk(bone, _cortex(bone, settings.cortex_mm, rng)), camera).clip(0, whole)
        attenuation += settings.cortex_per_mm * (whole - marrow) + settings.spongy_per_mm * marrow
    if settings.body_mm is not None:
        centre = np.mean([bone.vertices.mean(0) for bone in bones], axis=0)
        attenuation += SOFT_TISSUE_PER_MM * _body(camera, centre, settings, rng)
    primary = np.exp(-attenuation)
    pixel = np.asarray(camera.pixel_spacing_mm)
    primary = gaussian_filter(primary, settings.blur_mm / pixel)
    scattered = gaussian_filter(primary, 40.0 / pixel, mode="nearest") * settings.scatter
    arrived = primary + scattered
    expected = arrived * (settings.photons * pixel.prod() / arrived.mean())
    counted = np.maximum(rng.poisson(expected), 0.5)
    return -np.log(counted / counted.max()).astype(np.float32)


def thickness(mesh: Mesh, camera: XrayCamera) -> NDArray[np.float64]:
    """[H, W] mm inside a closed surface."""
    surfaces = ClosedSurfaces.of(mesh.faces, len(mesh.vertices))
    vertices = torch.from_numpy(mesh.vertices).double()[None]
    return ray_thickness(vertices, surfaces, ProjectiveCameras.of([camera]))[0, 0, 0].numpy()


def _cortex(mesh: Mesh, mean_mm: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """[V] mm: a thickness that differs by a third from place to place, some 30 mm apart, and from bone to bone."""
    waves = rng.normal(size=(3, 12)) / 30.0
    field = np.cos(mesh.vertices @ waves + rng.uniform(0, 2 * np.pi, 12)) @ rng.normal(size=12) / np.sqrt(6)
    return mean_mm * np.exp(0.3 * field + 0.2 * rng.normal())


def shrunk(mesh: Mesh, by_mm: float | NDArray) -> Mesh:
    """The surface moved inwards along its normals, [V] mm or all alike: an inner surface, not checked for folds."""
    return mesh.with_vertices(
        (mesh.vertices - np.reshape(by_mm, (-1, 1)) * vertex_normals(mesh)).astype(np.float32)
    )


def _body(
    camera: XrayCamera, centre: NDArray, settings: XraySettings, rng: np.random.Generator
) -> NDArray[np.float64]:
    """[H, W] mm of soft tissue, as if all of it were water: an upright elliptic cylinder and lumps in it."""
    assert settings.body_mm is not None
    rows, columns = np.meshgrid(*(np.arange(n) for n in camera.size), indexing="ij")
    ray = np.stack([columns, rows, np.ones_like(rows)], -1) @ np.linalg.inv(camera.matrix[:, :3]).T
    ray = ray / np.linalg.norm(ray, axis=-1, keepdims=True)
    total = _chord(camera.source_ras_mm - centre, ray, np.array([*settings.body_mm, np.inf]))
    for _ in range(settings.organs):
        place = centre + rng.uniform(-0.7, 0.7, 3) * [*settings.body_mm, 130.0]
        axes = rng.uniform(15.0, 55.0, 3)
        # between fat, a tenth lighter than water, and gas
        density = rng.choice([0.06, -0.1, -1.0], p=[0.5, 0.3, 0.2])
        axes = axes * (0.4 if density < -0.5 else 1.0)
        total += density * _chord(camera.source_ras_mm - place, ray, axes)
    return np.maximum(total, 0.0)


def _chord(origin: NDArray, ray: NDArray, axes: NDArray) -> NDArray[np.float64]:
    """[H, W] mm of each ray inside an ellipsoid around the zero point with these half axes (infinite: a cylinder)."""
    start, along = origin / axes, ray / axes
    a, b, c = (along**2).sum(-1), along @ start, start @ start - 1
    return 2 * np.sqrt(np.maximum(b**2 - a * c, 0.0)) / a

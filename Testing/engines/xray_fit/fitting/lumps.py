"""A small family of smooth, lopsided lumps, and radiographs of its members that hold nothing else."""

from __future__ import annotations

import numpy as np
import torch

from anatomy.toy_shapes import ball
from mri2mesh.anatomy.shape_models.model import ShapeModel
from mri2mesh.engines.xray_fit.fitting.family import SurfaceFamily
from mri2mesh.engines.xray_fit.fitting.image_term import Observation
from mri2mesh.engines.xray_fit.fitting.parameters import Parameters
from mri2mesh.geometry.tensors import rotation_matrix
from mri2mesh.geometry.xray_camera import XrayCamera
from mri2mesh.rendering.projective import ProjectiveCameras
from mri2mesh.rendering.thickness import ray_thickness


def lumps(subdivisions: int = 2) -> ShapeModel:
    """Lopsided lumps of about 60 x 44 x 76 mm that differ by 3 mm, smoothly, in three ways."""
    unit, faces = ball(subdivisions, 1.0)
    x, y, z = unit.T
    radius = 1 + 0.25 * x * y + 0.2 * z * x + 0.15 * y + 0.1 * x**3
    mean = unit * radius[:, None] * [30.0, 22.0, 38.0]
    ways = np.stack([unit * z[:, None], unit * (x * y)[:, None], unit * (x**2 - z**2)[:, None]])
    flat = np.linalg.qr(ways.reshape(3, -1).T)[0].T
    scores = np.random.default_rng(0).standard_normal((5, 3))
    return ShapeModel(
        name="lumps",
        mean=mean,
        modes=flat.reshape(3, -1, 3).astype(np.float32),
        variances=np.array([3.0, 2.5, 2.0]) ** 2 * len(mean),
        faces=faces,
        part=np.zeros(len(faces), np.int64),
        part_names=("L3",),
        landmarks={"top": np.array([mean[:, 2].argmax()]), "left": np.argsort(mean[:, 0])[:5]},
        scores=scores,
        subjects=tuple("abcde"),
        mirrored=np.zeros(5, bool),
        attribution=({"name": "paper", "source": "geometry", "licence": "none"},),
        licence="CC0-1.0",
        frame="origin the centre of the sphere",
    )


def c_arm(primary_angle_deg: float = 180.0, pixels: int = 48, width_mm: float = 130.0) -> XrayCamera:
    """A little more columns than rows, and the principal point off the middle."""
    return XrayCamera.from_c_arm(
        source_to_detector_mm=1000,
        source_to_isocentre_mm=800,
        pixel_spacing_mm=(width_mm / pixels, width_mm / pixels),
        size=(pixels, pixels + 8),
        primary_angle_deg=primary_angle_deg,
        principal_point_px=(pixels / 2 + 2.0, pixels / 2 - 1.0),
    )


def somewhere(n_views: int = 1, batch: int = 1, seed: int = 0) -> Parameters:
    """Candidates with everything away from zero: pose, scale, shape and the views' own corrections."""
    rng = np.random.default_rng(seed)

    def drawn(*shape: int, width: float) -> torch.Tensor:
        return torch.from_numpy(rng.normal(size=shape) * width)

    return Parameters(
        rotation_matrix(drawn(batch, 3, width=0.3)),
        drawn(batch, 3, width=4.0),
        drawn(batch, width=0.03),
        drawn(batch, 3, width=0.7),
        rotation_matrix(drawn(batch, n_views, 3, width=0.05)),
        drawn(batch, n_views, 3, width=2.0),
    )


def standing(coefficients: tuple[float, ...] = (0.0, 0.0, 0.0), n_views: int = 1) -> Parameters:
    """A member of the family, upright in the isocentre, its geometry as given."""
    at = Parameters.at(torch.eye(3)[None], torch.zeros(1, 3), 3, n_views)
    step = torch.zeros(1, at.n_steps, dtype=torch.float64)
    step[0, 7:10] = torch.tensor(coefficients)
    return at.stepped(step)


def shadow(family: SurfaceFamily, at: Parameters, camera: XrayCamera, view: int = 0) -> Observation:
    """What a solid bone and nothing else would leave: its thickness in cm."""
    vertices = at.seen(at.vertices(family), view)
    image = ray_thickness(vertices, family.surfaces, ProjectiveCameras.of([camera]))[0, 0, 0] / 10
    return Observation(camera, image.numpy().astype(np.float32), np.ones(camera.size, bool))


def unit_steps(at: Parameters) -> torch.Tensor:
    """[n_steps, 1, n_steps] one step of 1 in each direction."""
    return torch.eye(at.n_steps, dtype=torch.float64)[:, None]

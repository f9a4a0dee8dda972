"""Simulated radiographs of a bone from a shipped shape model, in a known pose, with known geometry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from mri2mesh.anatomy.shape_models.file import read_shape_model
from mri2mesh.anatomy.shape_models.model import ShapeModel
from mri2mesh.engines.xray_fit.fitting.coarse_to_fine import FitSettings
from mri2mesh.engines.xray_fit.fitting.levels import Level
from mri2mesh.engines.xray_fit.fitting.prior import PriorSettings
from mri2mesh.imaging.radiographs.radiograph import Radiograph
from mri2mesh.imaging.radiographs.xray_geometry import Origin, XrayGeometry, assumed_geometry
from mri2mesh.synthesis.films.single_bone import XraySettings, radiograph

N = 128
QUICK = FitSettings(
    prior=PriorSettings(),
    levels=(Level(64, 8, 4, 2, 25.0), Level(64, 8, 1000, 1, 25.0), Level(128, 6, 1000, 1, 15.0, spongy=0.3)),
)
"""Settings that are enough for images of N pixels."""


@dataclass(frozen=True)
class Simulated:
    """model, vertices [V, 3] RAS mm of the truth, and its radiographs."""

    model: ShapeModel
    vertices: NDArray[np.float64]
    radiographs: list[Radiograph]

    def landmarks(self) -> list[dict[str, tuple[float, float]]]:
        """Per view the true landmarks that fall on it."""
        views = []
        for one in self.radiographs:
            places = {
                name: one.camera.project(self.model.landmark(name, self.vertices))
                for name in self.model.landmarks
            }
            views.append(
                {
                    name: (float(c), float(r))
                    for name, (c, r) in places.items()
                    if 0 <= c < N - 1 and 0 <= r < N - 1
                }
            )
        return views


def geometry(angle: float, field_mm: float, spacing: Origin = "user") -> XrayGeometry:
    """N x N pixels over a field at the detector; source to detector 1000 mm, to the isocentre 800 mm."""
    known = assumed_geometry((N, N)).with_values(
        "user", source_to_detector_mm=1000.0, source_to_isocentre_mm=800.0, primary_angle_deg=angle
    )
    return known.with_values(spacing, pixel_spacing_mm=(field_mm / N, field_mm / N))


def simulate(
    anatomy: str,
    angles: Sequence[float],
    field_mm: float,
    *,
    turn_deg: tuple[float, float, float] = (0.0, 0.0, 0.0),
    seed: int = 0,
) -> Simulated:
    """A bone half way from the mean to a random one of the population, turned about its middle, in soft tissue."""
    model, rng = read_shape_model(anatomy), np.random.default_rng(seed)
    shape = model.vertices(0.5 * model.sample(rng))
    turn = Rotation.from_rotvec(turn_deg, degrees=True).as_matrix()
    vertices = (shape - shape.mean(0)) @ turn.T + [8.0, -5.0, 6.0]
    bones = [model.surface(vertices, part) for part in model.part_names]
    settings = XraySettings(body_mm=(90.0, 80.0), organs=6)
    views = []
    for angle in angles:
        known = geometry(angle, field_mm)
        views.append(Radiograph(radiograph(bones, known.camera(), rng, settings), known, "logarithmic"))
    return Simulated(model, vertices, views)

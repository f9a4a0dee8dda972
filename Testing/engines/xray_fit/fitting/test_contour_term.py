"""Contours against the outline of a mask."""

import numpy as np
import pytest
import torch

from mri2mesh.anatomy.shape_models.file import read_shape_model
from mri2mesh.engines.xray_fit.fitting.contour_term import ContourTerm, signed_distance
from mri2mesh.engines.xray_fit.fitting.family import SurfaceFamily
from mri2mesh.engines.xray_fit.fitting.parameters import Parameters
from mri2mesh.engines.xray_fit.fitting.prior import Prior, PriorSettings
from mri2mesh.engines.xray_fit.fitting.solver import solve
from mri2mesh.errors import InputError
from mri2mesh.geometry.xray_camera import XrayCamera
from mri2mesh.synthesis.films.single_bone import thickness

CAMERA = XrayCamera.from_c_arm(
    source_to_detector_mm=1000,
    source_to_isocentre_mm=800,
    pixel_spacing_mm=(1.5, 1.5),
    size=(128, 128),
    primary_angle_deg=180,
)


@pytest.fixture(scope="module")
def family() -> SurfaceFamily:
    return SurfaceFamily(read_shape_model("L3"))


def mean_at(family: SurfaceFamily, *place: float) -> Parameters:
    return Parameters.at(torch.eye(3)[None], torch.tensor([place]), family.n_modes, 1)


@pytest.fixture(scope="module")
def mask(family: SurfaceFamily) -> np.ndarray:
    """The shadow of the mean in the isocentre."""
    vertices = mean_at(family, 0.0, 0.0, 0.0).vertices(family)[0].numpy()
    return thickness(read_shape_model("L3").surface(vertices), CAMERA) > 0


def test_the_distance_to_a_disc_is_that_to_its_radius():
    rows, columns = np.mgrid[:101, :101] - 50
    radius = np.hypot(rows, columns)
    assert np.abs(signed_distance(radius < 30) - (radius - 30)).max() < 1.0


def test_a_surface_in_its_own_shadow_lies_on_the_outline(family, mask):
    term = ContourTerm(mask, CAMERA, 0, family)
    assert float(term.distance_mm(mean_at(family, 0.0, 0.0, 0.0))) < 1.0
    assert float(term.distance_mm(mean_at(family, 12.0, 0.0, 0.0))) > 4.0


def test_a_shifted_surface_is_drawn_back_onto_its_outline(family, mask):
    term, start = ContourTerm(mask, CAMERA, 0, family), mean_at(family, 8.0, 0.0, -6.0)
    prior = Prior(start, torch.tensor([0.0, -1.0, 0.0]), PriorSettings(turn_deg=0.1))
    found = solve([term], prior, start, n_shape=0, iterations=25).parameters
    assert float(found.position[0, [0, 2]].norm()) < 1.0
    assert float(term.distance_mm(found)) < 1.2


def test_the_slope_is_that_of_the_cost(family, mask):
    """Against the cost's own differences, for shifts in the image."""
    term, at = ContourTerm(mask, CAMERA, 0, family), mean_at(family, 7.0, 0.0, 4.0)
    found, _ = term.linearise(at)
    for step, axis in ((3, 0), (5, 2)):
        ahead, behind = ([7.0, 0.0, 4.0] for _ in range(2))
        ahead[axis] += 0.5
        behind[axis] -= 0.5
        change = term.cost(mean_at(family, *ahead)) - term.cost(mean_at(family, *behind))
        assert float(-found.slope[0, step]) == pytest.approx(float(change), rel=0.35)


def test_masks_without_an_outline_are_refused(family):
    for mask in (np.zeros((128, 128), bool), np.ones((128, 128), bool)):
        with pytest.raises(InputError, match="outline"):
            ContourTerm(mask, CAMERA, 0, family)

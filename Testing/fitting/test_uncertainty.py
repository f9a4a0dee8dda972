"""Uncertainty per vertex, against cases whose answer is known."""

import numpy as np
import pytest
import torch

from mri2mesh.anatomy.shape_model import ShapeModel
from mri2mesh.fitting.coarse_to_fine import Fit
from mri2mesh.fitting.family import SurfaceFamily
from mri2mesh.fitting.parameters import Parameters
from mri2mesh.fitting.uncertainty import step_covariance, uncertainty_of, vertex_covariance
from mri2mesh.geometry.xray_camera import XrayCamera


@pytest.fixture(scope="module")
def family() -> SurfaceFamily:
    return SurfaceFamily(ShapeModel.load("L3"))


def known_to(deviations: dict[int, float], family: SurfaceFamily) -> Fit:
    """A fit whose listed steps alone were free, independent, and known to these standard deviations."""
    at = Parameters.at(torch.eye(3)[None], torch.zeros(1, 3), family.n_modes, 1)
    precision, free = torch.zeros(at.n_steps, at.n_steps).double(), torch.zeros(at.n_steps, dtype=torch.bool)
    for step, deviation in deviations.items():
        precision[step, step], free[step] = deviation**-2, True
    return Fit(at, 0.0, precision, free, (1.0,))


def far_in_front() -> XrayCamera:
    """So far away that all rays run along the y axis."""
    return XrayCamera.from_c_arm(
        source_to_detector_mm=2e6, source_to_isocentre_mm=1e6, pixel_spacing_mm=(1.0, 1.0), size=(8, 8)
    )


def test_steps_that_were_not_free_have_no_variance(family):
    covariance = step_covariance(known_to({3: 2.0}, family))
    assert float(covariance[3, 3]) == pytest.approx(4.0)
    assert float(covariance.abs().sum()) == pytest.approx(4.0)


def test_shifts_move_all_vertices_alike_and_depth_is_told_apart(family):
    fit = known_to({3: 0.5, 4: 7.0, 5: 0.5}, family)
    found = uncertainty_of(fit, family, [far_in_front()], residual_mm=0.0)
    assert np.allclose(found.along_beam, 7.0, atol=1e-2)
    assert np.allclose(found.across, 0.5, atol=1e-2)
    assert np.allclose(found.total, np.sqrt(7.0**2 + 0.5), atol=1e-3)


def test_a_turn_moves_vertices_by_their_distance_from_its_axis(family):
    covariance = vertex_covariance(known_to({2: 0.1}, family), family)
    distance = family.mean[:, :2].norm(dim=1).numpy()
    spread = np.sqrt(np.trace(covariance, axis1=1, axis2=2))
    assert np.allclose(spread, 0.1 * distance, rtol=1e-5)
    assert np.allclose(covariance[:, 2, 2], 0.0, atol=1e-9)


def test_an_unknown_mode_moves_vertices_as_the_population_does(family):
    covariance = vertex_covariance(known_to({7: 1.0}, family), family)
    step = family.basis[0].numpy()
    assert np.allclose(covariance, step[:, :, None] * step[:, None], atol=1e-4)


def test_what_the_model_cannot_show_is_added_in_every_direction(family):
    found = uncertainty_of(known_to({4: 1e-6}, family), family, [far_in_front()], residual_mm=3.0)
    for values, expected in (
        (found.total, 3.0),
        (found.along_beam, np.sqrt(3.0)),
        (found.across, np.sqrt(3.0)),
    ):
        assert np.allclose(values, expected, atol=1e-4)

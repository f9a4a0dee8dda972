"""Uncertainty per vertex, against cases whose answer is known."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from mri2mesh.anatomy.shape_models.file import read_shape_model
from mri2mesh.engines.xray_fit.fitting.case import enlarged_by
from mri2mesh.engines.xray_fit.fitting.coarse_to_fine import Fit, Rivals
from mri2mesh.engines.xray_fit.fitting.family import SurfaceFamily
from mri2mesh.engines.xray_fit.fitting.parameters import Parameters
from mri2mesh.engines.xray_fit.fitting.uncertainty import (
    GEOMETRY_SD,
    Calibration,
    Enlarged,
    pose_check,
    rival_probability,
    step_covariance,
    uncertainty_of,
    vertex_covariance,
)
from mri2mesh.geometry.tensors import vertex_normals
from mri2mesh.geometry.xray_camera import XrayCamera
from mri2mesh.imaging.radiographs.radiograph import Radiograph
from mri2mesh.imaging.radiographs.xray_geometry import assumed_geometry


@pytest.fixture(scope="module")
def family() -> SurfaceFamily:
    return SurfaceFamily(read_shape_model("L3"))


def known_to(deviations: dict[int, float], family: SurfaceFamily) -> Fit:
    """A fit whose listed steps alone were free, independent, and known to these standard deviations."""
    at = Parameters.at(torch.eye(3)[None], torch.zeros(1, 3), family.n_modes, 1)
    precision, free = torch.zeros(at.n_steps, at.n_steps).double(), torch.zeros(at.n_steps, dtype=torch.bool)
    for step, deviation in deviations.items():
        precision[step, step], free[step] = deviation**-2, True
    return Fit(at, 0.0, precision, precision.clone(), free, (1.0,), (0.0,))


def far_in_front() -> XrayCamera:
    """So far away that all rays run along the y axis."""
    return XrayCamera.from_c_arm(
        source_to_detector_mm=2e6, source_to_isocentre_mm=1e6, pixel_spacing_mm=(1.0, 1.0), size=(8, 8)
    )


def test_steps_that_were_not_free_have_no_variance(family):
    covariance = step_covariance(known_to({3: 2.0}, family))
    assert float(covariance[3, 3]) == pytest.approx(4.0)
    assert float(covariance.abs().sum()) == pytest.approx(4.0)


def test_shifts_move_all_vertices_alike_and_depth_is_kept_apart(family):
    fit = known_to({3: 0.5, 4: 7.0, 5: 0.5}, family)
    found = uncertainty_of(fit, family, [far_in_front()], residual_mm=0.0)
    assert np.allclose(found.along_beam, 7.0, atol=1e-2)
    assert np.allclose(found.across, 0.5, atol=1e-2)
    assert np.allclose(found.total, np.sqrt(7.0**2 + 0.5), atol=1e-3)


def test_what_is_stated_is_larger_than_the_curvature_says_by_the_calibration(family):
    fit = known_to({3: 0.5, 4: 7.0, 5: 0.5}, family)
    found = uncertainty_of(fit, family, [far_in_front()], 0.0, Calibration(along=2.0, across=3.0))
    assert np.allclose(found.along_beam, 14.0, atol=2e-2)
    assert np.allclose(found.across, 1.5, atol=3e-2)
    assert np.allclose(found.total, np.sqrt(14.0**2 + 2 * 1.5**2), atol=1e-2)


def test_a_size_that_is_not_sure_adds_to_each_vertex_by_its_distance_from_the_isocentre(family):
    fit = known_to({3: 0.5, 4: 7.0, 5: 0.5}, family)
    about = np.array([10.0, -100.0, 0.0])
    found = uncertainty_of(fit, family, [far_in_front()], 0.0, enlarged=Enlarged(about, 0.02))
    offset = 0.02 * (family.mean.numpy() - about)
    assert np.allclose(found.along_beam, np.hypot(7.0, offset[:, 1]), atol=1e-2)
    assert np.allclose(found.total, np.sqrt(7.0**2 + 0.5 + (offset**2).sum(1)), atol=1e-2)


def test_sizes_are_sure_where_a_marker_or_a_phantom_calibrated_every_view():
    typed = assumed_geometry((64, 64)).with_values(
        "user", source_to_detector_mm=1100.0, pixel_spacing_mm=(1.0, 1.0), isocentre_ras_mm=(0.0, 5.0, 0.0)
    )
    calibrated = typed.with_values("calibrated", pixel_spacing_mm=(1.0, 1.0))
    views = [
        Radiograph(np.zeros((64, 64), np.float32), geometry, "display") for geometry in (typed, calibrated)
    ]
    unsure = enlarged_by(views)
    assert unsure is not None and unsure.sd == GEOMETRY_SD and unsure.about[1] == 5.0
    assert enlarged_by(views[1:]) is None
    unknown = Radiograph(np.zeros((64, 64), np.float32), assumed_geometry((64, 64)), "display")
    assert enlarged_by([unknown]) is None  # a fit then finds the size itself


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


def test_what_the_model_cannot_show_is_added_along_the_normals(family):
    found = uncertainty_of(known_to({4: 1e-6}, family), family, [far_in_front()], residual_mm=3.0)
    normals = vertex_normals(family.mean[None], family.faces)[0].numpy()
    assert np.allclose(found.total, 3.0, atol=1e-4)
    assert np.allclose(found.along_beam, 3.0 * np.abs(normals[:, 1]), atol=1e-2)
    assert np.allclose(found.beam, [0.0, -1.0, 0.0], atol=1e-3) or np.allclose(
        found.beam, [0.0, 1.0, 0.0], atol=1e-3
    )


def test_correlated_noise_scatters_a_linear_fit_as_far_as_is_said(family):
    """Least squares that takes 40 measurements for independent, of which each block of 8 errs alike."""
    rng = np.random.default_rng(0)
    jacobian = np.repeat(rng.normal(size=(5, 2)), 8, axis=0)
    prior = np.diag([0.5, 2.0])
    precision = jacobian.T @ jacobian + prior
    truth = rng.normal(size=(20000, 2)) / np.sqrt(np.diag(prior))
    noise = np.repeat(rng.normal(size=(20000, 5)), 8, axis=1)
    estimate = np.linalg.solve(precision, jacobian.T @ (truth @ jacobian.T + noise).T).T
    fit = known_to({3: 1.0, 5: 1.0}, family)
    fit.precision[np.ix_([3, 5], [3, 5])] = torch.from_numpy(precision)
    fit.scatter[np.ix_([3, 5], [3, 5])] = torch.from_numpy(8 * jacobian.T @ jacobian + prior)
    stated = step_covariance(fit)[[3, 5]][:, [3, 5]].numpy()
    np.testing.assert_allclose(stated, np.cov((estimate - truth).T), rtol=0.05, atol=2e-3)


def test_terms_without_noise_leave_the_inverse_of_the_precision(family):
    fit = known_to({3: 2.0, 7: 0.5}, family)
    covariance = step_covariance(fit)
    assert torch.allclose(covariance.diagonal()[[3, 7]], torch.tensor([4.0, 0.25]).double())


def rivalled(excess: float, family: SurfaceFamily) -> Fit:
    """A fit whose one rival lies 20 mm deeper."""
    fit = known_to({3: 1.0, 4: 1.0, 5: 1.0}, family)
    deeper = replace(fit.parameters, position=fit.parameters.position + torch.tensor([0.0, 20.0, 0.0]))
    return replace(fit, rivals=Rivals(deeper, torch.tensor([excess]).double()))


def test_an_equal_rival_is_as_probable_and_makes_the_pose_ambiguous(family):
    fit = rivalled(0.0, family)
    assert float(rival_probability(fit.rivals)) == pytest.approx(0.5)
    found = uncertainty_of(fit, family, [far_in_front()], residual_mm=0.0)
    assert np.allclose(found.along_beam, np.sqrt(0.5 * 20.0**2 + 1.0), atol=0.01)
    assert np.allclose(found.across, 1.0, atol=0.01)
    check = pose_check(fit, family)
    assert not check.passed and check.value == pytest.approx(20.0 * np.sqrt(0.5))
    assert "20 mm" in check.detail and "second view" in check.detail


def test_an_improbable_rival_changes_nothing(family):
    fit = rivalled(20.0, family)
    found = uncertainty_of(fit, family, [far_in_front()], residual_mm=0.0)
    assert np.allclose(found.along_beam, 1.0, atol=0.01)
    assert pose_check(fit, family).passed
    assert pose_check(replace(fit, rivals=None), family).passed

"""What is done when a fit ends where its images say that it should not be."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from engines.xray_fit.fitting.thigh import THIGH
from mri2mesh.anatomy.shape_models.file import read_shape_model
from mri2mesh.engines.xray_fit.fitting.coarse_to_fine import FitSettings, fit
from mri2mesh.engines.xray_fit.fitting.family import SurfaceFamily
from mri2mesh.engines.xray_fit.fitting.image_term import Observation
from mri2mesh.engines.xray_fit.fitting.levels import Level
from mri2mesh.engines.xray_fit.fitting.parameters import Parameters
from mri2mesh.engines.xray_fit.fitting.second_fit import DOUBTFUL, fit_twice_if_doubtful
from mri2mesh.geometry.tensors import rotation_matrix
from mri2mesh.synthesis.films.single_bone import thickness

SETTINGS = FitSettings(levels=(Level(64, 8, 4, 1, 25.0), Level(64, 8, 25, 1, 25.0)))


@pytest.fixture(scope="module")
def femur() -> SurfaceFamily:
    return SurfaceFamily(read_shape_model("femur_left"))


def at(family: SurfaceFamily, shift_mm: tuple[float, float, float], degrees: float) -> Parameters:
    """Turned about the beam, then shifted."""
    turn = torch.from_numpy(np.radians(degrees) * THIGH.axes_ras[2])[None]
    place = torch.tensor([shift_mm], dtype=torch.float64)
    return Parameters.at(rotation_matrix(turn), place, family.n_modes, 1)


@pytest.fixture(scope="module")
def views(femur) -> list[Observation]:
    bone = read_shape_model("femur_left").surface(at(femur, (0, 0, 0), 0).vertices(femur)[0].numpy())
    image = thickness(bone, THIGH).astype(np.float32)
    return [Observation(THIGH, image, np.ones(THIGH.size, bool))]


@pytest.fixture(scope="module")
def astray(femur) -> Parameters:
    """Slid along its shaft and turned, so that the two shafts cross."""
    return at(femur, (60.0, 0.0, 200.0), 20.0)


@pytest.fixture(scope="module")
def expected(femur) -> Parameters:
    return at(femur, (6.0, 0.0, -8.0), 3.0)


def missed_mm(family, found) -> float:
    """Across the beam."""
    off = found.parameters.vertices(family) - at(family, (0, 0, 0), 0).vertices(family)
    return float(off[..., [0, 2]].norm(dim=-1).max())


def test_a_fit_from_misleading_starts_is_done_again_from_what_is_expected(femur, views, astray, expected):
    lost = fit(views, femur, astray, SETTINGS, expected=expected)
    assert min(lost.agreement) < DOUBTFUL and missed_mm(femur, lost) > 30
    found = fit_twice_if_doubtful(views, femur, astray, SETTINGS, expected=expected)
    assert min(found.agreement) > 0.95 and missed_mm(femur, found) < 3


def test_a_fit_that_explains_its_images_is_not_looked_at_again(femur, views, astray, expected):
    shares = []
    found = fit_twice_if_doubtful(
        views, femur, expected, SETTINGS, watch=lambda _best, share: shares.append(share), expected=astray
    )
    assert missed_mm(femur, found) < 3 and shares.count(1.0) <= 1


def test_the_better_of_both_is_kept(femur, views, astray):
    lost = fit(views, femur, astray, SETTINGS, expected=astray)
    still = fit_twice_if_doubtful(views, femur, astray, SETTINGS, expected=astray)
    assert torch.equal(still.parameters.position, lost.parameters.position)


def test_who_watches_a_second_fit_sees_that_all_is_done_and_may_end_it(femur, views, astray, expected):
    shares = []
    short = replace(SETTINGS, levels=SETTINGS.levels[:1])
    fit_twice_if_doubtful(
        views, femur, astray, short, watch=lambda _best, share: shares.append(share), expected=expected
    )
    assert shares == sorted(shares) and shares.count(1.0) > 1

    def cancel(_best: Parameters, share: float) -> None:
        if len(shares) and share == 1.0:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        fit_twice_if_doubtful(views, femur, astray, short, watch=cancel, expected=expected)

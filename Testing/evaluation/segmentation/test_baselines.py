"""The baselines of `mri2mesh evaluate segmentation` on a ball."""

from __future__ import annotations

import numpy as np
import pytest

from mri2mesh.engines.segmentation.label_map import LabelMap
from mri2mesh.engines.segmentation.parts import patches_of
from mri2mesh.evaluation.segmentation.baselines import (
    marching_cubes,
    shape_based_interpolation,
    slicer_closed_surface,
    thinned,
)
from mri2mesh.evaluation.segmentation.evaluate import steps_deg
from mri2mesh.geometry.checks import is_watertight, volume_mm3

RADIUS = 18.0
TRUE_MM3 = 4 / 3 * np.pi * RADIUS**3


@pytest.fixture(scope="module")
def ball():
    k, j, i = np.indices((50, 50, 50)) - 24.5
    labels = (k**2 + j**2 + i**2 < RADIUS**2).astype(np.uint16)
    matrix = np.diag([-1.0, -1.0, 1.0, 1.0])
    (patch,) = patches_of(LabelMap(labels, matrix, labels=labels), {1: "L3"}).values()
    return patch


@pytest.mark.parametrize(
    "method", [marching_cubes, slicer_closed_surface, lambda bone: shape_based_interpolation(bone, 0)]
)
def test_each_gives_the_ball_where_it_is(method, ball):
    mesh = method(ball)
    assert is_watertight(mesh)
    assert volume_mm3(mesh) == pytest.approx(TRUE_MM3, rel=0.04)
    middle = (mesh.vertices.max(axis=0) + mesh.vertices.min(axis=0)) / 2
    np.testing.assert_allclose(middle, [-24.5, -24.5, 24.5], atol=0.3)


def test_interpolation_brings_back_what_was_thinned_out(ball):
    thin = thinned(ball, 2, 4, 2)
    assert thin.spacing[2] == pytest.approx(4.0)
    interpolated = volume_mm3(shape_based_interpolation(thin, 2))
    assert interpolated == pytest.approx(TRUE_MM3, rel=0.06)


def test_smoothing_takes_the_steps_off(ball):
    assert steps_deg(slicer_closed_surface(ball)) < 0.5 * steps_deg(marching_cubes(ball))

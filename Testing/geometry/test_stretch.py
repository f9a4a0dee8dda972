"""The least stretch of a triangle is what linear algebra says, whichever way the surfaces lie."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from mri2mesh.anatomy.templates import template
from mri2mesh.geometry.stretch import around_vertices, least_stretch


def test_a_turned_and_scaled_surface_is_stretched_by_its_scale():
    home = template("disc")
    turned = Rotation.from_rotvec([0.3, -0.7, 1.1]).apply(home.vertices) * 0.8
    assert least_stretch(home.with_vertices(turned), home) == pytest.approx(0.8, abs=1e-4)


def test_a_surface_pressed_along_one_axis_is_drawn_together_by_no_more_than_that():
    home = template("disc")
    pressed = home.with_vertices(home.vertices * [0.5, 1.0, 1.0])
    stretch = least_stretch(pressed, home)
    assert stretch.min() == pytest.approx(0.5, abs=0.01), "triangles that lie along the axis"
    assert stretch.max() == pytest.approx(1.0, abs=0.01), "triangles that face it"
    assert around_vertices(stretch, home).shape == (len(home.vertices),)


def test_what_is_pulled_out_one_way_and_drawn_together_the_other_is_drawn_together():
    home = template("disc")
    wire = home.with_vertices(home.vertices * [0.25, 4.0, 1.0])
    assert np.median(least_stretch(wire, home)) < 0.7

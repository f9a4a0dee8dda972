"""A vertebra's own right, front and up against the patient's."""

import numpy as np
import pytest

from engines.mri2mesh.quality.wrong_surfaces import arches_in_front, mirrored
from mri2mesh.anatomy.structures import STRUCTURES
from mri2mesh.anatomy.templates import template
from mri2mesh.engines.mri2mesh.quality.directions import axis_cosines, direction_checks
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.transforms import compose, rotation_about
from mri2mesh.reconstruction import Check, ReconstructedStructure


def item(mesh: Mesh, name: str = "L3") -> ReconstructedStructure:
    ones = np.ones(len(mesh.vertices), np.float32)
    return ReconstructedStructure(STRUCTURES[name], mesh, ones, ones)


def check(mesh: Mesh) -> Check:
    (found,) = direction_checks([item(mesh)])
    return found


def test_the_template_faces_the_way_the_patient_does():
    cosines = axis_cosines(template("vertebra"))
    assert list(cosines) == ["right", "front", "up"]
    assert all(value > 0.9 for value in cosines.values())
    assert check(template("vertebra")).passed


@pytest.mark.parametrize(("degrees", "passes"), [(55, True), (-55, True), (75, False), (-75, False)])
@pytest.mark.parametrize("axis", [(1, 0, 0), (0, 1, 0), (0, 0, 1)])
def test_a_turn_of_more_than_66_degrees_about_any_axis_fails(axis, degrees, passes):
    turned = template("vertebra").transformed(rotation_about(axis, degrees))
    assert check(turned).passed is passes


def test_left_and_right_changed_over_is_named():
    found = check(mirrored(template("vertebra")))
    assert not found.passed
    assert found.value < -0.9
    assert found.threshold == 0.4
    degrees = np.degrees(np.arccos(found.value))
    assert found.detail == f"its right is {degrees:.0f} degrees from the patient's"


def test_arches_in_front_and_a_vertebra_upside_down_fail():
    assert not check(arches_in_front(template("vertebra"))).passed
    upside_down = template("vertebra").transformed(compose(np.diag([1.0, 1.0, -1.0])))
    assert "its up is" in check(upside_down).detail


def test_discs_and_the_sacrum_have_no_arches_to_go_by():
    assert direction_checks([item(template("disc"), "L3-L4"), item(template("sacrum"), "S1")]) == []

"""Measures of femora and of the pelvis, on balls and rods whose measures are known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from measures import blocks
from mri2mesh.anatomy.pelvis_shapes import PelvisShapes
from mri2mesh.anatomy.shape_models.file import read_shape_model
from mri2mesh.anatomy.shape_models.model import ShapeModel
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.measures.measure import Measure, unit_vector
from mri2mesh.measures.sacral_plate import sacral_plate
from mri2mesh.measures.stage import measure
from mri2mesh.measures.vertebra import boundary, normal_of

IDENTITY = Rotation.identity()


def found(meshes: dict[str, Mesh]) -> dict[str, Measure]:
    return {
        "_".join(filter(None, (one.key, one.side))): one for one in measure(blocks.reconstruction(meshes))
    }


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("neck_shaft, anteversion", [(125.0, 15.0), (140.0, -8.0), (110.0, 30.0)])
def test_a_femur_of_rods_has_its_angles(side, neck_shaft, anteversion):
    mesh = blocks.femur(neck_shaft, anteversion, side=side)
    tilted = blocks.moved(mesh, Rotation.from_euler("xyz", [6, -5, 0], degrees=True), (80, -20, 700))
    for standing in (mesh, tilted):
        one = found({f"femur_{side}": standing})
        assert one[f"head_radius_{side}"].value == pytest.approx(24.0, abs=0.2)
        assert one[f"neck_shaft_angle_{side}"].value == pytest.approx(neck_shaft, abs=0.5)
        assert one[f"anteversion_{side}"].value == pytest.approx(anteversion, abs=0.7)


def test_without_a_knee_there_is_no_anteversion():
    one = found({"femur_left": blocks.femur(125, 15, knee=False)})
    assert one["anteversion_left"].missing == "the surface of femur_left ends above the knee"
    assert one["neck_shaft_angle_left"].value == pytest.approx(125, abs=0.5)


def test_a_ball_without_a_shaft_is_no_femur():
    one = found({"femur_left": blocks.block((60, 60, 60), (0, 0, 0))})
    assert not [key for key, measure in one.items() if measure.value is not None]


def test_pelvic_angles_of_known_hips_and_a_known_plate():
    # the plate 90 mm above and 30 mm behind the middle of the hips, leaning forwards by 40 degrees
    hips = {
        f"femur_{side}": blocks.moved(blocks.femur(125, 15, side=side), IDENTITY, (x, 30, -90))
        for side, x in (("left", -85.0), ("right", 85.0))
    }
    one = found({**hips, "S1": blocks.s1(slope=40.0)})
    tilt = np.degrees(np.arctan2(30, 90))
    assert one["hip_centre_distance"].value == pytest.approx(170.0, abs=0.2)
    assert one["sacral_slope"].value == pytest.approx(40.0, abs=0.2)
    assert one["pelvic_tilt"].value == pytest.approx(tilt, abs=0.2)
    assert one["pelvic_incidence"].value == pytest.approx(40 + tilt, abs=0.3)


def test_incidence_does_not_change_with_posture():
    model = read_shape_model("pelvis")
    parts = {name: model.surface(model.mean, name) for name in model.part_names}
    lying = found(parts)
    turn = Rotation.from_euler("x", 12, degrees=True)
    sitting = found({name: blocks.moved(mesh, turn, (0, 0, 0)) for name, mesh in parts.items()})
    assert sitting["pelvic_incidence"].value == pytest.approx(lying["pelvic_incidence"].value, abs=1.0)
    assert sitting["sacral_slope"].value == pytest.approx(lying["sacral_slope"].value - 12, abs=1.0)
    assert sitting["pelvic_tilt"].value == pytest.approx(lying["pelvic_tilt"].value + 12, abs=0.5)


def test_sockets_and_heads_give_the_same_hip_centres():
    """The femora of the joint model were seated by the centres of their sockets."""
    model = read_shape_model("pelvis_femur")
    parts = {name: model.surface(model.mean, name) for name in model.part_names}
    by_heads = found(parts)["hip_centre_distance"]
    by_sockets = found({name: mesh for name, mesh in parts.items() if not name.startswith("femur")})
    assert by_heads.value == pytest.approx(by_sockets["hip_centre_distance"].value, abs=3.0)


def test_what_is_missing_of_the_pelvis_is_named():
    model = read_shape_model("pelvis")
    parts = {name: model.surface(model.mean, name) for name in model.part_names}
    del parts["sacrum"]
    assert found(parts)["sacral_slope"].missing == "the sacrum is not in the result"
    del parts["hip_left"]
    assert found(parts)["hip_centre_distance"].missing == "the left hip joint is not in the result"


@pytest.mark.parametrize("subject", range(0, 40, 8))
def test_the_plate_of_a_whole_sacrum_is_where_its_s1_has_it(subject):
    shapes = PelvisShapes.load()
    s1 = Mesh(shapes.vertices["s1"][subject], shapes.faces["s1"], {"region": shapes.s1_regions})
    sacrum = Mesh(shapes.vertices["sacrum"][subject], shapes.faces["sacrum"])
    lean = Rotation.from_euler("x", -40, degrees=True)  # the family stands on its plate
    faces = sacrum.faces[sacral_plate("sacrum", blocks.moved(sacrum, lean, (0, 0, 0)), 0.0)]
    middle = (shapes.s1_regions == 1) & (np.abs(s1.vertices[:, 0]) < 10)
    own = s1.faces[middle[s1.faces].all(axis=1)]
    normals, centres = [], []
    for mesh, some in ((sacrum, faces), (s1, own)):
        normals.append(unit_vector(normal_of(*(end.of(mesh.vertices) for end in boundary("s", some)))))
        corners = mesh.vertices[some].reshape(-1, 3)
        centres.append((corners.min(axis=0) + corners.max(axis=0)) / 2)
    assert np.degrees(np.arccos(normals[0] @ normals[1])) < 6.0
    assert np.linalg.norm(centres[0] - centres[1]) < 2.5


def femur_model() -> ShapeModel:
    return read_shape_model("femur_left")


def test_mirror_images_have_the_same_measures():
    model = femur_model()
    left = model.surface(model.mean, "femur_left")
    right = left.transformed(np.diag([-1.0, 1, 1, 1]))
    one, other = found({"femur_left": left}), found({"femur_right": right})
    for key in ("head_radius", "neck_shaft_angle", "anteversion"):
        assert one[f"{key}_left"].value == pytest.approx(other[f"{key}_right"].value, abs=0.05)

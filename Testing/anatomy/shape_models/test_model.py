"""Shape models: coefficients and shapes are one, files come back, foreign surfaces are found."""

from __future__ import annotations

import io
import pickle
from dataclasses import replace

import numpy as np
import pytest

from anatomy.toy_shapes import ball, stretching_ball
from mri2mesh.anatomy.shape_models.file import landmark_names, read_shape_model, write_shape_model
from mri2mesh.anatomy.shape_models.fit import fit_shape
from mri2mesh.anatomy.shape_models.model import ShapeModel
from mri2mesh.anatomy.structures import STRUCTURES
from mri2mesh.errors import InputError
from mri2mesh.geometry.checks import is_watertight, self_intersections, volume_mm3
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.transforms import apply, compose, rotation_about, translation

SHIPPED = ("pelvis", "femur_left", "femur_right", "pelvis_femur", "sacrum", "L1", "L2", "L3", "L4", "L5")


@pytest.fixture
def model() -> ShapeModel:
    return stretching_ball()


@pytest.fixture(scope="module", params=SHIPPED)
def shipped(request: pytest.FixtureRequest) -> ShapeModel:
    return read_shape_model(request.param)


@pytest.fixture(scope="module")
def pelvis() -> ShapeModel:
    return read_shape_model("pelvis")


def test_two_standard_deviations_of_the_first_mode_move_the_pole_by_what_was_put_in(model):
    pole = model.landmark("top", model.vertices([2.0]))
    np.testing.assert_allclose(pole, [0, 0, 24.0], atol=1e-4)


def test_no_coefficients_give_the_mean_and_many_sets_give_many_shapes(model):
    np.testing.assert_array_equal(model.vertices(), model.mean)
    both = model.vertices([[0, 0], [1, -1]])
    assert both.shape == (2, len(model.mean), 3)
    np.testing.assert_allclose(both[1], model.vertices([1, -1]))


def test_projection_undoes_vertices(model):
    b = np.array([[1.5, -0.7], [0.0, 2.0]])
    np.testing.assert_allclose(model.project(model.vertices(b)), b, atol=1e-5)


def test_half_a_shape_is_enough_to_find_its_coefficients(model):
    vertices = model.vertices([1.2, -0.4])
    seen = model.mean[:, 2] > 0
    vertices[~seen] = np.nan_to_num(np.inf)
    np.testing.assert_allclose(model.project(vertices, observed=seen), [1.2, -0.4], atol=1e-4)


def test_noise_draws_a_coefficient_towards_the_mean_by_its_share_of_the_variance(model):
    noise = float(model.deviations[0])
    assert model.project(model.vertices([2.0]), noise_mm=noise)[0] == pytest.approx(1.0, rel=1e-5)


def test_samples_have_unit_variance_and_stay_within_their_limit(model):
    rng = np.random.default_rng(1)
    drawn = np.stack([model.sample(rng, limit=1.5) for _ in range(500)])
    assert np.abs(drawn).max() <= 1.5
    wide = np.stack([model.sample(rng, limit=6) for _ in range(2000)])
    np.testing.assert_allclose(wide.std(axis=0), 1, atol=0.05)


def test_a_model_without_a_subject_is_the_model_of_the_others(model):
    shapes = model.vertices(model.scores)
    rest = [row for row, subject in enumerate(model.subjects) if subject != "s2"]
    smaller = model.without(2)
    assert set(smaller.subjects) == set(model.subjects) - {"s2"} and len(smaller.scores) == 10
    np.testing.assert_allclose(smaller.mean, shapes[rest].mean(axis=0), atol=1e-5)
    total = shapes[rest].var(axis=0, ddof=1).sum()
    assert smaller.variances.sum() == pytest.approx(total, rel=1e-5)
    np.testing.assert_allclose(smaller.vertices(smaller.scores), shapes[rest], atol=1e-4)
    flat = smaller.modes.reshape(len(smaller.modes), -1)
    np.testing.assert_allclose(flat @ flat.T, np.eye(len(flat)), atol=1e-5)


def test_a_mirror_image_leaves_with_its_subject(model):
    np.testing.assert_allclose(model.without(2).mean, model.without(8).mean)
    assert model.without("s2").subjects == model.without(8).subjects
    with pytest.raises(ValueError, match="not a subject"):
        model.without("nobody")


def test_a_file_comes_back_as_it_was_to_a_hundredth_of_a_millimetre(model, tmp_path):
    back = read_shape_model(write_shape_model(model, tmp_path / "ball.npz"))
    b = model.scores[3]
    np.testing.assert_allclose(back.vertices(b), model.vertices(b), atol=0.01)
    np.testing.assert_array_equal(back.faces, model.faces)
    np.testing.assert_allclose(back.scores, model.scores, atol=1e-6)
    assert (back.name, back.licence, back.subjects) == (model.name, model.licence, model.subjects)
    assert back.attribution == model.attribution and back.frame == model.frame
    assert {k: v.tolist() for k, v in back.landmarks.items()} == {
        k: v.tolist() for k, v in model.landmarks.items()
    }


def test_the_same_model_gives_the_same_bytes(model, tmp_path):
    first, second = write_shape_model(model, tmp_path / "a.npz"), write_shape_model(model, tmp_path / "b.npz")
    assert first.read_bytes() == second.read_bytes()


def test_damaged_pickled_and_foreign_files_are_refused_in_one_line(model, tmp_path):
    whole = write_shape_model(model, tmp_path / "whole.npz").read_bytes()
    other = io.BytesIO()
    np.savez(other, mean=np.zeros((3, 3)))
    pickled = io.BytesIO()
    np.savez(pickled, description=np.array([{"format": 1}], dtype=object))
    bad = (b"", b"no zip", whole[:-200], other.getvalue(), pickled.getvalue(), pickle.dumps([1]))
    for number, data in enumerate(bad):
        path = tmp_path / f"bad{number}.npz"
        path.write_bytes(data)
        with pytest.raises(InputError, match=f"bad{number}.npz"):
            read_shape_model(path)
    with pytest.raises(InputError, match="cannot read"):
        read_shape_model(tmp_path / "nowhere.npz")
    with pytest.raises(InputError, match="no weights named"):
        read_shape_model("humerus")


def test_arrays_that_do_not_fit_together_are_refused(model):
    for change in (
        {"variances": model.variances[:1]},
        {"faces": model.faces + 1},
        {"part_names": ("L3", "wing"), "part": model.part},
        {"landmarks": {"nowhere": np.array([10**6])}},
        {"mean": np.full_like(model.mean, np.nan)},
    ):
        with pytest.raises(ValueError):
            replace(model, **change)


def test_a_displaced_ellipsoid_is_found_with_its_pose_and_shape(model):
    truth = rotation_about((0, 1, 0), 15.0, (3, 2, 1)) @ translation((12, -30, 5))
    target = Mesh(apply(truth, model.vertices([1.5, -1.0])), model.faces)
    fit = fit_shape(model, target, noise_mm=0.2)
    np.testing.assert_allclose(fit.coefficients, [1.5, -1.0], atol=0.1)
    assert fit.distances.max() < 0.3
    assert fit.scale == pytest.approx(1.0, abs=1e-6)
    np.testing.assert_allclose(apply(fit.matrix, model.vertices(fit.coefficients)), fit.vertices)


def test_a_scale_is_found_beside_the_shape(model):
    size = compose(1.3 * np.eye(3), (5, 0, 0))
    target = Mesh(apply(size, model.vertices([1.0, 0.5])), model.faces)
    fit = fit_shape(model, target, scale=True, noise_mm=0.2)
    assert fit.distances.max() < 0.3
    # A ball stretched alike in x, y and z is a larger ball, so shape and scale share: their product is known.
    heights = np.ptp(fit.vertices, axis=0)
    np.testing.assert_allclose(heights, np.ptp(target.vertices, axis=0), atol=0.4)


def test_points_alone_can_be_fitted(model):
    rng = np.random.default_rng(0)
    points = model.vertices([1.5, -1.0])[rng.choice(len(model.mean), 400)] + [4, 5, 6]
    fit = fit_shape(model, points, noise_mm=0.2)
    np.testing.assert_allclose(fit.vertices.mean(axis=0), [4, 5, 6], atol=0.3)
    np.testing.assert_allclose(fit.coefficients, [1.5, -1.0], atol=0.2)
    with pytest.raises(InputError, match="at least 100 points"):
        fit_shape(model, points[:5])


def test_what_does_not_belong_pulls_little(model):
    vertices, faces = ball(2, 6.0)
    bone = model.vertices([1.0, 0.0])
    stray = Mesh(
        np.concatenate([bone, vertices + [0, 0, 60]]), np.concatenate([model.faces, faces + len(bone)])
    )
    fit = fit_shape(model, stray, initial=np.eye(4), noise_mm=0.2)
    np.testing.assert_allclose(fit.coefficients, [1.0, 0.0], atol=0.15)


def test_every_part_of_every_shipped_mean_is_a_clean_solid(shipped):
    assert set(shipped.part_names) <= set(STRUCTURES)
    for name, mesh in shipped.meshes().items():
        assert is_watertight(mesh) and volume_mm3(mesh) > 0, name
        assert self_intersections(mesh) == 0, name


def test_shipped_modes_are_orthonormal_and_scores_have_unit_variance(shipped):
    flat = shipped.modes.reshape(len(shipped.modes), -1)
    np.testing.assert_allclose(flat @ flat.T, np.eye(len(flat)), atol=5e-4)
    np.testing.assert_allclose(shipped.scores.std(axis=0, ddof=1), 1, atol=1e-3)
    assert (np.diff(shipped.variances) <= 0).all()


def test_shipped_models_say_whom_they_come_from_and_where_they_lie(shipped):
    assert shipped.licence and shipped.frame
    assert all(row["source"] and row["licence"] for row in shipped.attribution)


def test_left_is_left_in_every_shipped_model(shipped):
    """RAS: the patient's left is -x."""
    sided = [name for name in shipped.landmarks if name.endswith("_left")]
    if "femur" in shipped.name and len(shipped.part_names) == 1:
        lateral = -1 if shipped.name == "femur_left" else 1
        side = shipped.name.removeprefix("femur_")
        assert lateral * shipped.landmark(f"greater_trochanter_{side}")[0] > 30
        medial, outer = (shipped.landmark(f"{m}_epicondyle_{side}")[0] for m in ("medial", "lateral"))
        assert lateral * (outer - medial) > 60
        assert shipped.landmark(f"lesser_trochanter_{side}")[1] < -15  # behind
        return
    assert sided
    for name in sided:
        assert shipped.landmark(name)[0] < shipped.landmark(name.replace("_left", "_right"))[0], name


def test_the_pelvis_stands_as_a_pelvis_does(pelvis):
    at = pelvis.landmark
    np.testing.assert_allclose(
        (at("acetabulum_centre_left") + at("acetabulum_centre_right")) / 2, 0, atol=0.2
    )
    for side in ("left", "right"):
        assert at(f"asis_{side}")[1] > 30 > -30 > at(f"psis_{side}")[1]
        assert at(f"iliac_crest_superior_{side}")[2] > at(f"asis_{side}")[2] > 40
        assert at(f"ischial_tuberosity_inferior_{side}")[2] < -40
        assert at(f"ischial_spine_{side}")[1] < at(f"acetabulum_centre_{side}")[1]
    assert at("sacral_promontory")[2] > at("pubic_symphysis_superior")[2] + 60
    mirror = np.array([-1, 1, 1])
    np.testing.assert_allclose(at("asis_left") * mirror, at("asis_right"), atol=0.1)


def test_one_hip_taken_from_the_pelvis_is_a_model_of_its_own(pelvis):
    hip = pelvis.only("hip_left")
    assert (
        hip.part_names == ("hip_left",) and "asis_left" in hip.landmarks and "asis_right" not in hip.landmarks
    )
    whole = pelvis.vertices(pelvis.scores[5])[pelvis.part_vertices("hip_left")]
    np.testing.assert_allclose(hip.vertices(hip.scores[5]), whole, atol=0.02)


def test_femoral_heads_sit_in_their_sockets():
    joint = read_shape_model("pelvis_femur")
    for side in ("left", "right"):
        head, socket = (
            joint.landmark(name) for name in (f"femoral_head_centre_{side}", f"acetabulum_centre_{side}")
        )
        assert np.linalg.norm(head - socket) < 4.0


@pytest.mark.parametrize("name", ["pelvis", "femur_left", "L3"])
def test_the_names_of_landmarks_are_read_without_the_shape(name):
    assert landmark_names(name) == tuple(read_shape_model(name).landmarks)


def test_landmarks_of_a_bone_without_model_are_refused():
    with pytest.raises(InputError, match="no weights named"):
        landmark_names("humerus")

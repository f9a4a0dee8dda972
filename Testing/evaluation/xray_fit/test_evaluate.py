"""Measuring fits to radiographs: nobody is in their own model, errors are named rightly, the same seed is the same."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from anatomy.toy_shapes import stretching_ball
from geometry.rotations import angle_degrees
from mri2mesh.anatomy.shape_models.file import read_shape_model
from mri2mesh.anatomy.shape_models.model import ShapeModel
from mri2mesh.errors import InputError
from mri2mesh.evaluation.xray_fit.cases import HeldOut, held_out, observe, one_row_each, shape_of
from mri2mesh.evaluation.xray_fit.conditions import FIELDS, Condition, true_camera
from mri2mesh.evaluation.xray_fit.evaluate import evaluate
from mri2mesh.evaluation.xray_fit.scores import (
    Honesty,
    Outcome,
    Stated,
    Truth,
    baselines_of,
    distances,
    honesty,
    pose_error,
    score,
    summarise,
    vertex_errors,
)
from mri2mesh.evaluation.xray_fit.tables import markdown, write
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.sampling import vertex_normals
from mri2mesh.geometry.transforms import (
    apply,
    rotation_about,
    translation,
)

ANTERIOR = np.array([0.0, 1.0, 0.0])
UNSTATED, DONE = Honesty(0.0, 0.0, 0.0, 0.0), Outcome(0.5, 1.0, 1.0)


def known(case: HeldOut) -> Truth:
    """All of it in the film."""
    return Truth(case.subject, case.model, case.truth, np.ones(len(case.truth), bool))


@pytest.fixture
def model() -> ShapeModel:
    return stretching_ball((6.0, 4.0))


@pytest.fixture(scope="module")
def femur() -> ShapeModel:
    return read_shape_model("femur_left")


def test_a_subject_and_its_mirror_image_are_left_out_of_the_model_together(model):
    case = held_out(model, 2, seed=0)
    assert case.subject == "s2" and "s2" not in case.model.subjects
    assert set(case.model.subjects) == set(model.subjects) - {"s2"}


@pytest.mark.parametrize(("name", "subjects"), [("pelvis", 40), ("femur_left", 26), ("L1", 11), ("L5", 3)])
def test_a_mirror_image_or_another_bone_is_not_a_subject(name, subjects):
    shipped = read_shape_model(name)
    rows = one_row_each(shipped)
    assert len(rows) == len({shipped.subjects[row] for row in rows}) == subjects
    assert not np.asarray(shipped.mirrored)[rows].any()
    assert not shipped.groups or {shipped.groups[row] for row in rows} == {name}


def test_a_few_subjects_are_spread_over_all(femur):
    assert one_row_each(femur, 3) == [0, 12, 25]
    assert one_row_each(femur, 1000) == one_row_each(femur)


def test_the_widening_of_small_groups_is_taken_back():
    lumbar = read_shape_model("L5")
    row = one_row_each(lumbar)[0]
    offset, widened = shape_of(lumbar, row) - lumbar.mean, lumbar.vertices(lumbar.scores[row]) - lumbar.mean
    assert np.linalg.norm(offset) / np.linalg.norm(widened) == pytest.approx(np.sqrt(2 / 3), rel=1e-6)


def test_a_truncated_field_shows_the_left_half_of_the_pelvis_and_the_upper_half_of_the_femur():
    points = np.array([[-30.0, 4.0, 20.0], [30.0, -4.0, -20.0]])  # left and high, right and low
    for anatomy, axis in (("pelvis", 1), ("femur_left", 0)):
        whole, half = (FIELDS[anatomy].geometry(180.0, truncated).camera() for truncated in (False, True))
        assert half.size[axis] == whole.size[axis] // 2 and half.size[1 - axis] == whole.size[1 - axis]
        (high_left, low_right) = half.project(points)
        assert (high_left >= 0).all() and (high_left < half.size[::-1]).all()
        assert not ((low_right >= 0).all() and (low_right < half.size[::-1]).all())
        # the same place of the patient falls on the same place of the detector
        offset = whole.project(points) - half.project(points)
        np.testing.assert_allclose(offset, np.broadcast_to([whole.size[1] // 2 * (axis == 1), 0], (2, 2)))


def test_the_given_distance_is_too_long_and_the_source_as_far_away():
    given = FIELDS["femur_left"].geometry(180.0, truncated=False).camera()
    true = true_camera(given, Rotation.from_rotvec([0.0, 0.0, 5.0], degrees=True), 0.02)
    assert angle_degrees(given.axes_ras.T @ true.axes_ras) == pytest.approx(5.0)
    assert given.source_to_detector_mm == pytest.approx(1.02 * true.source_to_detector_mm)
    np.testing.assert_allclose(np.linalg.norm(given.source_ras_mm), np.linalg.norm(true.source_ras_mm))


def test_every_view_but_the_first_is_turned_when_the_geometry_is_wrong(femur):
    case, field = held_out(femur, 0, 0), FIELDS["femur_left"]
    right, wrong = (
        observe(case, field, Condition((180.0, 180.0), turn_deg=turn), [0]) for turn in (0.0, 20.0)
    )
    for n, moved in enumerate((False, True)):
        assert right[n].geometry == wrong[n].geometry
        assert (np.abs(right[n].pixels - wrong[n].pixels).mean() > 0.02) == moved


def test_radiographs_are_the_same_for_the_same_seed_and_differ_from_view_to_view(femur):
    case, field = held_out(femur, 0, 0), FIELDS["femur_left"]
    twice = Condition((180.0, 180.0))
    first, same = (observe(case, field, twice, [1, 2]) for _ in range(2))
    np.testing.assert_array_equal(first[1].pixels, same[1].pixels)
    assert np.abs(first[0].pixels - first[1].pixels).max() > 0.01


def test_turns_about_the_beam_are_in_plane_and_shifts_along_it_are_depth():
    points = np.random.default_rng(0).normal(size=(50, 3)) * 30
    points -= points.mean(0)
    about_beam = apply(translation([3.0, 7.0, 4.0]) @ rotation_about(ANTERIOR, 2.0), points)
    error = pose_error(points, about_beam, ANTERIOR)
    assert (error.in_plane_deg, error.along_mm) == (pytest.approx(2.0), pytest.approx(7.0))
    assert (error.out_of_plane_deg, error.across_mm) == (pytest.approx(0, abs=1e-6), pytest.approx(5.0))
    tipped = pose_error(points, apply(rotation_about([3.0, 0.0, 4.0], 5.0), points), ANTERIOR)
    assert tipped.out_of_plane_deg == pytest.approx(5.0) and tipped.in_plane_deg < 1e-6


def test_a_larger_copy_is_wrong_raw_and_right_after_similarity(femur):
    case = held_out(femur, 4, 0)
    larger = (case.truth - case.truth.mean(0)) * 1.05 + case.truth.mean(0)
    result = score("x", known(case), baselines_of(known(case)), larger, ANTERIOR, UNSTATED, DONE)
    assert result.raw_assd_mm > 1.0 and result.rigid_assd_mm > 1.0
    assert result.similarity_assd_mm < 0.01 and result.similarity_hd_mm < 0.01
    assert max(result.in_plane_deg, result.along_mm) < 1e-6


def test_the_floor_lies_below_the_mean_shape_and_the_truth_at_zero(femur):
    case = held_out(femur, 10, 0)
    baselines = baselines_of(known(case))
    assert 0 < baselines.floor.assd < 0.5 * baselines.mean.assd
    assert baselines.mean_similarity.assd <= baselines.mean.assd + 0.05
    assert distances(known(case), case.truth).hd < 1e-3


def test_a_misplaced_bone_is_wrong_in_all_directions(femur):
    case = held_out(femur, 4, 0)
    np.testing.assert_allclose(
        vertex_errors(known(case), case.truth + [1.0, 2.0, -3.0]),
        np.tile([1.0, 2.0, -3.0], (len(case.truth), 1)),
        atol=1e-6,
    )


def test_sliding_along_the_surface_is_no_error_and_lying_off_it_is(femur):
    case = held_out(femur, 4, 0)
    normals = vertex_normals(Mesh(case.truth.astype(np.float32), case.model.faces))
    rng = np.random.default_rng(0)
    sliding = np.cross(normals, rng.normal(size=normals.shape))
    off = rng.normal(size=(len(normals), 1)) * normals
    assert np.linalg.norm(vertex_errors(known(case), case.truth + sliding), axis=1).mean() < 0.1
    np.testing.assert_allclose(vertex_errors(known(case), case.truth + off), off, atol=0.15)


def test_errors_as_large_as_stated_are_one_when_normalised(femur):
    case = held_out(femur, 4, 0)
    n = len(case.truth)
    stated = Stated(
        np.full(n, 11.0, np.float32),
        np.full(n, 9.0, np.float32),
        np.full(n, np.sqrt(20.0), np.float32),
        np.tile(ANTERIOR, (1, n, 1)),
    )
    found = honesty(known(case), case.truth + [2.0, 9.0, 6.0], stated)
    assert found.normalised_along == pytest.approx(1.0)
    assert found.normalised_across == pytest.approx(1.0)
    assert found.error_mm == pytest.approx(found.stated_mm)


def test_what_is_outside_the_film_counts_for_nothing(femur):
    case = held_out(femur, 4, 0)
    upper = case.truth[:, 2] > np.median(case.truth[:, 2])
    truth = Truth(case.subject, case.model, case.truth, upper)
    bent = case.truth + np.where(upper[:, None], 0.0, 40.0) * ANTERIOR
    assert distances(truth, bent).hd95 < 0.5 < distances(known(case), bent).hd95
    result = score("x", truth, baselines_of(truth), bent, ANTERIOR, honesty(truth, bent, _sure(bent)), DONE)
    assert result.along_mm < 1e-6 and result.raw_assd_mm < 0.1
    assert result.error_mm < 1e-6 and result.stated_mm == pytest.approx(1.0)


def _sure(vertices: np.ndarray) -> Stated:
    one = np.ones(len(vertices))
    return Stated(one, one, one, np.tile(ANTERIOR, (1, len(vertices), 1)))


def test_a_small_evaluation_is_written_as_runs_and_as_tables(model, tmp_path):
    case = held_out(model, 0, 0)
    truth = known(case)
    baselines = baselines_of(truth)
    scores = [
        score(
            "ap",
            truth,
            baselines,
            case.truth + [0, depth, 0],
            ANTERIOR,
            Honesty(depth, 1.0, depth, 0.0),
            Outcome(0.5, float(depth != 2.0), 1.0),
        )
        for depth in (0.0, 2.0, 10.0)
    ]
    assert summarise(scores)["along_mm"] == {
        "median": pytest.approx(2.0),
        "least": pytest.approx(0.0),
        "most": pytest.approx(10.0),
        "rms": pytest.approx(np.sqrt(104 / 3)),
    }
    write(scores, "pelvis", 0, tmp_path)
    assert len((tmp_path / "runs.csv").read_text().splitlines()) == 4
    assert json.loads((tmp_path / "summary.json").read_text())["conditions"]["ap"]["n"]["count"] == 3
    table = (tmp_path / "summary.md").read_text()
    assert table == markdown(scores, "pelvis") and "| ap | 3 | " in table
    # two passed, one of them ten times as far off as it says
    assert table.rstrip().endswith("| 2 | 1 |")


def test_what_is_not_known_is_refused_and_the_right_names_are_given():
    with pytest.raises(InputError, match="use pelvis, femur_left"):
        evaluate("skull")
    with pytest.raises(InputError, match="'frog-leg': use ap, oblique"):
        evaluate("pelvis", ["frog-leg"], alone=True)
    with pytest.raises(InputError, match="'frog-leg': use ap, two-views"):
        evaluate("pelvis", ["frog-leg"])
    with pytest.raises(InputError, match="training data"):
        evaluate("pelvis")

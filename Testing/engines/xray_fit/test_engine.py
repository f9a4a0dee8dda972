"""The whole fit on simulated radiographs of a femur whose surface is known."""

from dataclasses import replace

import numpy as np
import pytest

from engines.xray_fit.simulated import QUICK, N, Simulated, geometry, simulate
from mri2mesh.engines.xray_fit.engine import reconstruct
from mri2mesh.engines.xray_fit.fitting.case import settings_for
from mri2mesh.errors import InputError
from mri2mesh.geometry.checks import is_watertight, self_intersections, volume_mm3
from mri2mesh.geometry.distances import surface_distances
from mri2mesh.imaging.radiographs.assumptions import assumptions_of
from mri2mesh.imaging.radiographs.radiograph import Radiograph
from mri2mesh.imaging.radiographs.xray_geometry import assumed_geometry
from mri2mesh.reconstruction import Reconstruction
from mri2mesh.synthesis.films.single_bone import XraySettings, radiograph, thickness

FIELD_MM = 600.0


@pytest.fixture(scope="module")
def case() -> Simulated:
    """A left femur, turned inwards and bent at the hip, from the front and obliquely."""
    return simulate("femur_left", (180.0, 135.0), FIELD_MM, turn_deg=(6.0, -5.0, 12.0))


@pytest.fixture(scope="module")
def reported() -> list[tuple[str, float]]:
    """What `one_view` says of its progress."""
    return []


@pytest.fixture(scope="module")
def one_view(case: Simulated, reported: list[tuple[str, float]]) -> Reconstruction:
    return reconstruct(
        case.radiographs[:1],
        anatomy="femur_left",
        settings=QUICK,
        landmarks=case.landmarks()[:1],
        progress=lambda stage, fraction: reported.append((stage, fraction)),
    )


@pytest.fixture(scope="module")
def searched(case: Simulated) -> Reconstruction:
    """One view without landmarks."""
    return reconstruct(case.radiographs[:1], anatomy="femur_left", settings=QUICK)


@pytest.fixture(scope="module")
def two_views(case: Simulated) -> Reconstruction:
    return reconstruct(case.radiographs, anatomy="femur_left", settings=QUICK, landmarks=case.landmarks())


def distance_mm(result: Reconstruction, case: Simulated) -> float:
    truth = case.model.surface(case.vertices)
    return surface_distances(result.structures[0].mesh, truth, n_samples=4000).assd


def agreement(result: Reconstruction) -> float:
    return min(check.value for check in result.checks if check.name == "agreement with the image")


def failed(result: Reconstruction) -> set[str]:
    return {check.name for check in result.checks if not check.passed}


def test_two_views_with_landmarks_give_the_surface(two_views, case):
    assert distance_mm(two_views, case) < 2.0
    assert two_views.passed, failed(two_views)


def test_one_view_with_landmarks_gives_the_surface_but_for_its_depth(one_view, case):
    error = np.abs(one_view.structures[0].mesh.vertices - case.vertices)
    assert np.median(error[:, [0, 2]]) < 2.0
    assert np.median(error[:, 1]) < 10.0
    assert one_view.passed, failed(one_view)


def test_one_view_without_landmarks_finds_the_bone_in_the_image(searched, case):
    """There, that is: of how it tilts along the beam one view shows little, and the result says so."""
    camera = case.radiographs[0].camera
    found, truth = camera.project(searched.structures[0].mesh.vertices), camera.project(case.vertices)
    at_bone = FIELD_MM / N * 0.8
    assert np.median(np.linalg.norm(found - truth, axis=1)) * at_bone < 20.0
    assert any("tilts" in warning for warning in searched.warnings)


@pytest.mark.parametrize("which", ["one_view", "two_views"])
def test_surfaces_are_closed_outward_and_do_not_meet_themselves(which, request):
    for item in request.getfixturevalue(which).structures:
        assert is_watertight(item.mesh)
        assert self_intersections(item.mesh) == 0
        assert volume_mm3(item.mesh) > 0


def test_one_view_says_that_depth_is_uncertain_and_a_second_helps(one_view, two_views):
    one, two = one_view.structures[0], two_views.structures[0]
    along, across = (one.mesh.point_data[f"uncertainty_{name}_mm"] for name in ("along_beam", "across"))
    assert np.median(along) > 3 * np.median(across)
    assert np.median(two.uncertainty_mm) < np.median(one.uncertainty_mm)
    assert one.uncertainty_mm.shape == one.support.shape == (len(one.mesh.vertices),)


def test_errors_are_of_the_size_of_the_uncertainty(one_view, case):
    item = one_view.structures[0]
    error = np.linalg.norm(item.mesh.vertices - case.vertices, axis=1)
    assert np.mean(error < 2 * item.uncertainty_mm) > 0.9


def test_a_mirrored_image_is_not_taken_for_a_left_femur(case):
    bones = [case.model.surface(case.vertices * [-1.0, 1.0, 1.0])]
    bones = [replace(bone, faces=np.ascontiguousarray(bone.faces[:, ::-1])) for bone in bones]
    seen = case.radiographs[0]
    settings = XraySettings(body_mm=(90.0, 80.0), organs=6)
    pixels = radiograph(bones, seen.camera, np.random.default_rng(5), settings)
    found = reconstruct([replace(seen, pixels=pixels)], anatomy="femur_left", settings=QUICK)
    assert "side" in failed(found)
    (check,) = [check for check in found.checks if check.name == "side"]
    assert "mirrored or of the other side" in check.detail


def test_an_image_without_the_bone_fails_its_checks(case):
    noise = np.random.default_rng(1).normal(1.0, 0.1, (N, N)).astype(np.float32)
    empty = replace(case.radiographs[0], pixels=noise)
    found = reconstruct([empty], anatomy="femur_left", settings=QUICK)
    assert "agreement with the image" in failed(found)
    assert all(np.isfinite(item.mesh.vertices).all() for item in found.structures)


def test_each_step_reports_a_surface_and_can_end_the_fit(case):
    class Cancelled(Exception):
        pass

    seen = []

    def watch(meshes, fraction, surface_to_view):
        assert [move.shape for move in surface_to_view] == [(4, 4)]
        seen.append((meshes["femur_left"], fraction))
        if len(seen) == 3:
            raise Cancelled

    with pytest.raises(Cancelled):
        reconstruct(case.radiographs[:1], anatomy="femur_left", settings=QUICK, watch=watch)
    fractions = [fraction for _, fraction in seen]
    assert fractions == sorted(fractions)
    assert all(len(mesh.vertices) == len(case.vertices) for mesh, _ in seen)


def test_progress_never_stands_still_for_long_nor_goes_back(one_view, reported):
    """The check of a femur fits the other side's bone: its steps must be reported and can be cancelled too."""
    fractions = [fraction for _, fraction in reported]
    assert fractions == sorted(fractions)
    assert fractions[0] == 0 and fractions[-1] == 1
    stages = [stage for stage, _ in reported]
    assert stages.count("fit") > 5 and stages.count("check") > 5


def test_a_fit_continues_from_where_another_ended_with_new_landmarks(case, one_view):
    short = replace(QUICK, levels=QUICK.levels[-1:])
    found = reconstruct(
        case.radiographs[:1],
        anatomy="femur_left",
        settings=short,
        start=one_view,
        landmarks=case.landmarks()[:1],
    )
    moved = found.structures[0].mesh.vertices - one_view.structures[0].mesh.vertices
    assert np.abs(moved).mean() < 8.0
    assert "landmarks" not in failed(found)
    with pytest.raises(InputError, match="continued"):
        reconstruct(case.radiographs, anatomy="femur_left", settings=short, start=one_view)


def test_a_fit_that_goes_on_stays_as_deep_as_the_earlier_one_lay(case, one_view):
    # Where that was is known no better by the geometry: one view does not show it.
    beam = case.radiographs[0].camera.axes_ras[2]
    earlier = dict(one_view.provenance["fit"])
    earlier["position"] = (np.asarray(earlier["position"]) + 30.0 * beam).tolist()
    short = replace(QUICK, levels=QUICK.levels[-1:])
    found = reconstruct(case.radiographs[:1], anatomy="femur_left", settings=short, start=earlier)
    middles = [one.structures[0].mesh.vertices.mean(axis=0) for one in (one_view, found)]
    assert (middles[1] - middles[0]) @ beam == pytest.approx(30.0, abs=8.0)


def test_an_unknown_scale_is_said_and_left_free(case):
    known = case.radiographs[0]
    unknown = known.with_geometry(geometry(180.0, FIELD_MM, spacing="default"))
    assert any("scale unknown" in warning for warning in assumptions_of([unknown]))
    assert settings_for([unknown]).prior.scale > 0
    assert not any("scale unknown" in warning for warning in assumptions_of([known]))
    assert settings_for([known]).prior.scale == 0


def test_views_are_free_to_move_only_where_their_geometry_is_assumed(case):
    known = settings_for(case.radiographs)
    assert known.prior.view_turn_deg == known.prior.view_shift_mm == 0
    guessed = replace(case.radiographs[1], geometry=assumed_geometry((N, N)))
    loose = settings_for([case.radiographs[0], guessed])
    assert loose.prior.view_turn_deg > 0 and loose.prior.view_shift_mm > 0
    assert settings_for([guessed]).prior.view_shift_mm == 0


def bad_view(case: Simulated, **changes: object) -> Radiograph:
    return replace(case.radiographs[0], **changes)


@pytest.mark.parametrize(
    ("anatomy", "says"), [(None, "--anatomy pelvis"), ("skull", "no shape model of skull")]
)
def test_the_bone_must_be_named(case, anatomy, says):
    with pytest.raises(InputError, match=says):
        reconstruct(case.radiographs[:1], anatomy=anatomy)


def test_a_camera_inside_the_bone_is_refused(case):
    known = case.radiographs[0].geometry.with_values("user", source_to_isocentre_mm=10.0)
    with pytest.raises(InputError, match="X-ray source"):
        reconstruct([case.radiographs[0].with_geometry(known)], anatomy="femur_left", settings=QUICK)


def test_blank_and_masked_images_are_refused(case):
    with pytest.raises(InputError, match="same value"):
        reconstruct([bad_view(case, pixels=np.ones((N, N), np.float32))], anatomy="femur_left")
    masked = {"collimator": np.ones((N, N), bool)}
    with pytest.raises(InputError, match="masked"):
        reconstruct([bad_view(case, unusable=masked)], anatomy="femur_left")


def test_a_landmark_of_another_bone_is_refused(case):
    with pytest.raises(InputError, match="no landmark 'asis_left'"):
        reconstruct(case.radiographs[:1], anatomy="femur_left", landmarks=[{"asis_left": (5.0, 5.0)}])


def test_a_mask_holds_the_outline_and_is_checked(case, one_view):
    seen = case.radiographs[0]
    mask = thickness(case.model.surface(case.vertices), seen.camera) > 0
    found = reconstruct(
        [seen],
        anatomy="femur_left",
        settings=replace(QUICK, levels=QUICK.levels[-1:]),
        start=one_view.provenance["fit"],
        masks=[mask],
    )
    (check,) = [check for check in found.checks if check.name == "outline"]
    assert check.passed, check.detail
    with pytest.raises(InputError, match="outline"):
        reconstruct([seen], anatomy="femur_left", masks=[np.zeros_like(mask)])


def test_numbers_beyond_any_image_give_a_failed_result_and_no_nan(case):
    """Squares of these pixels overflow."""
    wild = replace(case.radiographs[0], pixels=case.radiographs[0].pixels * np.float32(1e25))
    found = reconstruct([wild], anatomy="femur_left", settings=replace(QUICK, levels=QUICK.levels[:1]))
    assert not found.passed
    assert all(np.isfinite(item.mesh.vertices).all() for item in found.structures)

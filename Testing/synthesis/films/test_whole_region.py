"""Films of whole regions: anatomy in its place, sides never swapped, truth that fits the camera."""

from __future__ import annotations

import numpy as np
import pytest

from mri2mesh.anatomy.hip_region import BONES
from mri2mesh.anatomy.shape_models.file import read_shape_model
from mri2mesh.errors import InputError
from mri2mesh.geometry.xray_camera import XrayCamera
from mri2mesh.synthesis.films.case import FilmCase, film_truth, make_case
from mri2mesh.synthesis.films.develop import develop
from mri2mesh.synthesis.films.posed_region import PosedRegion, RegionMaker
from mri2mesh.synthesis.films.region_shapes import RegionShapes, _aligned_femora, _centred
from mri2mesh.synthesis.films.soft_tissue import Ellipsoid, ray_directions, union_length
from mri2mesh.synthesis.films.views import View


@pytest.fixture(scope="module")
def shapes() -> RegionShapes:
    """The joint model's own subjects: what needs no registration and no training data."""
    joint = read_shape_model("pelvis_femur")
    limbs = joint.vertices(joint.scores[:6])
    count = int(min(joint.part_vertices("femur_left")))
    pelves = np.stack([_centred(limb[:count], joint) for limb in limbs])
    femora = _aligned_femora(limbs[:, joint.part_vertices("femur_left")], joint)
    names = joint.subjects[:6]
    return RegionShapes(
        pelves.astype(np.float32), femora.astype(np.float32), names, names, ("limb",) * 6, joint, np.arange(9)
    )


@pytest.fixture(scope="module")
def maker(shapes: RegionShapes) -> RegionMaker:
    return RegionMaker(shapes, None)


@pytest.fixture(scope="module")
def region(maker: RegionMaker) -> PosedRegion:
    return maker.draw(np.random.default_rng(3))


def camera(primary_angle_deg: float, size: int = 128) -> XrayCamera:
    spacing = 440.0 / size
    return XrayCamera.from_c_arm(
        source_to_detector_mm=1150.0,
        source_to_isocentre_mm=1000.0,
        pixel_spacing_mm=(spacing, spacing),
        size=(size, size),
        primary_angle_deg=primary_angle_deg,
    )


@pytest.mark.parametrize("primary", [180.0, 0.0], ids=["AP", "PA"])
def test_the_left_side_is_on_the_right_of_a_film_however_the_beam_runs(
    maker: RegionMaker, region: PosedRegion, primary: float
):
    truth = film_truth(maker, region, camera(primary))
    columns = [np.nonzero(truth.mask[k])[1].mean() for k in range(len(BONES))]
    left = dict(zip(BONES, columns, strict=True))
    assert left["hip_left"] > 64 > left["hip_right"]
    assert left["femur_left"] > left["sacrum"] > left["femur_right"]


def test_the_front_of_the_patient_is_nearer_to_the_source_of_an_ap_film(
    maker: RegionMaker, region: PosedRegion
):
    """The sacrum lies behind the femoral heads: farther in AP, nearer in PA."""
    for primary, sign in ((180.0, 1), (0.0, -1)):
        truth = film_truth(maker, region, camera(primary))
        depth = [truth.depth[k, 0][truth.mask[k]].mean() for k in range(len(BONES))]
        assert sign * (depth[2] - depth[3]) > 20


def test_depth_and_pixel_give_back_a_point_of_the_bone(maker: RegionMaker, region: PosedRegion):
    from scipy.spatial import cKDTree

    view = camera(190.0)
    truth = film_truth(maker, region, view)
    rows, columns = np.nonzero(truth.mask[3])
    depth = truth.depth[3, 0][rows, columns].astype(float)
    homogeneous = np.stack([columns * depth, rows * depth, depth], 1)
    points = (homogeneous - view.matrix[:, 3]) @ np.linalg.inv(view.matrix[:, :3]).T
    femur = region.vertices[maker.shapes.template.part_vertices("femur_left")]
    assert (
        np.percentile(cKDTree(femur).query(points)[0], 95) < 11.0
    )  # vertices are up to 15 mm apart along the shaft
    places = truth.canonical[3, 0][:, rows, columns].T
    mean = maker.canonical[maker.shapes.template.part_vertices("femur_left")]
    assert np.percentile(cKDTree(mean).query(places)[0], 95) < 11.0


def test_front_is_never_behind_back(maker: RegionMaker, region: PosedRegion):
    truth = film_truth(maker, region, camera(200.0))
    assert (truth.depth[:, 1] >= truth.depth[:, 0])[truth.mask].all()


def test_femoral_heads_sit_in_their_sockets(maker: RegionMaker, shapes: RegionShapes):
    template = shapes.template
    for seed in range(4):
        region = maker.draw(np.random.default_rng(seed))
        for number, side in enumerate(("left", "right")):
            head = region.vertices[template.landmarks[f"femoral_head_centre_{side}"]].mean(axis=0)
            assert np.linalg.norm(head - region.hips_ras_mm[number]) < 3.5


def test_nobody_left_out_is_in_the_shapes(shapes: RegionShapes):
    name = shapes.pelvis_subjects[1]
    rest = shapes.without([name])
    assert name not in rest.pelvis_subjects
    assert name not in rest.femur_subjects
    assert len(rest.pelves) == len(shapes.pelves) - 1
    with pytest.raises(ValueError, match="no pelvis"):
        shapes.without(shapes.pelvis_subjects)


def test_a_case_is_the_same_after_it_was_stored(maker: RegionMaker, region: PosedRegion, tmp_path):
    case = make_case(maker, region, View(camera(180.0), False, "table"), np.random.default_rng(0))
    case.save(tmp_path / "case.npz")
    again = FilmCase.load(tmp_path / "case.npz")
    np.testing.assert_array_equal(again.cortex, case.cortex)
    np.testing.assert_array_equal(again.truth.mask, case.truth.mask)
    np.testing.assert_array_equal(again.truth.depth, case.truth.depth)
    np.testing.assert_allclose(again.truth.canonical, case.truth.canonical, atol=0.25)  # half precision
    np.testing.assert_allclose(again.camera.matrix, case.camera.matrix)
    # and every development of it is another film
    first, second = (develop(case, np.random.default_rng(seed)) for seed in (1, 2))
    assert np.isfinite(first).all()
    assert np.abs(first - second).mean() > 0.01


def test_bone_shows_where_its_mask_is(maker: RegionMaker, region: PosedRegion):
    case = make_case(maker, region, View(camera(180.0), False, "table"), np.random.default_rng(0))
    anywhere = np.kron(case.truth.mask.any(axis=0), np.ones((2, 2), bool))
    bone = (case.cortex + case.marrow) > 1.0
    assert (bone & anywhere).sum() > 0.97 * bone.sum()


def test_lengths_inside_overlapping_ellipsoids_are_counted_once():
    view = camera(180.0, 64)
    ray = ray_directions(view)
    small = Ellipsoid.of(np.zeros(3), np.full(3, 40.0))
    large = Ellipsoid.of(np.zeros(3), np.full(3, 60.0))
    apart = Ellipsoid.of(np.array([0, 150.0, 0]), np.full(3, 10.0))
    alone = union_length([large], view.source_ras_mm, ray)
    assert alone.max() == pytest.approx(120.0, abs=0.3)
    np.testing.assert_allclose(union_length([small, large], view.source_ras_mm, ray), alone, atol=0.05)
    assert union_length([large, apart], view.source_ras_mm, ray).max() == pytest.approx(140.0, abs=2.5)


def test_a_coarser_camera_sees_the_same_places():
    fine = camera(180.0, 64)
    coarse = fine.coarser(2)
    point = np.array([30.0, 20.0, -50.0])
    np.testing.assert_allclose(coarse.project(point), (fine.project(point) + 0.5) / 2 - 0.5)
    with pytest.raises(InputError, match="cannot be put together"):
        fine.coarser(3)

"""The vertebra and pelvis families: solids, in their frame, of their level's size, repeatable."""

from __future__ import annotations

import numpy as np
import pytest

from mri2mesh.anatomy import storage
from mri2mesh.anatomy.measures import area_vectors, body_size, local_frame, pedicle_midpoints, solid_centroid
from mri2mesh.anatomy.pelvis_shapes import PelvisShapes
from mri2mesh.anatomy.regions import Region
from mri2mesh.anatomy.shapes import VertebraShapes
from mri2mesh.anatomy.structures import VERTEBRA_LEVELS
from mri2mesh.anatomy.templates import template
from mri2mesh.errors import InputError
from mri2mesh.geometry.checks import is_watertight, self_intersections, volume_mm3
from mri2mesh.geometry.mesh import Mesh


@pytest.fixture(scope="module")
def shapes() -> VertebraShapes:
    return VertebraShapes.load()


@pytest.mark.parametrize("level", ["T8", "T12", "L1", "L3", "L5"])
def test_sample_is_a_solid_vertebra_in_its_local_frame(shapes: VertebraShapes, level: str) -> None:
    mesh = shapes.sample(level, np.random.default_rng(7))
    assert np.array_equal(mesh.faces, template("vertebra").faces)
    assert np.array_equal(mesh.regions, template("vertebra").regions)
    assert is_watertight(mesh) and self_intersections(mesh) == 0 and volume_mm3(mesh) > 0
    assert np.abs(local_frame(mesh) - np.eye(4)).max() < 0.01
    assert body_size(mesh) == pytest.approx(shapes.typical_size[level], rel=0.35)
    left, right = pedicle_midpoints(mesh)
    assert left[0] < 0 < right[0] and max(left[1], right[1]) < -5


def test_sources_have_no_folds(shapes: VertebraShapes) -> None:
    for vertices in shapes.vertices[::6]:
        mesh = Mesh(vertices, shapes.faces, {"region": shapes.regions})
        assert self_intersections(mesh) == 0 and volume_mm3(mesh) > 20_000


def test_every_level_has_a_source_and_levels_grow_downwards(shapes: VertebraShapes) -> None:
    assert set(shapes.levels) == set(VERTEBRA_LEVELS)
    widths = [shapes.typical_size[level][0] for level in VERTEBRA_LEVELS]
    assert widths[0] < widths[5] < widths[8] < widths[10]


def test_mean_is_symmetric_and_of_typical_size(shapes: VertebraShapes) -> None:
    mesh = shapes.mean("L4")
    assert np.abs(mesh.vertices[shapes.mirror] * [-1, 1, 1] - mesh.vertices).max() < 0.05
    assert body_size(mesh) == pytest.approx(shapes.typical_size["L4"], rel=0.12)


def test_mirror_is_its_own_inverse(shapes: VertebraShapes) -> None:
    assert np.array_equal(shapes.mirror[shapes.mirror], np.arange(len(shapes.mirror)))


def test_same_seed_same_vertebra_and_another_seed_another(shapes: VertebraShapes) -> None:
    first, again, other = (shapes.sample("L2", np.random.default_rng(seed)).vertices for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert np.abs(first - other).max() > 1.0


def test_variation_of_nothing_changes_nothing(shapes: VertebraShapes) -> None:
    varied = shapes._variation.vary(shapes.vertices[0], np.random.default_rng(0), variability=0.0)
    assert np.abs(varied - shapes.vertices[0]).max() < 1e-3


def test_unknown_level_is_refused(shapes: VertebraShapes) -> None:
    with pytest.raises(InputError, match="T7"):
        shapes.sample("C3", np.random.default_rng(0))


def test_sacrum_and_its_s1_body_coincide_and_share_a_frame() -> None:
    pelvis = PelvisShapes.load().sample(np.random.default_rng(3))
    whole, body = pelvis.sacrum, pelvis.s1
    for mesh in (whole, body):
        assert is_watertight(mesh) and self_intersections(mesh) == 0
    assert np.array_equal(body.faces, template("sacrum").faces)
    assert volume_mm3(whole) > 3 * volume_mm3(body) > 3 * 15_000
    assert np.abs(solid_centroid(body)).max() < 0.5
    endplate = (np.asarray(body.regions)[body.faces] == Region.SUPERIOR_ENDPLATE).all(axis=1)
    normal = area_vectors(body)[endplate].sum(axis=0)
    assert normal[2] / np.linalg.norm(normal) > 0.995
    from mri2mesh.geometry.distances import point_to_surface

    plate = body.vertices[np.asarray(body.regions) == Region.SUPERIOR_ENDPLATE]
    assert np.median(point_to_surface(plate, whole)) < 0.7


def test_hips_lie_left_and_right_of_the_sacrum() -> None:
    pelvis = PelvisShapes.load().sample(np.random.default_rng(5))
    assert is_watertight(pelvis.left_hip) and is_watertight(pelvis.right_hip)
    assert pelvis.left_hip.vertices[:, 0].mean() < -40 < 40 < pelvis.right_hip.vertices[:, 0].mean()
    assert pelvis.left_hip.vertices[:, 2].min() < -80


def test_stored_coordinates_come_back_within_five_micrometres() -> None:
    points = np.random.default_rng(0).uniform(-300, 300, (50, 3))
    assert np.abs(storage.unpack(storage.pack(points)) - points).max() <= 0.00503
    with pytest.raises(ValueError, match="327 mm"):
        storage.pack(np.array([[400.0, 0, 0]]))


@pytest.mark.parametrize("name", ["templates", "vertebrae", "pelves"])
def test_data_says_where_it_comes_from_and_under_which_licence(name: str) -> None:
    sources = storage.attribution(name)
    assert sources and all(
        set(source) == {"name", "source", "licence"} and all(source.values()) for source in sources
    )


def test_data_files_stay_small() -> None:
    assert sum(path.stat().st_size for path in storage.DATA.glob("*.npz")) < 4e6

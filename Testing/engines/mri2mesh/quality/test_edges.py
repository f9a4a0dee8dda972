"""Which vertices are an upper endplate, a lower one, a front or a back; and what a wall that is out of view means."""

import numpy as np
import pytest

from engines.mri2mesh.quality.painted_spine import PaintedSpine
from engines.mri2mesh.quality.wrong_surfaces import stretched_up
from mri2mesh.anatomy.regions import Region
from mri2mesh.anatomy.structures import STRUCTURES
from mri2mesh.anatomy.templates import template
from mri2mesh.engines.mri2mesh.quality.edges import edge_checks, walls_of
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.sampling import vertex_normals
from mri2mesh.geometry.transforms import rotation_about
from mri2mesh.geometry.volume import Volume
from mri2mesh.reconstruction import Check, ReconstructedStructure

NAMES = ("L2", "L2-L3", "L3")


def wide(above_mm: float = 300.0) -> Volume:
    """An image from 300 mm around the origin up to a height."""
    matrix = np.eye(4)
    matrix[:3, 3] = -300
    return Volume(np.zeros((int(300 + above_mm), 600, 600), np.uint8), matrix)


@pytest.mark.parametrize(
    ("kind", "upper", "lower"),
    [("vertebra", "upper endplate", "lower endplate"), ("disc", "upper face", "lower face")],
)
def test_endplates_face_up_and_down_and_the_side_wall_to_the_front_and_to_the_back(kind, upper, lower):
    mesh = template(kind)
    walls = walls_of(mesh, kind, wide())
    assert set(walls) == {upper, lower, "front", "back"}
    normals = {name: vertex_normals(mesh)[mask].mean(axis=0) for name, mask in walls.items()}
    assert normals[upper][2] > 0.7
    assert normals[lower][2] < -0.7
    assert normals["front"][1] > 0.7
    assert normals["back"][1] < -0.7
    assert not (walls[upper] & walls[lower]).any()
    assert not (walls["front"] & walls["back"]).any()


def test_s1_has_an_upper_endplate_only_and_its_cut_is_no_wall():
    mesh = template("sacrum")
    walls = walls_of(mesh, "sacrum", wide())
    assert set(walls) == {"upper endplate", "front", "back"}
    assert not any((mask & (mesh.regions == Region.CUT)).any() for mask in walls.values())


@pytest.mark.parametrize("degrees", [-40, 40])
def test_front_and_back_turn_with_a_tilted_body(degrees):
    """The endplates of L5 face forwards; its front wall is still its front wall."""
    straight, tilted = (
        template("vertebra"),
        template("vertebra").transformed(rotation_about((1, 0, 0), degrees)),
    )
    before, after = (walls_of(mesh, "vertebra", wide()) for mesh in (straight, tilted))
    for name in ("front", "back"):
        assert (before[name] & after[name]).sum() > 0.9 * before[name].sum()


def test_what_lies_outside_the_image_is_no_wall_to_go_by():
    mesh = template("vertebra")
    top = float(mesh.vertices[mesh.regions == Region.SUPERIOR_ENDPLATE][:, 2].min())
    walls = walls_of(mesh, "vertebra", wide(above_mm=int(top) - 1))
    assert "upper endplate" not in walls
    assert "lower endplate" in walls


def test_a_wall_of_fewer_than_15_vertices_says_too_little():
    mesh = template("disc")
    upper = np.flatnonzero(mesh.regions == Region.ENDPLATE_SUPERIOR)
    for count, enough in ((14, False), (15, True)):
        regions = np.asarray(mesh.regions).copy()
        regions[upper[count:]] = Region.CUT
        assert ("upper face" in walls_of(mesh.with_point_data(region=regions), "disc", wide())) is enough


def of(checks: list[Check], name: str) -> Check:
    (found,) = [check for check in checks if check.structure == name]
    return found


def shifted(volume: Volume, by_mm: tuple[float, float, float]) -> Volume:
    matrix = volume.ijk_to_ras.copy()
    matrix[:3, 3] += by_mm
    return Volume(volume.array, matrix)


def test_surfaces_beyond_the_image_have_no_wall_in_it_and_fail(spine: PaintedSpine):
    found = edge_checks(spine.with_meshes({}, NAMES), shifted(spine.volume, (0, 0, 1000)))
    for name in NAMES:
        check = of(found, name)
        assert not check.passed
        assert check.value == 0
        assert check.detail == "none of its walls is in the image"


def test_each_wall_has_its_own_limit_and_the_one_that_misses_it_most_is_named(spine: PaintedSpine):
    """An image moved backwards leaves fronts and backs wrong, one moved up the endplates."""
    structures = spine.with_meshes({}, NAMES)
    backwards = edge_checks(structures, shifted(spine.volume, (0, -4, 0)))
    upwards = edge_checks(structures, shifted(spine.volume, (0, 0, 4)))
    assert of(backwards, "L3").detail.startswith("front and back: ")
    assert of(backwards, "L3").threshold == 0.4
    assert "endplate: " in of(upwards, "L3").detail
    assert of(upwards, "L3").threshold == 0.45
    assert of(upwards, "L2-L3").detail.startswith("upper face and lower face: ")
    assert of(upwards, "L2-L3").threshold == 0.4
    for check in (*backwards, *upwards):
        assert not check.passed
        assert f"{100 * check.value:.0f}% lie within 2 mm of the edge" in check.detail


def test_signs_are_taken_from_all_levels_so_one_wrong_surface_does_not_turn_them(spine: PaintedSpine):
    names = ("L1", "L2", "L3", "L4", "L5")
    structures = spine.with_meshes({"L3": stretched_up(spine.mesh("L3"), 6)}, names)
    found = edge_checks(structures, spine.volume)
    assert [check.structure for check in found if not check.passed] == ["L3"]


def test_contrast_may_be_either_way_round(spine: PaintedSpine):
    """Fat-suppressed images show dark marrow: the negative of an image gives the same verdicts and values."""
    structures = spine.with_meshes({}, NAMES)
    negative = spine.volume.with_array(2.0 - spine.volume.array)
    for here, there in zip(
        edge_checks(structures, spine.volume), edge_checks(structures, negative), strict=True
    ):
        assert np.isclose(here.value, there.value, atol=0.01)
        assert here.passed and there.passed


def test_half_of_an_endplate_that_is_right_is_enough_and_a_third_is_not():
    """A step edge under a flat part of the endplate, none under the rest."""
    for right, passes in ((0.6, True), (0.3, False)):
        mesh, volume = half_right(right)
        ones = np.ones(len(mesh.vertices), np.float32)
        (check,) = edge_checks([ReconstructedStructure(STRUCTURES["S1"], mesh, ones, ones)], volume)
        assert check.passed is passes
        assert abs(check.value - right) < 0.05


def half_right(share: float) -> tuple[Mesh, Volume]:
    """A box of which only the top counts, and an image whose edge runs along a share of it, 5 mm below the rest."""
    count = 21
    x, y = np.meshgrid(np.linspace(-20, 20, count), np.linspace(-20, 20, count), indexing="ij")
    top = np.stack([x.ravel(), y.ravel(), np.zeros(count**2)], 1)
    bottom = top - [0, 0, 20]
    index = np.arange(count**2).reshape(count, count)
    a, b, c, d = (part.ravel() for part in (index[:-1, :-1], index[1:, :-1], index[1:, 1:], index[:-1, 1:]))
    upper = np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)])
    faces = np.concatenate([upper, upper[:, ::-1] + count**2])
    regions = np.repeat([Region.SUPERIOR_ENDPLATE, Region.CUT], count**2)
    mesh = Mesh(np.concatenate([top, bottom]), faces, {"region": regions})
    matrix = np.eye(4)
    matrix[:3, 3] = -30
    k, _, i = np.meshgrid(*(np.arange(61) - 30.0,) * 3, indexing="ij")
    edge = np.where(i < -20 + 40 * share, 0.0, -5.0)
    return mesh, Volume((k < edge).astype(np.float32), matrix)

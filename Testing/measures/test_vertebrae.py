"""Measures of vertebrae and of the spaces between them, on blocks whose measures are known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from measures import blocks
from mri2mesh.anatomy.regions import MIRRORED_REGION, Region
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.measures.stage import measure

ANYHOW = Rotation.from_euler("xyz", [25, -12, 8], degrees=True)


def values(meshes: dict[str, Mesh], **options: float) -> dict[str, float | None]:
    found = measure(blocks.reconstruction(meshes, **options))
    return {"_".join(filter(None, (one.key, one.side))): one.value for one in found}


def spine(gap: float = 8.0, opening: float = 6.0, slip: float = 0.0) -> dict[str, Mesh]:
    """L3 stands, turned backwards by the opening, on L4, whose upper endplate is horizontal."""
    half = np.radians(blocks.WEDGE / 2)
    lower = blocks.moved(blocks.vertebra(), Rotation.from_rotvec([half, 0, 0]).inv(), (0, 0, 0))
    top = blocks.BACK_HEIGHT / 2 * np.cos(half) + blocks.DEPTH / 2 * np.sin(half)
    # the body's lower back corner at the origin, its lower endplate horizontal, then opened to the front
    corner = np.array([0, -blocks.DEPTH / 2, -blocks.BACK_HEIGHT / 2])
    flat = Rotation.from_rotvec([half, 0, 0])
    opened = Rotation.from_euler("x", opening, degrees=True) * flat
    upper = blocks.moved(blocks.vertebra(), opened, -opened.apply(corner))
    back_of_lower = (
        Rotation.from_rotvec([half, 0, 0]).inv().apply([0, -blocks.DEPTH / 2, blocks.BACK_HEIGHT / 2])
    )
    assert back_of_lower[2] == pytest.approx(top)
    upper = blocks.moved(upper, Rotation.identity(), back_of_lower + [0, slip, gap])
    return {"L3": upper, "L4": lower}


def test_a_wedge_of_known_size_has_its_measures_wherever_it_stands():
    rise = blocks.FRONT_HEIGHT - blocks.BACK_HEIGHT
    for mesh in (blocks.vertebra(), blocks.moved(blocks.vertebra(), ANYHOW, (30, -200, 900))):
        found = values({"L3": mesh})
        assert found["body_height_anterior"] == pytest.approx(blocks.BACK_HEIGHT + 0.9 * rise, abs=0.05)
        assert found["body_height_middle"] == pytest.approx(blocks.BACK_HEIGHT + 0.5 * rise, abs=0.05)
        assert found["body_height_posterior"] == pytest.approx(blocks.BACK_HEIGHT + 0.1 * rise, abs=0.05)
        assert found["wedge_angle"] == pytest.approx(blocks.WEDGE, abs=0.05)
        for which in ("superior", "inferior"):
            assert found[f"{which}_endplate_width"] == pytest.approx(blocks.WIDTH, abs=0.05)
            assert found[f"{which}_endplate_depth"] == pytest.approx(
                np.hypot(blocks.DEPTH, rise / 2), abs=0.05
            )
        assert found["canal_depth"] == pytest.approx(blocks.CANAL, abs=0.05)
        assert found["pedicle_width_left"] == pytest.approx(blocks.PEDICLE_LEFT, abs=0.05)
        assert found["pedicle_width_right"] == pytest.approx(blocks.PEDICLE_RIGHT, abs=0.05)


def test_a_mirrored_vertebra_has_its_pedicles_on_the_other_sides():
    mesh = blocks.vertebra().transformed(np.diag([-1.0, 1, 1, 1]))
    mesh = mesh.with_point_data(region=MIRRORED_REGION[mesh.regions])
    found = values({"L3": mesh})
    assert found["pedicle_width_left"] == pytest.approx(blocks.PEDICLE_RIGHT, abs=0.05)
    assert found["pedicle_width_right"] == pytest.approx(blocks.PEDICLE_LEFT, abs=0.05)


def test_the_space_between_two_vertebrae_has_its_height_and_angle():
    found = values(spine(gap=8.0, opening=6.0))
    assert found["disc_angle"] == pytest.approx(6.0, abs=0.05)
    plate = np.hypot(blocks.DEPTH, (blocks.FRONT_HEIGHT - blocks.BACK_HEIGHT) / 2)
    for place, share in (("anterior", 0.9), ("middle", 0.5), ("posterior", 0.1)):
        ends = share * plate * np.array([np.cos(np.radians(6)), np.sin(np.radians(6))]) + [0, 8.0]
        expected = np.hypot(ends[0] - share * plate, ends[1])
        assert found[f"disc_height_{place}"] == pytest.approx(expected, abs=0.1)
    assert found["slip"] == pytest.approx(0.0, abs=0.05)


@pytest.mark.parametrize("slip", [5.0, -3.0])
def test_a_vertebra_that_stands_forward_has_slipped_forward(slip):
    found = values(spine(slip=slip))
    plate = np.hypot(blocks.DEPTH, (blocks.FRONT_HEIGHT - blocks.BACK_HEIGHT) / 2)
    assert found["slip"] == pytest.approx(slip, abs=0.05)
    assert found["slip_percent"] == pytest.approx(100 * slip / plate, abs=0.2)


def test_lordosis_is_the_angle_from_l1_to_s1():
    l1 = blocks.moved(
        blocks.vertebra(), Rotation.from_euler("x", 20 - blocks.WEDGE / 2, degrees=True), (0, 0, 200)
    )
    found = values({"L1": l1, "S1": blocks.s1(slope=35.0)})
    assert found["lumbar_lordosis"] == pytest.approx(20 + 35, abs=0.1)


def test_wedges_and_disc_angles_add_up_to_the_lordosis():
    meshes = spine(opening=6.0)
    found = measure(blocks.reconstruction({"L1": meshes["L3"], "L2": meshes["L4"]}))
    angles = {(one.key, one.place): one.value for one in found if one.unit == "degrees"}
    whole = angles["wedge_angle", "L1"] + angles["disc_angle", "L1-L2"] + angles["wedge_angle", "L2"]
    assert whole == pytest.approx(2 * blocks.WEDGE + 6.0, abs=0.1)


def test_lengths_that_the_image_does_not_show_are_missing_and_say_so():
    mesh = blocks.vertebra()
    made = blocks.reconstruction({"L3": mesh})
    made.structures[0].support[mesh.vertices[:, 0] > 12] = 0.0  # the image ends 12 mm to the right
    found = {(one.key, one.side): one for one in measure(made)}
    unseen = found["pedicle_width", "right"]
    assert unseen.value is None and unseen.uncertainty is None and not unseen.lines
    assert unseen.missing == "0% of where it is taken is seen in the image"
    assert found["superior_endplate_width", None].value is None, "one of its ends is not seen"
    assert found["pedicle_width", "left"].value == pytest.approx(blocks.PEDICLE_LEFT, abs=0.05)
    assert found["canal_depth", None].value == pytest.approx(blocks.CANAL, abs=0.05)


def test_without_a_scale_angles_and_shares_stay():
    found = measure(blocks.reconstruction(spine(slip=2.0)), scale_known=False)
    for one in (one for one in found if one.key != "lumbar_lordosis"):
        assert (one.value is None) == (one.unit == "mm"), one.key
        assert one.missing == ("the scale is unknown" if one.unit == "mm" else "")


def test_a_neighbour_that_is_not_there_is_named():
    disc = blocks.block((40, 30, 8), (0, 0, -20))
    found = measure(blocks.reconstruction({"L3": blocks.vertebra(), "L3-L4": disc}))
    missing = {one.key: one.missing for one in found if one.place == "L3-L4"}
    assert missing["disc_height_middle"] == "L4: not in the result"
    assert [one.missing for one in found if one.key == "lumbar_lordosis"] == ["L1 and S1: not in the result"]


@pytest.mark.parametrize("spoil", ["no regions", "no endplate", "one region"])
def test_surfaces_that_are_no_vertebrae_have_no_measures(spoil):
    mesh = blocks.vertebra()
    regions = np.asarray(mesh.regions).copy()
    if spoil == "no endplate":
        regions[regions == Region.SUPERIOR_ENDPLATE] = Region.BODY
    if spoil == "one region":
        regions[:] = Region.SUPERIOR_ENDPLATE
    data = {} if spoil == "no regions" else {"region": regions}
    found = measure(blocks.reconstruction({"L3": Mesh(mesh.vertices, mesh.faces, data)}))
    assert not [one.key for one in found if one.value is not None]


def test_a_measure_is_drawn_between_the_places_it_was_taken_at():
    found = {one.key: one for one in measure(blocks.reconstruction(spine(slip=4.0)))}
    for key in ("body_height_middle", "disc_height_anterior", "canal_depth", "superior_endplate_depth"):
        (line,) = found[key].lines
        assert np.linalg.norm(line[1] - line[0]) == pytest.approx(found[key].value, abs=1e-6), key
        assert np.abs(line[:, 0]).max() < 0.1, "in the mid-sagittal plane"
    ends = [line[1] - line[0] for line in found["disc_angle"].lines]
    cosine = ends[0] @ ends[1] / np.linalg.norm(ends[0]) / np.linalg.norm(ends[1])
    assert np.degrees(np.arccos(cosine)) == pytest.approx(abs(found["disc_angle"].value), abs=0.1)

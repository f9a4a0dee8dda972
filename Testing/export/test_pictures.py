"""Pictures show the structures, in their colours, on the right side."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread

from export.conftest import ellipsoid
from mri2mesh.anatomy.doubtful_levels import DISC_COLOUR, VERTEBRA_COLOUR
from mri2mesh.anatomy.structures import STRUCTURES
from mri2mesh.errors import InputError
from mri2mesh.export.pictures import _columns, apart, write_contours, write_view_3d
from mri2mesh.export.shaded import ANTERIOR, LEFT_LATERAL, shade
from mri2mesh.geometry.volume import Volume
from mri2mesh.reconstruction import LevelCount, Reconstruction

RED, BLUE = (0.9, 0.1, 0.1), (0.1, 0.1, 0.9)


def test_the_shadow_of_an_ellipsoid_has_its_size_and_place_without_holes() -> None:
    sphere = ellipsoid(np.array([10.0, 0, 5]), np.array([20.0, 20, 20]))
    image = shade([sphere], [RED], ANTERIOR, (-50, 30, -30, 40), 0.5)
    assert image.shape == (140, 160, 4)
    assert image[..., 3].sum() * 0.25 == pytest.approx(np.pi * 20**2, rel=0.02)
    rows, columns = np.nonzero(image[..., 3] > 0.5)
    assert columns.mean() * 0.5 - 50 == pytest.approx(-10, abs=0.5)  # the patient's right is on the left
    assert 40 - rows.mean() * 0.5 == pytest.approx(5, abs=0.5)
    assert (image[rows.min() + 5 : rows.max() - 5, int(columns.mean()), 3] == 1).all()


@pytest.mark.parametrize(("camera", "towards"), [(ANTERIOR, [0, 30, 0]), (LEFT_LATERAL, [-30, 0, 0])])
def test_the_nearer_surface_hides_the_farther(camera: object, towards: list[float]) -> None:
    near = ellipsoid(np.array(towards, dtype=float), np.array([10.0, 10, 10]))
    far = ellipsoid(-np.array(towards, dtype=float), np.array([10.0, 10, 10]))
    for meshes, colours in (([near, far], [RED, BLUE]), ([far, near], [BLUE, RED])):
        middle = shade(meshes, colours, camera, (-20, 20, -20, 20), 1)[20, 20]  # type: ignore[arg-type]
        assert middle[0] > 2 * middle[2]


def test_contours_are_drawn_in_the_colours_of_the_structures(
    spine: Reconstruction, oblique_image: Volume, tmp_path: Path
) -> None:
    picture = imread(write_contours(spine, oblique_image, tmp_path / "contours.png"))[..., :3]
    for name in ("L1", "L3", "L5-S1"):
        colour = np.array(spine[name].structure.colour)
        assert (np.abs(picture - colour).max(axis=-1) < 0.06).sum() > 30, name


def test_levels_that_are_a_guess_have_the_colours_of_doubt_alone(
    spine: Reconstruction, oblique_image: Volume, tmp_path: Path
) -> None:
    guessed = replace(spine, levels=LevelCount("none", "a guess", "L5"))
    picture = imread(write_contours(guessed, oblique_image, tmp_path / "contours.png"))[..., :3]

    def drawn(colour: tuple[float, float, float]) -> int:
        return int((np.abs(picture - np.array(colour)).max(axis=-1) < 0.04).sum())

    assert drawn(VERTEBRA_COLOUR) > 100 and drawn(DISC_COLOUR) > 100
    assert all(drawn(spine[name].structure.colour) < 10 for name in ("L1", "L2", "L3"))


def test_both_pictures_are_made_for_an_empty_result_and_a_constant_image(
    spine: Reconstruction, oblique_image: Volume, tmp_path: Path
) -> None:
    empty = replace(spine, structures=[])
    flat = oblique_image.with_array(np.zeros_like(oblique_image.array))
    for path in (write_contours(empty, flat, tmp_path / "a.png"), write_view_3d(empty, tmp_path / "b.png")):
        assert imread(path).shape[0] > 400


def test_the_view_fills_its_frame(spine: Reconstruction, tmp_path: Path) -> None:
    three = replace(spine, structures=spine.structures[:3])
    picture = imread(write_view_3d(three, tmp_path / "view.png"))[..., :3]
    coloured = (picture.max(axis=-1) - picture.min(axis=-1)) > 0.15
    rows, columns = np.nonzero(coloured)
    assert np.ptp(rows) > 0.55 * picture.shape[0] and np.ptp(columns) > 0.55 * picture.shape[1]


def test_an_unwritable_folder_is_refused(spine: Reconstruction, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot write to"):
        write_view_3d(replace(spine, structures=[]), tmp_path / "nowhere" / "view.png")


def test_names_at_one_height_are_written_below_each_other_and_others_stay_where_they_are() -> None:
    assert apart([30.0, 10.0, -5.0], 4.0) == [30.0, 10.0, -5.0]
    assert apart([10.0, 10.0], 4.0) == pytest.approx([12.0, 8.0])
    assert apart([10.0, 60.0, 11.0, 9.0], 4.0) == pytest.approx([10.0, 60.0, 14.0, 6.0])
    crowded = apart(list(np.linspace(0, 3, 7)), 4.0)
    assert np.diff(crowded).min() == pytest.approx(4.0) and np.mean(crowded) == pytest.approx(1.5)


def test_bones_of_both_sides_have_their_names_at_their_own_sides_from_the_front(
    spine: Reconstruction,
) -> None:
    names = ("hip_left", "hip_right", "femur_left", "L3-L4")
    hips = [
        replace(item, structure=STRUCTURES[name]) for item, name in zip(spine.structures, names, strict=False)
    ]
    columns = _columns(hips, ANTERIOR)
    assert [one.name for one in columns["left"]] == ["hip_right"]
    assert [one.name for one in columns["right"]] == ["hip_left", "femur_left", "L3-L4"]
    assert len(_columns(hips, LEFT_LATERAL)["left"]) == 3

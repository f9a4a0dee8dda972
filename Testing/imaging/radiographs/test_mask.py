"""What of a radiograph is masked, and what is not, on scenes whose every part is known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from imaging.radiographs.projected_scenes import STEEL_PER_MM, chord, detected, distance_to_line, thigh
from mri2mesh.imaging.radiographs.masks.field_shapes import find_field
from mri2mesh.imaging.radiographs.masks.mask import field_masks, with_masks
from mri2mesh.imaging.radiographs.masks.metal import metal_mask
from mri2mesh.imaging.radiographs.masks.overlay import overlay_mask
from mri2mesh.imaging.radiographs.radiograph import Radiograph
from mri2mesh.imaging.radiographs.reading import read_radiograph
from mri2mesh.imaging.radiographs.xray_geometry import assumed_geometry
from mri2mesh.samples import HIPS_FRONT, LUMBAR_FRONT, PELVIS_FRONT, PELVIS_OBLIQUE
from mri2mesh.synthesis.films.develop import displayed

EVERYWHERE = np.ones((512, 512), dtype=bool)


def metal_of(transmission: np.ndarray) -> np.ndarray:
    """What is masked of a detector's image."""
    return metal_mask(-np.log(np.maximum(transmission, 0.002)), EVERYWHERE)


@pytest.fixture
def leg() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return thigh()


@pytest.mark.parametrize(("column", "row", "radius"), [(255.5, 255.5, 230.0), (240.0, 300.0, 290.0)])
def test_the_circle_of_an_intensifier_is_found_whole_or_cut_by_the_frame(leg, column, row, radius):
    attenuation, rows, columns = leg
    outside = np.hypot(columns - column, rows - row) > radius
    picture = detected(attenuation + 20 * outside)
    circle, edges = find_field(picture, dark=True)
    assert circle is not None and not edges
    assert (circle.column, circle.row, circle.radius) == pytest.approx((column, row, radius), abs=0.7)
    mask = field_masks(picture)["intensifier"]
    assert mask[outside].all()
    assert mask[~outside].mean() < 0.03


@pytest.mark.parametrize("tilt_deg", [0, 7, -30])
def test_blades_at_any_angle_are_found(leg, tilt_deg):
    attenuation, rows, columns = leg
    x, y = np.cos(np.radians(tilt_deg)), np.sin(np.radians(tilt_deg))
    along = (columns - 256) * x + (rows - 256) * y
    behind = (along > 180) | (along < -200)
    picture = detected(attenuation + 5 * behind, blur_px=2.5)
    mask = field_masks(picture)["collimator"]
    assert mask[behind].all()
    assert mask[~behind].mean() < 0.06


def test_blades_that_cut_the_circle_of_an_intensifier_are_found_with_it(leg):
    attenuation, rows, columns = leg
    circle = np.hypot(columns - 255.5, rows - 255.5) > 230
    blade = rows + 0.05 * columns > 400
    masks = field_masks(detected(attenuation + 20 * circle + 6 * blade, blur_px=2))
    assert masks["intensifier"][circle].all()
    assert masks["collimator"][blade].all()
    assert (masks["intensifier"] | masks["collimator"])[~circle & ~blade].mean() < 0.05


def test_a_leg_beside_air_has_no_field_to_mask(leg):
    assert field_masks(detected(leg[0])) == {}


def test_metal_is_masked_and_bone_is_not(leg):
    attenuation, rows, columns = leg
    wire = STEEL_PER_MM * chord(0.45 * distance_to_line(rows, columns, (150, 100), (400, 330)), 1.25)
    wire[(columns < 150) | (columns > 400)] = 0
    plate = 3.0 * ((np.abs(rows - 420) < 30) & (np.abs(columns - 230) < 60))
    mask = metal_of(detected(attenuation + wire + plate))
    assert mask[wire > 1.2].mean() > 0.95
    assert mask[plate > 0].mean() > 0.98
    far = (attenuation + wire + plate) == attenuation
    assert mask[far].mean() < 0.03
    assert metal_of(detected(attenuation)).mean() < 0.001


def letter(picture: np.ndarray, row: int, column: int, value: float) -> np.ndarray:
    """Draws an E, 24 pixels high with strokes of 4; returns where."""
    drawn = np.zeros(picture.shape, dtype=bool)
    drawn[row : row + 24, column : column + 4] = True
    for line in (0, 10, 20):
        drawn[row + line : row + line + 4, column : column + 16] = True
    picture[drawn] = value
    return drawn


def test_burned_in_letters_are_masked_and_saturated_air_is_not(leg):
    picture = detected(leg[0]) ** 0.3  # as it is shown: air is white, the leg grey
    white, black = letter(picture, 40, 300, 1.0), letter(picture, 200, 250, 0.0)
    mask = overlay_mask(picture)
    assert mask[white | black].all()
    assert mask.sum() < 4 * (white | black).sum()


def test_the_masks_of_a_radiograph_add_to_what_its_file_says(leg):
    attenuation, rows, columns = leg
    circle = np.hypot(columns - 255.5, rows - 255.5) > 230
    known = rows < 60
    radiograph = with_masks(
        Radiograph(
            1 - detected(attenuation + 20 * circle),
            assumed_geometry((512, 512)),
            "display",
            {"collimator": known},
        )
    )
    assert {"collimator", "intensifier"} <= set(radiograph.unusable)
    assert not radiograph.mask[known | circle].any()
    assert radiograph.mask[~known & ~circle].mean() > 0.95


def test_a_large_radiograph_is_masked_pixel_by_pixel_where_its_working_size_says():
    attenuation, rows, columns = thigh((1601, 1303), 0.2)
    circle = np.hypot(columns - 640.0, rows - 790.0) > 600
    wire = STEEL_PER_MM * chord(0.2 * distance_to_line(rows, columns, (400, 500), (900, 1100)), 1.25)
    wire[(rows < 500) | (rows > 1100)] = 0
    picture = detected(attenuation + wire + 20 * circle, blur_px=2)
    masks = field_masks(picture)
    assert masks["intensifier"][circle].all() and masks["intensifier"][~circle].mean() < 0.03
    metal = metal_mask(-np.log(np.maximum(picture, 0.002)), ~masks["intensifier"])
    assert metal[wire > 1].mean() > 0.95
    assert metal[(wire == 0) & ~circle].mean() < 0.02


def test_air_around_a_narrow_body_part_is_not_taken_for_lead_around_a_tiny_field():
    rows, columns = np.mgrid[:512, :512]
    tiny = np.hypot(columns - 255.5, rows - 255.5) < 50
    assert field_masks(detected(np.where(tiny, 0.5, 20.0))) == {}


@pytest.mark.parametrize("sample", [HIPS_FRONT, LUMBAR_FRONT, PELVIS_FRONT, PELVIS_OBLIQUE])
def test_a_film_whose_brightest_part_is_bone_has_no_metal(sample):
    assert "metal" not in read_radiograph(sample).unusable


def test_a_lone_thigh_has_no_metal_however_its_film_is_shown(leg):
    attenuation = -np.log(np.maximum(detected(leg[0]), 0.002))
    shown = displayed(attenuation.astype(np.float32))
    assert not metal_mask(attenuation, EVERYWHERE).any()
    assert metal_mask(shown, EVERYWHERE).mean() < 0.001


def test_a_hip_prosthesis_is_masked_through_scatter_and_a_display_curve():
    """A head of 28 mm and its stem stand for all that scatter leaves of them: hardly more than bone."""
    attenuation, rows, columns = thigh()
    head = 2.5 * np.clip(chord(0.45 * np.hypot(rows - 120, columns - 250), 14.0) / 10, 0, 1)
    stem = 2.5 * np.clip(
        chord(0.45 * distance_to_line(rows, columns, (120, 250), (400, 250)), 6.0) / 10, 0, 1
    )
    stem[(rows < 120) | (rows > 400)] = 0
    metal = np.maximum(head, stem)
    beam = detected(attenuation + metal)
    film = displayed(-np.log(np.maximum(beam + 0.3 * float(np.median(beam)), 0.002)).astype(np.float32))
    mask = metal_mask(film, EVERYWHERE)
    assert mask[metal > 2].mean() > 0.6
    assert mask[ndimage.binary_dilation(metal > 0, iterations=8) == 0].mean() < 0.002

"""Markers described in words and numbers, or picked in Slicer, give the scale and say how."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import SimpleITK

from imaging.radiographs.projected_scenes import STEEL_PER_MM, chord, detected, distance_to_line, thigh
from mri2mesh.errors import InputError
from mri2mesh.imaging.radiographs.calibration.marker_option import calibrated_by, read_marker
from mri2mesh.imaging.radiographs.calibration.markers import Marker
from mri2mesh.imaging.radiographs.radiograph import Radiograph
from mri2mesh.imaging.radiographs.reading import read_radiograph
from mri2mesh.imaging.radiographs.recognise import describe_radiograph

MM_PER_PX = 0.45
START, END = (150.0, 100.0), (400.0, 330.0)
WIRE = "wire:5@150,100,400,330"


@pytest.fixture(scope="module")
def picture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A thigh with a wire of 5 mm across it, bone dark."""
    attenuation, rows, columns = thigh()
    wire = chord(MM_PER_PX * distance_to_line(rows, columns, START, END), 2.5)
    shown = (65535 * detected(attenuation + STEEL_PER_MM * wire)).astype(np.uint16)
    path = tmp_path_factory.mktemp("film") / "film.png"
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(shown), str(path))
    return path


@pytest.fixture(scope="module")
def film(picture: Path) -> Radiograph:
    return read_radiograph(picture, bone="dark")


def markups(path: Path, points: list[tuple[float, float, float]]) -> Path:
    listed = [{"label": str(n), "position": list(place)} for n, place in enumerate(points)]
    path.write_text(json.dumps({"markups": [{"coordinateSystem": "LPS", "controlPoints": listed}]}))
    return path


@pytest.mark.parametrize(
    ("text", "marker"),
    [
        (WIRE, (Marker("wire", 5.0, (START, END)), None)),
        ("sphere:25@10,20.5,40,20.5@650", (Marker("sphere", 25.0, ((10.0, 20.5),), 30.0), 650.0)),
        ("length:1e2@0,0,-1,9", (Marker("length", 100.0, ((0.0, 0.0), (-1.0, 9.0))), None)),
        ("intensifier:229", (Marker("intensifier", 229.0), None)),
        ("intensifier:229@900", (Marker("intensifier", 229.0), 900.0)),
    ],
)
def test_a_marker_is_its_kind_its_size_and_where_it_was_picked(text, marker):
    assert read_marker(text, "film.png") == marker


@pytest.mark.parametrize("text", [
    "", "wire", "wire:2.5", "wire:2.5@1,2", "wire:2.5@1,2,3,4,5", "wire:big@1,2,3,4", "wire:2.5@1,2,3,nan",
    "coin:23@1,2,3,4", "wire:2.5@1,2,3,4@near", "wire:2.5@1,2,3,4@700@1", "intensifier:229@1,2,3,4",
])  # fmt: skip
def test_what_is_no_marker_is_answered_with_how_one_is_written(text):
    with pytest.raises(InputError, match=re.escape("wire:2.5@400,763,700,374")):
        read_marker(text, "film.png")


def test_a_wire_picked_in_slicer_is_the_same_as_one_in_numbers(tmp_path, picture):
    path = markups(tmp_path / "wire.mrk.json", [(*START, 0.0), (*END, 0.0)])
    found, _ = read_marker(f"wire:5@{path}", picture)
    assert found.points_px == (pytest.approx(START), pytest.approx(END))
    for points in ([(*START, 0.0)], [(*START, 30.0), (*END, 40.0)]):
        markups(tmp_path / "other.mrk.json", points)
        with pytest.raises(InputError, match="two points picked in the radiograph"):
            read_marker(f"wire:5@{tmp_path / 'other.mrk.json'}", picture)
    with pytest.raises(InputError, match="landmarks file cannot be read"):
        read_marker("wire:5@none.mrk.json", picture)


def test_a_calibrated_radiograph_says_by_what_and_how_well(film, picture):
    assert not film.scale_known and "scale unknown" in describe_radiograph(film)
    found = calibrated_by(WIRE, film, picture)
    sid, sod = (getattr(film.geometry, f"source_to_{to}_mm").value for to in ("detector", "isocentre"))
    assert found.geometry.pixel_spacing_mm.origin == "calibrated"
    assert found.geometry.pixel_spacing_mm.value[1] == pytest.approx(MM_PER_PX * sid / sod, rel=0.04)
    assert "mm at the detector, calibrated (wire of 5 mm, " in describe_radiograph(found)
    assert found.warnings == film.warnings


def test_a_marker_at_a_given_distance_is_scaled_from_there(film, picture):
    near, far = (calibrated_by(f"{WIRE}@{distance}", film, picture) for distance in (400, 800))
    ratio = near.geometry.pixel_spacing_mm.value[1] / far.geometry.pixel_spacing_mm.value[1]
    assert ratio == pytest.approx(2.0)
    with pytest.raises(InputError, match="between the source and the detector"):
        calibrated_by(f"{WIRE}@1500", film, picture)


def test_a_ball_and_a_length_and_a_rim_calibrate_too(picture):
    attenuation, rows, columns = thigh()
    ball = chord(MM_PER_PX * np.hypot(columns - 150.3, rows - 200.8), 12.5)
    outside = np.hypot(columns - 255.5, rows - 255.5) > 230
    shown = detected(attenuation + STEEL_PER_MM * ball + 20 * outside)
    film = replace(read_radiograph(picture, bone="dark"), pixels=1 - shown)
    share = film.geometry.source_to_isocentre_mm.value / film.geometry.source_to_detector_mm.value
    for text, expected in (
        ("sphere:25@152,199,178,199", MM_PER_PX / share),
        ("length:45@100,50,200,50", MM_PER_PX / share),
        ("intensifier:207", MM_PER_PX),
    ):
        found = calibrated_by(text, film, picture)
        assert found.geometry.pixel_spacing_mm.value[1] == pytest.approx(expected, rel=0.02)


def test_a_marker_against_the_given_spacing_is_believed_and_said(film, picture):
    right = calibrated_by(WIRE, film, picture).geometry.pixel_spacing_mm.value
    for factor, warned in ((1.05, False), (1.5, True)):
        given = film.geometry.with_values("tag", pixel_spacing_mm=tuple(factor * value for value in right))
        found = calibrated_by(WIRE, film.with_geometry(given), picture)
        assert found.geometry.pixel_spacing_mm.value == pytest.approx(right)
        assert any("the marker is believed" in note for note in found.warnings) is warned

"""camera.json: every key checked, what is left out assumed and said to be."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from mri2mesh.errors import InputError
from mri2mesh.geometry.xray_camera import XrayCamera
from mri2mesh.imaging.radiographs.camera_file import read_camera, write_camera

COMPLETE = {
    "source_to_detector_mm": 1020.0,
    "source_to_isocentre_mm": 720.0,
    "pixel_spacing_mm": [0.3, 0.4],
    "size": [1024, 900],
    "principal_point_px": [440.0, 511.5],
    "primary_angle_deg": 30.0,
    "secondary_angle_deg": -12.0,
    "isocentre_ras_mm": [1, 2, 3],
}
SIZE = (1024, 900)


@pytest.fixture
def camera_file(tmp_path: Path):
    """Writes an object as camera.json."""

    def write(content) -> Path:
        (tmp_path / "camera.json").write_text(json.dumps(content))
        return tmp_path / "camera.json"

    return write


def test_a_complete_file_makes_the_camera_it_describes(camera_file):
    geometry = read_camera(camera_file(COMPLETE), SIZE)
    expected = XrayCamera.from_c_arm(
        source_to_detector_mm=1020,
        source_to_isocentre_mm=720,
        pixel_spacing_mm=(0.3, 0.4),
        size=SIZE,
        principal_point_px=(440, 511.5),
        primary_angle_deg=30,
        secondary_angle_deg=-12,
        isocentre_ras_mm=(1, 2, 3),
    )
    np.testing.assert_allclose(geometry.camera().matrix, expected.matrix)
    assert {name for name, origin in geometry.origins.items() if origin == "user"} == set(COMPLETE) - {"size"}
    assert geometry.scale_known


def test_what_is_left_out_is_assumed_and_the_scale_unknown(camera_file):
    geometry = read_camera(camera_file({"source_to_detector_mm": 1200}), SIZE)
    assert geometry.origins["source_to_isocentre_mm"] == "default"
    assert geometry.source_to_isocentre_mm.value == pytest.approx(0.85 * 1200)
    assert not geometry.scale_known


def test_a_geometry_written_and_read_is_the_same_with_the_same_origins(camera_file, tmp_path):
    geometry = read_camera(camera_file({"source_to_detector_mm": 1200}), SIZE).with_values(
        "calibrated", pixel_spacing_mm=(0.2, 0.2)
    )
    geometry = geometry.with_values("tag", seen_from="source", image_rotation_deg=270)
    write_camera(tmp_path / "out.json", geometry)
    again = read_camera(tmp_path / "out.json", SIZE)
    assert again == geometry


@pytest.mark.parametrize("turned", [0, 90, 180, 270])
def test_an_image_turned_clockwise_shows_each_point_where_turning_takes_it(camera_file, turned):
    points = np.array([[30.0, 5, 60], [-20, 40, -10]])
    upright = read_camera(camera_file({"size": [100, 60], "seen_from": "detector"}), (100, 60)).camera()
    column, row = upright.project(points).T
    rows, columns = 100, 60
    for _ in range(turned // 90):
        column, row, rows, columns = rows - 1 - row, column, columns, rows
    path = camera_file({"seen_from": "detector", "image_rotation_deg": turned, "pixel_spacing_mm": [3, 3]})
    found = read_camera(path, (rows, columns)).camera().project(points)
    np.testing.assert_allclose(found, np.stack([column, row], axis=1), atol=1e-9)


@pytest.mark.parametrize(("content", "words"), [
    ({"source_to_detector": 1000}, "unknown key 'source_to_detector'"),
    ({"source_to_detector_mm": "1000"}, "source_to_detector_mm in the camera file must be a positive number"),
    ({"source_to_detector_mm": 0}, "must be a positive number"),
    ({"source_to_detector_mm": float("nan")}, "must be a positive number"),
    ({"pixel_spacing_mm": 0.3}, "two positive numbers"),
    ({"pixel_spacing_mm": [0.3, 0]}, "two positive numbers"),
    ({"size": [1024.5, 900]}, "two whole numbers"),
    ({"size": [900, 1024]}, "for an image of 900 x 1024 pixels"),
    ({"primary_angle_deg": True}, "must be a number"),
    ({"primary_angle_deg": 190}, "within -180 to 180"),
    ({"source_to_detector_mm": 700, "source_to_isocentre_mm": 1000}, "isocentre lies between"),
    ({"seen_from": "left"}, '"front", "detector" or "source"'),
    ({"image_rotation_deg": 45}, "0, 90, 180 or 270"),
    ({"origin": {"pixel_spacing_mm": "guess"}}, "origin in the camera file"),
    ([1, 2], "one object"),
])  # fmt: skip
def test_wrong_content_is_refused_in_one_line(camera_file, content, words):
    with pytest.raises(InputError, match=words.replace("(", r"\(")) as caught:
        read_camera(camera_file(content), SIZE)
    assert "\n" not in str(caught.value)


def test_a_missing_file_and_one_that_is_not_json_are_refused(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        read_camera(tmp_path / "none.json", SIZE)
    (tmp_path / "camera.json").write_text("source_to_detector_mm: 1000")
    with pytest.raises(InputError, match="not JSON"):
        read_camera(tmp_path / "camera.json", SIZE)

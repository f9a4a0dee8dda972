"""Landmarks from Slicer markups files: in the image's plane, in the patient, and neither."""

import json
from pathlib import Path

import numpy as np
import pytest
import SimpleITK

from mri2mesh.errors import InputError
from mri2mesh.imaging.radiographs.markups_file import read_markups
from mri2mesh.imaging.radiographs.picked_landmarks import landmarks_of_views
from mri2mesh.imaging.radiographs.reading import read_radiograph


def markups(path: Path, points: dict[str, tuple[float, float, float]], system: str = "LPS") -> Path:
    listed = [{"label": name, "position": list(place)} for name, place in points.items()]
    path.write_text(json.dumps({"markups": [{"coordinateSystem": system, "controlPoints": listed}]}))
    return path


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    grey = np.random.default_rng(0).integers(0, 200, (60, 80), dtype=np.uint8)
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(grey), str(tmp_path / "image.png"))
    return tmp_path / "image.png"


@pytest.mark.parametrize(
    ("system", "expected"), [("LPS", (-1.0, -2.0, 3.0)), ("RAS", (1.0, 2.0, 3.0)), ("0", (1.0, 2.0, 3.0))]
)
def test_positions_become_ras_whatever_the_file_s_system(tmp_path, system, expected):
    path = markups(tmp_path / "p.mrk.json", {"asis_left": (1, 2, 3)}, system)
    assert read_markups(path) == {"asis_left": expected}


def test_points_in_the_plane_of_the_image_are_its_pixels(tmp_path, picture):
    path = markups(tmp_path / "p.mrk.json", {"a": (12.5, 40.0, 0.0)})
    (found,) = landmarks_of_views([path], [picture], [read_radiograph(picture)])
    assert found["a"] == pytest.approx((12.5, 40.0))


def test_points_in_the_patient_are_projected_into_every_view(tmp_path, picture):
    radiograph = read_radiograph(picture)
    path = markups(tmp_path / "p.mrk.json", {"a": (5.0, -60.0, 30.0), "b": (0.0, 0.0, 0.0)}, "RAS")
    views = landmarks_of_views([path], [picture, picture], [radiograph, radiograph])
    assert len(views) == 2
    assert views[1]["a"] == pytest.approx(tuple(radiograph.camera.project((5.0, -60.0, 30.0))))


def test_points_off_the_image_and_too_few_files_are_refused(tmp_path, picture):
    radiograph = read_radiograph(picture)
    with pytest.raises(InputError, match="not on its image"):
        landmarks_of_views([markups(tmp_path / "p.mrk.json", {"a": (120, 5, 0)})], [picture], [radiograph])
    inside = markups(tmp_path / "q.mrk.json", {"a": (10, 5, 0)})
    with pytest.raises(InputError, match="one --landmarks file per image"):
        landmarks_of_views([inside], [picture, picture], [radiograph, radiograph])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("not json", "not JSON"),
        ("[]", "not a markups file"),
        ('{"markups": [{"controlPoints": [{"label": "a", "position": [1, 2]}]}]}', "not a markups file"),
        ('{"markups": [{"controlPoints": []}]}', "no placed points"),
        (
            '{"markups": [{"controlPoints": [{"label": "a", "position": [1, 2, 0]},'
            ' {"label": "a", "position": [3, 4, 0]}]}]}',
            "stands twice",
        ),
    ],
)
def test_what_is_no_markups_file_is_said_in_words(tmp_path, text, says):
    (tmp_path / "p.mrk.json").write_text(text)
    with pytest.raises(InputError, match=says):
        read_markups(tmp_path / "p.mrk.json")

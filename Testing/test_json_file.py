"""JSON as people save it, and as somebody would write it to do harm."""

from __future__ import annotations

import json

import pytest

from mri2mesh.engines.reading import Inputs, earlier_fit
from mri2mesh.engines.registry import get_engine
from mri2mesh.errors import InputError
from mri2mesh.imaging.radiographs.camera_file import read_camera
from mri2mesh.imaging.radiographs.markups_file import read_markups
from mri2mesh.json_file import LARGEST_BYTES, parse_json, read_json
from mri2mesh.weights_manifest import read_manifest

CAMERA = '{"source_to_detector_mm": 1100, "source_to_isocentre_mm": 780, "pixel_spacing_mm": [1.2, 1.2]}'
MARKUPS = (
    '{"markups": [{"coordinateSystem": "LPS", "controlPoints": [{"label": "top", "position": [1, 2, 3]}]}]}'
)
SIZE = (320, 320)
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-32", "utf-16-le-with-bom", "utf-16-be-with-bom"]
DEEP = "[" * 200_000
ENDLESS = "1" + "0" * 400
FAR_TOO_LONG = "9" * 6000


def encoded(text: str, encoding: str) -> bytes:
    if encoding.endswith("-with-bom"):
        return ("\ufeff" + text).encode(encoding.removesuffix("-with-bom"))
    return text.encode(encoding)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_what_windows_saves_is_read(tmp_path, encoding):
    (tmp_path / "camera.json").write_bytes(encoded(CAMERA, encoding))
    (tmp_path / "top.mrk.json").write_bytes(encoded(MARKUPS, encoding))
    assert read_camera(tmp_path / "camera.json", SIZE).source_to_detector_mm.value == 1100
    assert read_markups(tmp_path / "top.mrk.json") == {"top": (-1.0, -2.0, 3.0)}
    (tmp_path / "manifest.json").write_bytes(encoded('{"format": 1, "weights": []}', encoding))
    assert read_manifest(tmp_path) == {}


@pytest.mark.parametrize("text", [
    DEEP, '{"a":' * 100_000, CAMERA.replace("1100", ENDLESS), CAMERA.replace("1100", FAR_TOO_LONG), CAMERA[:-1],
    CAMERA.replace("1100", "1e308").replace("780", "1e307"), CAMERA.replace("1100", "1e-300"), "", "\0", "\ud800",
    CAMERA.replace("1100", "NaN"), CAMERA.replace("[1.2, 1.2]", "[1e9, 1e9]"), CAMERA.replace("1.2", "1e-9"),
    CAMERA.replace("}", ', "isocentre_ras_mm": [1e300, 0, 0]}'), CAMERA.replace("}", ', "size": [1e300, 320]}'),
    CAMERA.replace("}", ', "principal_point_px": [1e300, 0]}'),
], ids=lambda text: text[:30] + text[-30:] if len(text) > 60 else text or "empty")  # fmt: skip
def test_a_hostile_camera_file_is_one_line(tmp_path, text):
    (tmp_path / "camera.json").write_bytes(text.encode(errors="surrogatepass"))
    with pytest.raises(InputError) as caught:
        read_camera(tmp_path / "camera.json", SIZE)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 300


@pytest.mark.parametrize("text", [
    DEEP, MARKUPS.replace("1", ENDLESS), MARKUPS.replace("1", FAR_TOO_LONG), MARKUPS.replace("1", "1e308"),
    MARKUPS.replace("1", "Infinity"), MARKUPS.replace('"top"', '{"a": 1}').replace("[1, 2, 3]", "7"), "[]", "null",
], ids=lambda text: text[:30])  # fmt: skip
def test_a_hostile_markups_file_is_one_line(tmp_path, text):
    (tmp_path / "top.mrk.json").write_text(text)
    with pytest.raises(InputError) as caught:
        read_markups(tmp_path / "top.mrk.json")
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 300


@pytest.mark.parametrize(
    "text", [DEEP, '{"format": ' + ENDLESS + "}", '{"format": 1, "weights": 7}', "", "\ud800"]
)
def test_a_hostile_manifest_and_an_earlier_result_are_one_line(tmp_path, text):
    for name in ("manifest.json", "report.json"):
        (tmp_path / name).write_bytes(text.encode(errors="surrogatepass"))
    with pytest.raises(InputError, match="manifest"):
        read_manifest(tmp_path)
    with pytest.raises(InputError, match="earlier result"):
        engine = get_engine("xray-fit")
        earlier_fit(tmp_path, Inputs(engine, engine.option("start"), (), None, {"anatomy": "L3"}))


def test_numbers_keep_their_kind_and_value():
    assert parse_json(b"[3, -7, 1.5, 123456789012345678]") == [3, -7, 1.5, 123456789012345678]
    assert parse_json(("[" + ENDLESS + "]").encode()) == [float("inf")]
    assert json.dumps(parse_json(b"[3]")) == "[3]"


def test_a_file_far_too_large_is_not_even_read(tmp_path):
    with (tmp_path / "huge.json").open("wb") as stream:
        stream.truncate(LARGEST_BYTES + 1)
    with pytest.raises(ValueError, match="too large"):
        read_json(tmp_path / "huge.json")

"""Pictures of radiographs: grey ones are read, colour photographs are not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from imaging.radiographs.projected_scenes import detected, thigh
from mri2mesh.errors import InputError
from mri2mesh.imaging.radiographs.reading import read_radiograph


def write_picture(path: Path, pixels: np.ndarray) -> Path:
    """[rows, columns] or [rows, columns, channels]."""
    sitk.WriteImage(sitk.GetImageFromArray(pixels, isVector=pixels.ndim == 3), str(path))
    return path


@pytest.fixture
def grey() -> np.ndarray:
    """[200, 240] 16 bit; nothing in it is symmetric."""
    rows, columns = np.indices((200, 240))
    return (1000 + 100 * rows + 137 * columns).astype(np.uint16)


@pytest.mark.parametrize("name", ["x.png", "x.tif", "X.TIFF"])
def test_a_grey_picture_of_16_bit_is_read_as_it_is(tmp_path, grey, name):
    radiograph = read_radiograph(write_picture(tmp_path / name, grey), bone="bright")
    expected = (grey - grey.min()) / float(np.ptp(grey))
    np.testing.assert_allclose(radiograph.pixels, expected, atol=1e-6)
    np.testing.assert_allclose(read_radiograph(tmp_path / name, bone="dark").pixels, 1 - expected, atol=1e-6)
    assert radiograph.scale == "display" and not radiograph.scale_known


@pytest.mark.parametrize("name", ["x.png", "x.jpg", "x.bmp"])
@pytest.mark.parametrize("channels", [1, 3])
def test_eight_bits_and_three_equal_channels_are_grey_too(tmp_path, grey, name, channels):
    small = (grey // 256).astype(np.uint8)
    picture = small if channels == 1 else np.repeat(small[..., None], 3, axis=2)
    radiograph = read_radiograph(write_picture(tmp_path / name, picture), bone="bright")
    np.testing.assert_allclose(radiograph.pixels, (small - small.min()) / float(np.ptp(small)), atol=0.05)


def test_a_few_coloured_marks_are_masked_and_a_colour_photograph_is_refused(tmp_path, grey):
    picture = np.repeat((grey // 256).astype(np.uint8)[..., None], 3, axis=2)
    picture[20:30, 40:60] = (255, 255, 0)
    radiograph = read_radiograph(write_picture(tmp_path / "marked.png", picture))
    assert radiograph.unusable["overlay"][20:30, 40:60].all()
    picture[..., 2] = 30
    with pytest.raises(InputError, match="colour photograph"):
        read_radiograph(write_picture(tmp_path / "colour.png", picture))


def test_bone_is_dark_in_a_round_field_that_is_dark_outside_and_bright_otherwise(tmp_path):
    attenuation, rows, columns = thigh()
    outside = np.hypot(columns - 255.5, rows - 255.5) > 230
    shown = (65535 * detected(attenuation + 20 * outside)).astype(np.uint16)
    for pixels, bone in ((shown, "dark"), (65535 - shown, "bright")):
        radiograph = read_radiograph(write_picture(tmp_path / "x.png", pixels))
        assert radiograph.warnings == (f"bone is taken to be shown {bone}",)
        assert radiograph.geometry.primary_angle_deg.value == 0
        assert radiograph.pixels[256, 256] < radiograph.pixels[0, 0]
        assert "intensifier" in radiograph.unusable


def test_the_camera_file_gives_a_picture_its_geometry(tmp_path, grey):
    path = write_picture(tmp_path / "x.png", grey)
    (tmp_path / "camera.json").write_text('{"pixel_spacing_mm": [0.3, 0.2], "size": [200, 240]}')
    radiograph = read_radiograph(path, tmp_path / "camera.json")
    assert radiograph.scale_known
    assert radiograph.camera.pixel_spacing_mm == (0.3, 0.2)


@pytest.mark.parametrize(("name", "content", "words"), [
    ("x.png", b"", "empty"),
    ("x.png", b"not a picture at all", "not a radiograph this program reads"),
    ("x.png", b"\x89PNG\r\n\x1a\n and nothing else", "truncated or damaged"),
    ("x.gif", b"GIF89a", "a GIF picture, which is not read"),
])  # fmt: skip
def test_what_is_no_picture_is_refused(tmp_path, name, content, words, capfd):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=words) as caught:
        read_radiograph(tmp_path / name)
    assert str(tmp_path) not in str(caught.value)
    assert capfd.readouterr().err == ""


def test_missing_files_folders_small_and_empty_pictures_are_refused(tmp_path):
    for path, words in ((tmp_path / "none.png", "no such file"), (tmp_path, "not its folder")):
        with pytest.raises(InputError, match=words):
            read_radiograph(path)
    for pixels, words in ((np.zeros((99, 99)), "the same value"), (np.eye(20), "only 20 x 20 pixels")):
        with pytest.raises(InputError, match=words):
            read_radiograph(write_picture(tmp_path / "x.png", pixels.astype(np.uint8)))


def test_real_fluoroscopy_loses_its_surroundings_and_keeps_the_hip(evaluation_data: Path):
    for path in sorted((evaluation_data / "hip_fluoroscopy").glob("*.png")):
        radiograph = read_radiograph(path)
        assert not radiograph.scale_known
        assert radiograph.unusable["intensifier"].mean() == pytest.approx(0.32, abs=0.01)
        assert not radiograph.mask[:20].any() and not radiograph.mask[:, :20].any()
        assert 0.45 < radiograph.mask.mean() < 0.68
        assert radiograph.mask[300:500, 600:800].mean() > 0.85

"""Pictures of radiographs: grey ones are read, colour photographs are not."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from imaging.radiographs.projected_scenes import detected, thigh
from mri2mesh.errors import InputError
from mri2mesh.imaging.radiographs.picture import read_picture
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
    assert radiograph.polarity_known
    assert not read_radiograph(tmp_path / name).polarity_known
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


def save_with_pillow(array: np.ndarray, path, **options) -> None:
    pytest.importorskip("PIL.Image").fromarray(array).save(path, **options)


BRIGHTER = (np.add.outer(np.arange(40), np.arange(48)) * 2).astype(np.uint8)


def test_a_tiff_whose_zero_is_white_is_turned_over(tmp_path):
    save_with_pillow(255 - BRIGHTER, tmp_path / "x.tif")
    data = bytearray((tmp_path / "x.tif").read_bytes())
    (directory,) = struct.unpack_from("<I", data, 4)
    for n in range(struct.unpack_from("<H", data, directory)[0]):
        if struct.unpack_from("<H", data, directory + 2 + 12 * n) == (262,):
            struct.pack_into("<H", data, directory + 2 + 12 * n + 8, 0)
    (tmp_path / "x.tif").write_bytes(data)
    grey, _ = read_picture(tmp_path / "x.tif")
    assert np.corrcoef(grey.ravel(), BRIGHTER.ravel())[0, 1] > 0.999


@pytest.mark.parametrize("ending", ["jpg", "tif", "png"])
@pytest.mark.parametrize("orientation", [1, 2, 6, 8])
def test_a_picture_that_viewers_turn_is_refused(tmp_path, ending, orientation):
    image = pytest.importorskip("PIL.Image")
    exif = image.Exif()
    exif[274] = orientation
    options = {"tiffinfo": {274: orientation}} if ending == "tif" else {"exif": exif}
    save_with_pillow(BRIGHTER, tmp_path / f"x.{ending}", **options)
    if orientation == 1:
        assert read_picture(tmp_path / f"x.{ending}")[0].shape == BRIGHTER.shape
    else:
        with pytest.raises(InputError, match="stored turned or mirrored"):
            read_picture(tmp_path / f"x.{ending}")


def test_grey_with_opacity_says_what_to_do(tmp_path):
    image = pytest.importorskip("PIL.Image")
    image.fromarray(BRIGHTER).convert("LA").save(tmp_path / "x.png")
    with pytest.raises(InputError, match="opacity"):
        read_picture(tmp_path / "x.png")


@pytest.mark.parametrize("mode", ["L", "P", "RGB", "1"])
@pytest.mark.parametrize("ending", ["bmp", "png", "tif"])
def test_every_way_to_store_a_grey_picture_gives_the_same(tmp_path, mode, ending):
    image = pytest.importorskip("PIL.Image")
    stored = image.fromarray(BRIGHTER).convert(mode)
    stored.save(tmp_path / f"x.{ending}")
    expected = np.asarray(stored.convert("L")).astype(float)
    grey, marks = read_picture(tmp_path / f"x.{ending}")
    assert not marks.any()
    assert np.corrcoef(grey.ravel(), expected.ravel())[0, 1] > 0.999


@pytest.mark.parametrize("damage", ["cut", "no size", "compressed", "palette"])
def test_a_bitmap_that_would_end_the_process_is_refused(tmp_path, damage):
    image = pytest.importorskip("PIL.Image")
    image.fromarray(BRIGHTER).save(tmp_path / "x.bmp")
    data = bytearray((tmp_path / "x.bmp").read_bytes())
    if damage == "cut":
        data = data[:-300]
    elif damage == "no size":
        struct.pack_into("<ii", data, 18, 0, 0)
    elif damage == "compressed":
        struct.pack_into("<I", data, 30, 1)
    else:
        struct.pack_into("<I", data, 46, 3)
    (tmp_path / "x.bmp").write_bytes(data)
    with pytest.raises(InputError, match=r"truncated or damaged|compressed bitmap"):
        read_picture(tmp_path / "x.bmp")


def test_a_bitmap_whose_first_line_is_the_top_is_read_upright(tmp_path):
    image = pytest.importorskip("PIL.Image")
    image.fromarray(BRIGHTER[::-1]).save(tmp_path / "x.bmp")
    data = bytearray((tmp_path / "x.bmp").read_bytes())
    struct.pack_into("<i", data, 22, -40)
    (tmp_path / "x.bmp").write_bytes(data)
    np.testing.assert_array_equal(read_picture(tmp_path / "x.bmp")[0], BRIGHTER)

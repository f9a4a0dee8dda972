"""Grey values of DICOM files: every frame's own slope, every way to store pixels, and the directory file of a CD."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.fileset import FileSet
from pydicom.uid import (
    MPEG2MPML,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
    JPEGBaseline8Bit,
    RLELossless,
)

from imaging.dicom_files import write_multiframe, write_series
from mri2mesh.errors import InputError
from mri2mesh.imaging.kind import kind_of
from mri2mesh.imaging.volumes.reading import read_volume

ARRAY = np.random.default_rng(4).integers(0, 4000, (5, 16, 20)).astype(np.uint16)
MATRIX = np.diag([0.7, 0.8, 4.0, 1.0])


def edit(path: Path, change: Callable[[Dataset], Any]) -> None:
    dataset = pydicom.dcmread(path)
    change(dataset)
    dataset.save_as(path, enforce_file_format=True)


def transformation(slope: float, intercept: float) -> Dataset:
    item = Dataset()
    item.RescaleSlope, item.RescaleIntercept, item.RescaleType = slope, intercept, "US"
    return item


def test_every_frame_has_its_own_slope_and_intercept(tmp_path):
    order = [3, 0, 4, 1, 2]
    write_multiframe(tmp_path / "image", ARRAY, MATRIX, order)

    def change(dataset: Dataset) -> None:
        for frame, k in zip(dataset.PerFrameFunctionalGroupsSequence, order, strict=True):
            frame.PixelValueTransformationSequence = [transformation(1 + 0.5 * k, -10 * k)]

    edit(tmp_path / "image", change)
    k = np.arange(5)[:, None, None]
    np.testing.assert_allclose(read_volume(tmp_path / "image").array, ARRAY * (1 + 0.5 * k) - 10 * k)


@pytest.mark.parametrize("compressed", [False, True])
def test_a_slope_that_all_frames_share_holds_for_all(tmp_path, compressed):
    write_multiframe(tmp_path / "image", ARRAY, MATRIX, list(range(5)))

    def change(dataset: Dataset) -> None:
        dataset.SharedFunctionalGroupsSequence[0].PixelValueTransformationSequence = [transformation(2.5, 3)]
        if compressed:
            dataset.compress(RLELossless)

    edit(tmp_path / "image", change)
    np.testing.assert_allclose(read_volume(tmp_path / "image").array, ARRAY * 2.5 + 3)


@pytest.mark.parametrize("slope", ["0", "1e400"])
def test_a_slope_that_cannot_be_is_refused(tmp_path, slope):
    write_series(tmp_path, ARRAY, MATRIX)
    for path in tmp_path.iterdir():
        data = path.read_bytes()
        element = b"\x28\x00\x52\x10DS\x02\x000 \x28\x00\x53\x10DS" + bytes([len(slope) + len(slope) % 2, 0])
        at = data.index(b"\xe0\x7f\x10\x00OW")
        path.write_bytes(data[:at] + element + slope.encode() + b" " * (len(slope) % 2) + data[at:])
    with pytest.raises(InputError, match="Rescale Slope is"):
        read_volume(tmp_path)


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian, RLELossless])
@pytest.mark.parametrize("enhanced", [False, True])
def test_every_uncompressed_syntax_is_read(tmp_path, syntax, enhanced):
    if enhanced:
        write_multiframe(tmp_path / "image", ARRAY, MATRIX, list(range(5)))
    else:
        write_series(tmp_path, ARRAY, MATRIX)
    for path in tmp_path.iterdir():
        dataset = pydicom.dcmread(path)
        if syntax.is_encapsulated:
            dataset.compress(syntax)
        dataset.file_meta.TransferSyntaxUID = syntax
        dataset.save_as(path, implicit_vr=syntax == ImplicitVRLittleEndian, enforce_file_format=True)
    np.testing.assert_array_equal(read_volume(tmp_path).array, ARRAY)


def test_big_endian_is_read(tmp_path):
    for path in write_series(tmp_path, ARRAY, MATRIX):
        written, dataset = pydicom.dcmread(path), Dataset()
        for element in written:
            dataset[element.tag] = element
        dataset.PixelData = written.pixel_array.astype(">u2").tobytes()
        dataset.file_meta = written.file_meta
        dataset.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
        dataset.save_as(path, implicit_vr=False, little_endian=False, enforce_file_format=True)
    np.testing.assert_array_equal(read_volume(tmp_path).array, ARRAY)


@pytest.mark.parametrize("compressor", ["JPEG2000", "JPEG"])
def test_lossless_jpeg_and_jpeg_2000_of_16_bit_are_read(tmp_path, compressor):
    """As GDCM writes them: JPEG lossless is what pydicom does not decode by itself."""
    for path, pixels in zip(
        write_series(tmp_path / "series", ARRAY, MATRIX, shuffle=False, RescaleSlope="2"), ARRAY, strict=True
    ):
        writer = sitk.ImageFileWriter()
        writer.SetImageIO("GDCMImageIO")
        writer.SetUseCompression(True)
        writer.SetCompressor(compressor)
        writer.SetFileName(str(tmp_path / "packed.dcm"))
        writer.Execute(sitk.GetImageFromArray(pixels))
        packed = pydicom.dcmread(tmp_path / "packed.dcm")
        assert packed.file_meta.TransferSyntaxUID.is_compressed
        dataset = pydicom.dcmread(path)
        dataset.file_meta.TransferSyntaxUID = packed.file_meta.TransferSyntaxUID
        dataset["PixelData"] = packed["PixelData"]
        dataset.save_as(path, enforce_file_format=True)
    np.testing.assert_array_equal(read_volume(tmp_path / "series").array, 2.0 * ARRAY)


def encapsulated(path: Path, data: bytes, syntax: str) -> None:
    def change(dataset: Dataset) -> None:
        dataset.file_meta.TransferSyntaxUID = syntax
        dataset.PixelData = encapsulate([data])
        dataset["PixelData"].VR, dataset["PixelData"].is_undefined_length = "OB", True

    edit(path, change)


def test_jpeg_of_8_bit_is_read_nearly(tmp_path):
    image = pytest.importorskip("PIL.Image")
    smooth = np.add.outer(np.arange(5) * 20, np.add.outer(np.arange(16), np.arange(20)) * 2).astype(np.uint8)
    paths = write_series(
        tmp_path, smooth.astype(np.uint16), MATRIX, shuffle=False, BitsAllocated=8, BitsStored=8, HighBit=7
    )
    for path, pixels in zip(paths, smooth, strict=True):
        image.fromarray(pixels).save(packed := io.BytesIO(), "JPEG", quality=98)
        encapsulated(path, packed.getvalue(), JPEGBaseline8Bit)
    np.testing.assert_allclose(read_volume(tmp_path).array, smooth, atol=2)


def test_a_syntax_that_nothing_decodes_is_refused_in_one_line(tmp_path, capfd):
    for path in write_series(tmp_path, ARRAY, MATRIX):
        encapsulated(path, b"a film of something" * 9, MPEG2MPML)
    with pytest.raises(InputError, match="cannot be decoded"):
        read_volume(tmp_path)
    printed = capfd.readouterr()
    assert printed.out == "" and printed.err == ""


@pytest.mark.parametrize("implicit", [False, True])
def test_files_without_preamble_and_file_header_are_read(tmp_path, implicit):
    for path in write_series(tmp_path, ARRAY, MATRIX):
        dataset = pydicom.dcmread(path)
        del dataset.file_meta
        dataset.preamble = None
        dataset.save_as(path, implicit_vr=implicit, little_endian=True, enforce_file_format=False)
        assert path.read_bytes()[128:132] != b"DICM"
    np.testing.assert_array_equal(read_volume(tmp_path).array, ARRAY)
    np.testing.assert_array_equal(read_volume(next(tmp_path.iterdir())).array, ARRAY)


def test_the_directory_file_of_a_cd_stands_for_the_cd(tmp_path):
    files = FileSet()
    for path in write_series(tmp_path / "series", ARRAY, MATRIX, StudyTime="1200", StudyID="1"):
        files.add(path)
    files.write(tmp_path / "cd")
    assert kind_of(tmp_path / "cd" / "DICOMDIR") == "volume"
    for path in (tmp_path / "cd" / "DICOMDIR", tmp_path / "cd"):
        np.testing.assert_array_equal(read_volume(path).array, ARRAY)


def test_signed_values_and_old_overlays_in_unused_bits_are_understood(tmp_path):
    values = np.random.default_rng(5).integers(-2000, 2000, ARRAY.shape)
    stored = ((values & 0xFFF) | 0x5000).astype(
        np.uint16
    )  # twelve bits of a number, and something above them
    write_series(tmp_path, stored, MATRIX, BitsStored=12, HighBit=11, PixelRepresentation=1)
    np.testing.assert_array_equal(read_volume(tmp_path).array, values)


def test_an_inverted_image_is_turned_over(tmp_path):
    write_series(tmp_path, ARRAY, MATRIX, PhotometricInterpretation="MONOCHROME1", BitsStored=12, HighBit=11)
    np.testing.assert_array_equal(read_volume(tmp_path).array, 4095.0 - ARRAY)


def test_float_pixels_are_read(tmp_path):
    values = ARRAY.astype(np.float32) / 7

    def change(dataset: Dataset) -> None:
        k = int(dataset.InstanceNumber) - 1
        del dataset.PixelData, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation
        dataset.BitsAllocated, dataset.FloatPixelData = 32, values[k].tobytes()

    for path in write_series(tmp_path, ARRAY, MATRIX):
        edit(path, change)
    np.testing.assert_array_equal(read_volume(tmp_path).array, values)


def test_a_palette_is_refused_as_colour(tmp_path):
    write_series(tmp_path, ARRAY, MATRIX, PhotometricInterpretation="PALETTE COLOR")
    with pytest.raises(InputError, match="in colour"):
        read_volume(tmp_path)

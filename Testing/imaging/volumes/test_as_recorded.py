"""What a header leaves open or contradicts: right, or said; and what cannot be a patient's image is refused at once."""

from __future__ import annotations

from pathlib import Path

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk
from scipy.spatial.transform import Rotation

from mri2mesh.engines.mri2mesh.quality.modality import modality_warnings
from mri2mesh.errors import InputError
from mri2mesh.geometry.volume import Volume
from mri2mesh.imaging.volumes.reading import read_volume

ARRAY = np.random.default_rng(5).permutation(2100).reshape(10, 14, 15).astype(np.int16)
MATRIX = np.diag([-0.7, -0.8, 4.0, 1.0])
MATRIX[:3, 3] = (40, 50, -60)


def write_nifti(path: Path, sform=MATRIX, qform=MATRIX, codes=(1, 1), unit: int = 2) -> Path:
    """codes: of the sform and the qform."""
    image = nibabel.Nifti1Image(ARRAY.T, sform)
    image.set_sform(sform, codes[0])
    image.set_qform(qform, codes[1])
    image.header["xyzt_units"] = unit
    nibabel.save(image, path)
    return path


def refusal(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        read_volume(path)
    assert "\n" not in str(caught.value) and str(path) not in str(caught.value)
    return str(caught.value)


def moved(by_mm=(0.0, 0.0, 0.0), degrees: float = 0.0, mirrored: bool = False) -> np.ndarray:
    change = np.eye(4)
    change[:3, :3] = Rotation.from_euler("z", degrees, degrees=True).as_matrix()
    change[:3, 3] = by_mm
    result = change @ MATRIX
    if mirrored:
        result[:, 0] *= -1
        result[0, 3] = MATRIX[0, 3] + MATRIX[0, 0] * 14
    return result


CODES = [(1, 1), (2, 1), (4, 1), (1, 2), (1, 4), (3, 3)]


@pytest.mark.parametrize("codes", CODES)
@pytest.mark.parametrize(("change", "words"), [({"mirrored": True}, "mirror"), ({"degrees": 90}, "turn"),
                                               ({"degrees": 180}, "turn")])  # fmt: skip
def test_matrices_that_exchange_sides_are_refused(tmp_path, codes, change, words):
    path = write_nifti(tmp_path / "a.nii", qform=moved(**change), codes=codes)
    assert f"(qform and sform) {words} the image against each other" in refusal(path)


@pytest.mark.parametrize("codes", CODES)
@pytest.mark.parametrize("change", [{"by_mm": (0, 0, 50)}, {"degrees": 10}])
def test_matrices_that_lie_apart_are_said_and_the_image_lies_as_slicer_loads_it(tmp_path, codes, change):
    path = write_nifti(tmp_path / "a.nii", qform=moved(**change), codes=codes)
    volume = read_volume(path)
    assert "(qform and sform) place the image up to" in volume.warnings[0]
    expected = MATRIX if codes[0] == 1 else moved(**change)
    np.testing.assert_allclose(volume.ijk_to_ras, expected, atol=1e-4)


@pytest.mark.parametrize("codes", [*CODES, (1, 0), (0, 1), (2, 0)])
def test_matrices_that_agree_are_not_worth_a_word(tmp_path, codes):
    oblique = MATRIX.copy()
    oblique[:3, :3] = Rotation.from_euler("xyz", (20, -7, 5), degrees=True).as_matrix() @ MATRIX[:3, :3]
    nearly = oblique.copy()
    nearly[:3, 3] += 0.3
    volume = read_volume(write_nifti(tmp_path / "a.nii", oblique, nearly, codes))
    assert volume.warnings == () and "orientation" not in volume.metadata


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_a_nifti_without_orientation_says_so(tmp_path, name):
    volume = read_volume(write_nifti(tmp_path / name, codes=(0, 0)))
    assert "does not record how the image lies in the patient" in volume.warnings[0]


@pytest.mark.parametrize(("unit", "factor"), [(1, 1e-3), (3, 1e3), (0, 1.0), (2, 1.0), (2 | 8, 1.0)])
@pytest.mark.parametrize("codes", [(1, 1), (0, 1), (2, 0)])
def test_other_units_of_length_in_a_nifti_come_out_in_millimetres(tmp_path, unit, factor, codes):
    scaled = MATRIX.copy()
    scaled[:3] *= factor
    volume = read_volume(write_nifti(tmp_path / "a.nii", scaled, scaled, codes, unit))
    np.testing.assert_allclose(volume.ijk_to_ras, MATRIX, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("factor", [1e-3, 1e3])
def test_an_image_in_other_units_that_says_millimetres_is_refused(tmp_path, factor):
    scaled = MATRIX.copy()
    scaled[:3] *= factor
    assert "is the unit millimetres?" in refusal(write_nifti(tmp_path / "a.nii", scaled, scaled))


@pytest.mark.parametrize("place", [(2e5, 0, 0), (0, 0, -1e30)])
@pytest.mark.parametrize("ending", [".nii", ".mha", ".nrrd"])
def test_an_image_far_from_any_patient_is_refused(tmp_path, place, ending):
    image = sitk.GetImageFromArray(ARRAY)
    image.SetOrigin([float(value) for value in place])
    sitk.WriteImage(image, str(tmp_path / f"a{ending}"))
    assert "100 m from its own origin" in refusal(tmp_path / f"a{ending}")


# NRRD and MetaImage, headers written by hand.


def write_nrrd(path: Path, **fields: str) -> Path:
    header = {
        "type": "short", "dimension": "3", "space": "left-posterior-superior", "sizes": "15 14 10",
        "space directions": "(0.7,0,0) (0,0.8,0) (0,0,4)", "space origin": "(1,2,3)",
        "kinds": "domain domain domain", "endian": "little", "encoding": "raw",
    }  # fmt: skip
    header.update({name.replace("_", " "): value for name, value in fields.items()})
    pairs = [
        f"{name}:={value[1:]}" if value.startswith("=") else f"{name}: {value}"
        for name, value in header.items()
        if value
    ]
    path.write_bytes(("NRRD0005\n" + "\n".join(pairs) + "\n\n").encode() + ARRAY.tobytes())
    return path


def write_metaimage(path: Path, **fields: str) -> Path:
    header = {
        "ObjectType": "Image", "NDims": "3", "BinaryData": "True", "TransformMatrix": "1 0 0 0 1 0 0 0 1",
        "Offset": "1 2 3", "ElementSpacing": "0.7 0.8 4", "DimSize": "15 14 10", "ElementType": "MET_SHORT",
    }  # fmt: skip
    header.update(fields)
    last = header.pop("ElementDataFile", "LOCAL")
    lines = [f"{name} = {value}" for name, value in header.items() if value] + [f"ElementDataFile = {last}"]
    path.write_bytes(("\n".join(lines) + "\n").encode() + (ARRAY.tobytes() if last == "LOCAL" else b""))
    return path


def test_headers_written_by_hand_are_read(tmp_path):
    for path in (write_nrrd(tmp_path / "a.nrrd"), write_metaimage(tmp_path / "a.mha")):
        volume = read_volume(path)
        np.testing.assert_array_equal(volume.array, ARRAY)
        assert volume.warnings == () and volume.metadata == {}
        np.testing.assert_allclose(volume.ijk_to_ras[:3, 3], (-1, -2, 3))


@pytest.mark.parametrize("space", ["scanner-xyz", "3D-right-handed", "3D-left-handed", ""])
def test_an_nrrd_space_that_is_not_the_patients_is_said(tmp_path, space):
    path = write_nrrd(tmp_path / "a.nrrd", space=space or "LPS")
    if not space:
        path.write_bytes(path.read_bytes().replace(b"space: LPS", b"space dimension: 3"))
    volume = read_volume(path)
    assert volume.metadata["orientation"] == "unknown" and "does not record" in volume.warnings[0]


def test_a_metaimage_without_directions_is_said(tmp_path):
    volume = read_volume(write_metaimage(tmp_path / "a.mha", TransformMatrix=""))
    assert "does not record how the image lies" in volume.warnings[0]


@pytest.mark.parametrize(
    ("unit", "mm"), [("m", 1000), ("cm", 10), ("um", 1e-3), ("µm", 1e-3), ("mm", 1), ("micron", 1e-3)]
)
def test_other_units_of_length_in_an_nrrd_come_out_in_millimetres(tmp_path, unit, mm):
    one = f"({0.7 / mm},0,0) (0,{0.8 / mm},0) (0,0,{4 / mm})"
    path = write_nrrd(
        tmp_path / "a.nrrd", space_units=f'"{unit}" "{unit}" "{unit}"', space_directions=one,
        space_origin=f"({1 / mm},{2 / mm},{3 / mm})",
    )  # fmt: skip
    volume = read_volume(path)
    np.testing.assert_allclose(volume.spacing, (0.7, 0.8, 4))
    np.testing.assert_allclose(volume.ijk_to_ras[:3, 3], (-1, -2, 3))


def test_an_unknown_unit_is_said_and_mixed_ones_are_refused(tmp_path):
    volume = read_volume(write_nrrd(tmp_path / "a.nrrd", space_units='"pixel" "pixel" "pixel"'))
    assert "unit of length in the file is not known" in volume.warnings[0]
    assert "different units" in refusal(write_nrrd(tmp_path / "b.nrrd", space_units='"mm" "mm" "m"'))


def test_the_unit_of_a_metaimage_is_heeded(tmp_path):
    path = write_metaimage(
        tmp_path / "a.mha", DistanceUnits="um", ElementSpacing="700 800 4000", Offset="1000 2000 3000"
    )
    volume = read_volume(path)
    np.testing.assert_allclose(volume.spacing, (0.7, 0.8, 4))
    np.testing.assert_allclose(volume.ijk_to_ras[:3, 3], (-1, -2, 3))


def test_the_modality_in_a_header_is_kept(tmp_path):
    ct = read_volume(write_metaimage(tmp_path / "a.mha", Modality="MET_MOD_CT"))
    assert ct.metadata["modality"] == "CT"
    for key in ("modality", "DICOM.Modality", "DICOM_0008_0060"):
        volume = read_volume(
            write_nrrd(tmp_path / "a.nrrd", **{key: "=PT"}) if "_" not in key else _with_key(tmp_path, key)
        )
        assert volume.metadata["modality"] == "PT"
    # free text is nothing to repeat
    assert read_volume(write_nrrd(tmp_path / "b.nrrd", modality="=Smith^John 1961")).metadata == {}


def _with_key(folder: Path, key: str) -> Path:
    path = write_nrrd(folder / "k.nrrd", modality="=PT")
    path.write_bytes(path.read_bytes().replace(b"modality:=", key.encode() + b":="))
    return path


OUTSIDE = [
    "../voxels.raw", "/etc/passwd", "C:\\windows\\voxels.raw", "\\\\server\\share\\voxels.raw", "/dev/zero",
    "below/../../voxels.raw", "..\\voxels.raw",
]  # fmt: skip


@pytest.mark.parametrize("name", OUTSIDE)
def test_a_data_file_outside_the_folder_of_its_header_is_not_opened(tmp_path, name):
    (tmp_path / "voxels.raw").write_bytes(ARRAY.tobytes())
    (tmp_path / "sent" / "below").mkdir(parents=True)
    for path in (
        write_metaimage(tmp_path / "sent" / "a.mhd", ElementDataFile=name),
        write_nrrd(tmp_path / "sent" / "a.nhdr", data_file=name),
        write_metaimage(tmp_path / "sent" / "b.mhd", ElementDataFile=f"LIST\n{name}"),
        write_metaimage(tmp_path / "sent" / "c.mhd", ElementDataFile=f"{name}%d 1 9 1"),
        write_nrrd(tmp_path / "sent" / "b.nhdr", data_file=f"{name}%d 1 9 1"),
    ):
        assert "outside its own folder" in refusal(path)


def test_a_data_file_in_a_folder_below_is_read(tmp_path):
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "voxels.raw").write_bytes(ARRAY.tobytes())
    path = write_metaimage(tmp_path / "a.mhd", ElementDataFile="below/voxels.raw")
    np.testing.assert_array_equal(read_volume(path).array, ARRAY)


def test_one_file_per_slice_is_read(tmp_path):
    for k, pixels in enumerate(ARRAY):
        (tmp_path / f"slice{k}.raw").write_bytes(pixels.tobytes())
    listed = "\n".join(f"slice{k}.raw" for k in range(len(ARRAY)))
    path = write_metaimage(tmp_path / "a.mhd", ElementDataFile=f"LIST\n{listed}")
    np.testing.assert_array_equal(read_volume(path).array, ARRAY)
    path = write_metaimage(tmp_path / "b.mhd", ElementDataFile="slice%d.raw 0 9 1")
    np.testing.assert_array_equal(read_volume(path).array, ARRAY)


HOSTILE = ["1e308", "-1e308", "nan", "inf", "1" + "0" * 400, "9" * 5000, "1e-300", "", "x"]


@pytest.mark.parametrize("value", HOSTILE, ids=lambda value: value[:9] or "empty")
@pytest.mark.parametrize("field", ["TransformMatrix", "Offset", "ElementSpacing", "DimSize", "NDims", "HeaderSize",
                                   "ElementNumberOfChannels"])  # fmt: skip
def test_a_hostile_metaimage_is_one_line(tmp_path, field, value):
    usual = {
        "TransformMatrix": "1 0 0 0 1 0 0 0 ",
        "Offset": "1 2 ",
        "ElementSpacing": "0.7 0.8 ",
        "DimSize": "15 14 ",
    }
    path = write_metaimage(tmp_path / "a.mha", **{field: usual.get(field, "") + value})
    if (field, value) in (("Offset", "1e-300"), ("TransformMatrix", "1e-300")) or (
        not value and field in ("HeaderSize", "NDims", "ElementNumberOfChannels")
    ):
        return  # a tiny offset is no harm, and an empty field is left out here
    assert len(refusal(path)) < 300


@pytest.mark.parametrize("value", HOSTILE, ids=lambda value: value[:9] or "empty")
@pytest.mark.parametrize("field", ["sizes", "space directions", "space origin", "dimension", "byte skip"])
def test_a_hostile_nrrd_is_one_line(tmp_path, field, value):
    usual = {
        "sizes": "15 14 {}",
        "space directions": "(0.7,0,0) (0,0.8,0) (0,0,{})",
        "space origin": "(1,2,{})",
    }
    path = write_nrrd(tmp_path / "a.nrrd", **{field: usual.get(field, "{}").format(value)})
    if (field, value) in (("space origin", "1e-300"), ("byte skip", ""), ("dimension", "")):
        return
    assert len(refusal(path)) < 300


@pytest.mark.parametrize(
    ("modality", "words"),
    [("CT", "is a CT"), ("PT", "a PET"), ("US", "an ultrasound"), ("XY", "of modality XY")],
)
def test_an_image_of_another_modality_is_said(modality, words):
    (warning,) = modality_warnings(Volume(ARRAY, MATRIX, metadata={"modality": modality}))
    assert words in warning and "made for MR" in warning


def test_the_values_of_a_ct_give_it_away_and_those_of_an_mr_do_not():
    random = np.random.default_rng(0)
    body = random.normal(40, 60, (10, 20, 30))
    air = np.full((10, 20, 30), -1000.0)
    ct = np.concatenate([air, body, air])
    assert "negative, as in a CT" in modality_warnings(Volume(ct.astype(np.int16), MATRIX))[0]
    phase = random.uniform(-4096, 4096, (10, 20, 30)) - 10
    assert "phase" in modality_warnings(Volume(phase.astype(np.int16), MATRIX))[0]
    assert modality_warnings(Volume(np.abs(body).astype(np.int16), MATRIX)) == []
    assert modality_warnings(Volume(ARRAY, MATRIX, metadata={"modality": "MR"})) == []
    labels = np.kron(np.arange(24).reshape(2, 3, 4), np.ones((8, 8, 12), int)).astype(np.uint8)
    assert "--engine segmentation" in modality_warnings(Volume(labels, MATRIX))[0]

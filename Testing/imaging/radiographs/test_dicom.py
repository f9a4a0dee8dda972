"""Radiographs from DICOM: where a point of the patient lies in the stored image, and what the values mean."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset

from imaging.radiographs.radiograph_files import (
    DETECTOR,
    ELEMENT_MM,
    CArm,
    darkest_place,
    with_dark_ball,
    write_radiograph,
)
from mri2mesh.errors import InputError
from mri2mesh.imaging.dicom.pixels import decode, frames_by_gdcm
from mri2mesh.imaging.radiographs.dicom import read_radiograph_dicom
from mri2mesh.imaging.radiographs.reading import read_radiograph

BALL_LPS = (22.0, -31.0, 17.0)
"""A point on the patient's left, in front, towards the head."""
BALL_RAS = (-22.0, 31.0, 17.0)
OBLIQUE = CArm(primary_deg=27.0, secondary_deg=-14.0)


def refusal(path: Path, **options) -> str:
    """The line a user would see; nothing of the patient, nor where the file lies."""
    with pytest.raises(InputError) as caught:
        read_radiograph(path, **options)
    message = str(caught.value)
    for private in ("\n", "Doe", "12345", "2020", str(path)):
        assert private not in message
    return message


@pytest.mark.parametrize("flip", ["NO", "YES"])
@pytest.mark.parametrize("turned", [0, 90, 180, 270])
def test_a_point_of_the_patient_is_found_in_the_stored_image_however_it_was_turned(tmp_path, turned, flip):
    # A part of the detector is read out, off its middle, two by three elements to a pixel.
    first, binned = (20, 35), (2, 3)
    element = OBLIQUE.element(BALL_LPS)
    image = with_dark_ball((element - first - (np.array(binned) - 1) / 2) / binned, (100, 90))
    image = np.rot90(image, -turned // 90)
    image = image[:, ::-1] if flip == "YES" else image
    spacing = np.array(binned) * ELEMENT_MM
    path = write_radiograph(
        tmp_path / "xa",
        image,
        **OBLIQUE.tags() | {"ImagerPixelSpacing": list(spacing if turned % 180 == 0 else spacing[::-1])},
        FieldOfViewRotation=turned,
        FieldOfViewHorizontalFlip=flip,
        FieldOfViewOrigin=list(first),
        DetectorElementSpacing=[ELEMENT_MM, ELEMENT_MM],
        DetectorActiveOrigin=[0, 0],
        DetectorActiveDimensions=[side * ELEMENT_MM for side in DETECTOR],
    )
    radiograph = read_radiograph(path)
    np.testing.assert_allclose(
        radiograph.camera.project(BALL_RAS), darkest_place(radiograph.pixels), atol=0.1
    )
    assert radiograph.geometry.origins == {
        "source_to_detector_mm": "tag",
        "source_to_isocentre_mm": "tag",
        "pixel_spacing_mm": "tag",
        "size": "tag",
        "principal_point_px": "tag",
        "primary_angle_deg": "tag",
        "secondary_angle_deg": "tag",
        "isocentre_ras_mm": "default",
        "seen_from": "tag",
        "image_rotation_deg": "tag",
    }


@pytest.mark.parametrize(("row", "column", "changed"), [
    ("L", "F", lambda image: image),
    ("R", "F", lambda image: image[:, ::-1]),
    ("F", "R", lambda image: np.rot90(image)),
    ("LP", "H", lambda image: image[::-1]),
])  # fmt: skip
def test_patient_orientation_says_which_way_the_stored_image_lies(tmp_path, row, column, changed):
    image = changed(with_dark_ball(OBLIQUE.element(BALL_LPS)))
    path = write_radiograph(tmp_path / "xa", image, **OBLIQUE.tags(), PatientOrientation=[row, column])
    radiograph = read_radiograph(path)
    np.testing.assert_allclose(
        radiograph.camera.project(BALL_RAS), darkest_place(radiograph.pixels), atol=0.1
    )


def test_the_isocentre_of_an_enhanced_image_may_lie_off_the_middle_and_angles_are_those_of_the_frame(
    tmp_path,
):
    arms = [CArm(-20, 5), OBLIQUE]
    shift = np.array([6.0, -11.0])
    frames = np.stack([with_dark_ball(arm.element(BALL_LPS) + shift) for arm in arms])
    shared = Dataset()
    geometry, properties, field = Dataset(), Dataset(), Dataset()
    geometry.DistanceSourceToIsocenter, geometry.DistanceSourceToDetector = 700.0, 1000.0
    properties.ImagerPixelSpacing = [ELEMENT_MM, ELEMENT_MM]
    properties.PixelIntensityRelationship, properties.PixelIntensityRelationshipSign = "LIN", 1
    field.FieldOfViewOrigin, field.FieldOfViewRotation, field.FieldOfViewHorizontalFlip = [0, 0], 0, "NO"
    shared.XRayGeometrySequence, shared.FieldOfViewSequence = [geometry], [field]
    shared.FramePixelDataPropertiesSequence = [properties]
    groups = []
    for arm in arms:
        group, position = Dataset(), Dataset()
        position.PositionerPrimaryAngle = arm.primary_deg
        position.PositionerSecondaryAngle = arm.secondary_deg
        group.PositionerPositionSequence = [position]
        groups.append(group)
    path = write_radiograph(
        tmp_path / "enhanced",
        frames,
        PixelIntensityRelationship=None,
        PixelIntensityRelationshipSign=None,
        SharedFunctionalGroupsSequence=[shared],
        PerFrameFunctionalGroupsSequence=groups,
        DetectorElementSpacing=[ELEMENT_MM, ELEMENT_MM],
        PositionOfIsocenterProjection=list((np.array(DETECTOR) - 1) / 2 + shift),
    )
    for number in (1, 2):
        radiograph = read_radiograph(path, frame=number)
        found = darkest_place(radiograph.pixels)
        np.testing.assert_allclose(radiograph.camera.project(BALL_RAS), found, atol=0.1)
        assert radiograph.metadata["frame"] == f"{number} of 2"


def test_the_middle_frame_of_a_run_is_read_unless_one_is_representative_or_asked_for(tmp_path):
    frames = np.stack([with_dark_ball(np.array([100.0, 60.0 + 30 * n])) for n in range(5)])
    path = write_radiograph(tmp_path / "run", frames, **CArm().tags())

    def column(**options) -> float:
        return darkest_place(read_radiograph(path, **options).pixels)[0]

    assert column() == pytest.approx(120, abs=0.1)
    assert column(frame=5) == pytest.approx(180, abs=0.1)
    assert "no frame 6: choose one of 1 to 5" in refusal(path, frame=6)
    write_radiograph(path, frames, **CArm().tags(), RepresentativeFrameNumber=2)
    assert column() == pytest.approx(90, abs=0.1)
    write_radiograph(path, frames, **CArm().tags(), PositionerMotion="DYNAMIC")
    assert column() == pytest.approx(60, abs=0.1)
    assert "only the angles of the first frame are certain" in refusal(path, frame=3)


@pytest.mark.parametrize(("view", "angle"), [("AP", 180), ("PA", 0), ("LL", 90), ("RL", -90)])
def test_a_table_radiograph_has_its_angle_from_the_view_position(tmp_path, view, angle):
    path = write_radiograph(tmp_path / "dx", with_dark_ball(np.array([90, 80])), "DX", ViewPosition=view)
    geometry = read_radiograph(path).geometry
    assert (geometry.primary_angle_deg.value, geometry.primary_angle_deg.origin) == (angle, "tag")


def test_without_tags_a_geometry_is_assumed_the_scale_unknown_and_what_needs_it_says_what_to_do(tmp_path):
    radiograph = read_radiograph(write_radiograph(tmp_path / "cr", with_dark_ball(np.array([90, 80])), "CR"))
    assert not radiograph.scale_known
    assert set(radiograph.geometry.origins.values()) == {"tag", "default"}
    assert any("behind the patient assumed" in line for line in radiograph.warnings)
    radiograph.geometry.require("size")
    with pytest.raises(InputError, match=r"does not say the pixel spacing.*--camera"):
        radiograph.geometry.require("pixel_spacing_mm", "size")


def spacing_and_distance(tmp_path: Path, **tags) -> tuple[tuple[float, float], float, str]:
    arm = {name: value for name, value in CArm().tags().items() if name not in tags}
    arm |= {name: value for name, value in tags.items() if value is not None}
    radiograph = read_radiograph(write_radiograph(tmp_path / "xa", with_dark_ball(np.array([90, 80])), **arm))
    geometry = radiograph.geometry
    return (
        geometry.pixel_spacing_mm.value,
        geometry.source_to_isocentre_mm.value,
        geometry.pixel_spacing_mm.origin,
    )


def test_pixel_spacing_is_read_at_the_detector(tmp_path):
    both = spacing_and_distance(
        tmp_path,
        ImagerPixelSpacing=[0.4, 0.2],
        PixelSpacing=[0.28, 0.14],
        PixelSpacingCalibrationType="GEOMETRY",
    )
    assert both == ((0.4, 0.2), 700.0, "tag")
    # In the patient, larger by 1000 / 700 at the detector.
    spacing, _, origin = spacing_and_distance(
        tmp_path, ImagerPixelSpacing=None, PixelSpacing=[0.28, 0.14], PixelSpacingCalibrationType="FIDUCIAL"
    )
    assert (spacing, origin) == (pytest.approx((0.4, 0.2)), "calibrated")
    alone = spacing_and_distance(tmp_path, ImagerPixelSpacing=None, PixelSpacing=[0.4, 0.2])
    assert alone == ((0.4, 0.2), 700.0, "tag")


def test_a_missing_distance_follows_from_the_magnification(tmp_path):
    by_spacing = spacing_and_distance(tmp_path, DistanceSourceToPatient=None, PixelSpacing=[0.32, 0.32])
    assert by_spacing[1] == pytest.approx(800)
    by_factor = spacing_and_distance(
        tmp_path, DistanceSourceToPatient=0, EstimatedRadiographicMagnificationFactor=1.25
    )
    assert by_factor[1] == pytest.approx(800)


@pytest.mark.parametrize(("tags", "words"), [
    ({"ImagerPixelSpacing": [0.0, 0.4]}, "Imager Pixel Spacing (0018,1164) is 0 mm, it must be positive"),
    ({"ImagerPixelSpacing": [0.4]}, "is not 2 finite numbers"),
    ({"DistanceSourceToDetector": -5}, "is -5 mm, it must be positive"),
    ({"DistanceSourceToPatient": 1100}, "contradict each other"),
    ({"EstimatedRadiographicMagnificationFactor": 1.2}, "the distances of 1000 and 700 mm give 1.429"),
    ({"EstimatedRadiographicMagnificationFactor": 0.7}, "it is at least 1"),
    ({"PixelSpacing": [0.6, 0.6]}, "never larger in the patient"),
    ({"PixelSpacing": [0.2, 0.3]}, "differ in the shape of a pixel"),
    ({"ViewPosition": "AP"}, "View Position (0018,5101) is AP"),
    ({"PositionerPrimaryAngle": 200}, "positioner angles of 200 and 0 degrees cannot be"),
    ({"PatientOrientation": ["A", "F"]}, "does not fit a primary angle of 0"),
    ({"PatientOrientation": ["X", "F"]}, "must be letters of A, P, R, L, H, F"),
    ({"FieldOfViewRotation": 45}, "it must be 0, 90, 180 or 270"),
    ({"Modality": "CT"}, "not a radiograph but an image of modality CT"),
    ({"BodyPartExamined": "CHEST"}, "radiograph of the chest: give one of the pelvis"),
    ({"PhotometricInterpretation": "PALETTE COLOR"}, "in colour"),
])  # fmt: skip
def test_bad_tags_are_one_clear_line(tmp_path, tags, words):
    path = write_radiograph(tmp_path / "xa", with_dark_ball(np.array([90, 80])), **CArm().tags() | tags)
    assert words in refusal(path)


def test_camera_json_replaces_contradicting_tags(tmp_path):
    tags = CArm().tags() | {"DistanceSourceToPatient": 1100}
    path = write_radiograph(tmp_path / "xa", with_dark_ball(np.array([90, 80])), **tags)
    (tmp_path / "camera.json").write_text('{"source_to_detector_mm": 1200, "pixel_spacing_mm": [0.3, 0.3]}')
    geometry = read_radiograph(path, tmp_path / "camera.json").geometry
    assert geometry.source_to_detector_mm.value == 1200
    assert geometry.origins["pixel_spacing_mm"] == "user"


def test_a_colour_picture_and_a_truncated_file_are_refused(tmp_path):
    colour = np.repeat(with_dark_ball(np.array([90, 80])), 3, axis=1)
    path = write_radiograph(
        tmp_path / "rgb",
        colour,
        Columns=DETECTOR[1],
        SamplesPerPixel=3,
        PhotometricInterpretation="RGB",
        PlanarConfiguration=0,
    )
    assert "in colour" in refusal(path)
    path = write_radiograph(tmp_path / "xa", with_dark_ball(np.array([90, 80])))
    path.write_bytes(path.read_bytes()[:-900])
    assert "truncated" in refusal(path)


RAMP = np.tile(np.linspace(200, 3800, 320), (240, 1)).astype(np.uint16)
"""Values grow to the right."""


@pytest.mark.parametrize(("modality", "tags", "absorbs_right"), [
    ("XA", {"PixelIntensityRelationshipSign": 1}, False),
    ("XA", {"PixelIntensityRelationshipSign": -1}, True),
    ("XA", {"PixelIntensityRelationshipSign": 1, "PhotometricInterpretation": "MONOCHROME1"}, False),
    ("XA", {"PixelIntensityRelationshipSign": None}, False),
    ("XA", {"PixelIntensityRelationshipSign": None, "PhotometricInterpretation": "MONOCHROME1"}, True),
    ("DX", {"PixelIntensityRelationshipSign": None, "PixelIntensityRelationship": "LOG"}, True),
    ("CR", {"PixelIntensityRelationshipSign": None, "PhotometricInterpretation": "MONOCHROME1"}, False),
])  # fmt: skip
def test_larger_values_mean_more_attenuation_whatever_the_file_does(tmp_path, modality, tags, absorbs_right):
    pixels = read_radiograph(write_radiograph(tmp_path / "x", RAMP, modality, **tags)).pixels
    assert (pixels[0, -1] > pixels[0, 0]) == absorbs_right


def test_values_linear_in_the_beam_become_line_integrals_and_windows_and_overlays_change_nothing(tmp_path):
    path = write_radiograph(tmp_path / "xa", RAMP, WindowCenter="1000", WindowWidth="100")
    dataset = dcmread(path)
    for element, kind, value in ((0x10, "US", 240), (0x11, "US", 320), (0x40, "CS", "G"), (0x50, "SS", [1, 1]),
                                 (0x100, "US", 1), (0x102, "US", 0), (0x3000, "OB", b"\xff" * 9600)):  # fmt: skip
        dataset.add_new((0x6000, element), kind, value)
    dataset.save_as(path)
    radiograph = read_radiograph(path)
    assert radiograph.scale == "logarithmic"
    np.testing.assert_allclose(radiograph.pixels, np.log(3800 / RAMP.astype(float)), atol=1e-6)
    np.testing.assert_allclose(radiograph.transmission, RAMP / 3800, atol=1e-6)


def test_the_modality_lut_of_a_logarithmic_image_is_applied(tmp_path):
    table = Dataset()
    table.LUTDescriptor, table.ModalityLUTType = [4096, 0, 16], "US"
    table.LUTData = np.rint(60000 * (np.arange(4096) / 4095) ** 2).astype("<u2").tobytes()
    path = write_radiograph(
        tmp_path / "xa", RAMP, PixelIntensityRelationship="LOG", ModalityLUTSequence=[table]
    )
    radiograph = read_radiograph(path)
    assert radiograph.scale == "logarithmic"
    np.testing.assert_allclose(radiograph.pixels, 2 * np.log(3800 / RAMP.astype(float)), atol=0.01)


def test_padding_and_shutters_are_masked(tmp_path):
    image = RAMP.copy()
    image[:10] = 0
    path = write_radiograph(
        tmp_path / "xa",
        image,
        PixelPaddingValue=0,
        ShutterShape="RECTANGULAR",
        ShutterLeftVerticalEdge=21,
        CollimatorShape="CIRCULAR",
        CenterOfCircularCollimator=[120, 160],
        RadiusOfCircularCollimator=150,
    )
    radiograph = read_radiograph(path)
    mask = ~(radiograph.unusable["padding"] | radiograph.unusable["collimator"])
    assert set(radiograph.unusable) >= {"padding", "collimator"}
    assert not mask[5].any() and not mask[120, :20].any() and mask[120, 20]
    assert not mask[235, 30] and mask[119, 300]


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_a_file_that_only_gdcm_decodes_has_the_same_stored_values(tmp_path, photometric):
    path = write_radiograph(
        tmp_path / "xa", RAMP, PhotometricInterpretation=photometric, RescaleSlope="2", RescaleIntercept="5"
    )
    np.testing.assert_array_equal(frames_by_gdcm(dcmread(path))[0], decode(path, 0))


def test_a_header_with_damaged_bytes_is_read_or_refused_in_one_line(tmp_path):
    path = write_radiograph(
        tmp_path / "xa",
        with_dark_ball(np.array([20.0, 20.0]), (40, 40)),
        **CArm().tags(),
        FieldOfViewRotation=90,
        PatientOrientation=["L", "F"],
        RescaleSlope="1",
        RescaleIntercept="0",
        RepresentativeFrameNumber=1,
    )
    whole, random = path.read_bytes(), np.random.default_rng(1)
    header = len(whole) - 2 * 40 * 40
    for _ in range(300):
        damaged = bytearray(whole)
        for place in random.integers(132, header, 3):
            damaged[place] = random.choice(list(b"0 -9.\\X\x00\xff"))
        path.write_bytes(damaged)
        try:
            assert read_radiograph_dicom(path).pixels.ndim == 2
        except InputError as error:
            assert "\n" not in str(error) and "Doe" not in str(error)


@pytest.mark.parametrize("tag", ["Modality", "BodyPartExamined", "PatientOrientation", "ViewPosition"])
def test_a_tag_that_holds_a_name_is_never_quoted(tmp_path, tag):
    values = {
        "Modality": "DOE^JANE",
        "BodyPartExamined": "CHEST DOE^JANE",
        "PatientOrientation": ["DOE^JANE", "F"],
    }
    path = write_radiograph(tmp_path / "xa", RAMP, **{tag: values.get(tag, "DOE^JANE")})
    try:
        assert "DOE" not in str(read_radiograph(path).metadata)
    except InputError as error:
        assert "DOE" not in str(error).upper()

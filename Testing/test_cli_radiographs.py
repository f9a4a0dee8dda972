"""Radiographs on the command line: scale, frame, contrast and mask; bad input is one line or a failed check."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK

from engines.xray_fit.chest import chest
from engines.xray_fit.simulated import N, Simulated, simulate
from imaging.radiographs.radiograph_files import write_radiograph
from mri2mesh import cli
from mri2mesh.export.surfaces import read_surface
from mri2mesh.synthesis.films.single_bone import thickness

FIELD_MM = 600.0
C_ARM = {
    "PositionerPrimaryAngle": 180.0,
    "PositionerSecondaryAngle": 0.0,
    "DistanceSourceToDetector": 1000.0,
    "DistanceSourceToPatient": 800.0,
}
SPACING = {"ImagerPixelSpacing": [FIELD_MM / N, FIELD_MM / N]}


@pytest.fixture(scope="module")
def case() -> Simulated:
    return simulate("femur_left", (180.0,), FIELD_MM, turn_deg=(6.0, -5.0, 12.0))


def write_picture(path: Path, pixels: np.ndarray) -> Path:
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(pixels), str(path))
    return path


def stored(attenuation: np.ndarray) -> np.ndarray:
    return np.rint(60_000 * np.exp(-attenuation)).astype(np.uint16)


def write_landmarks(path: Path, picked: dict[str, tuple[float, float]], spacing: float = 1.0) -> Path:
    points = [
        {"label": name, "position": [column * spacing, row * spacing, 0.0]}
        for name, (column, row) in picked.items()
    ]
    path.write_text(json.dumps({"markups": [{"coordinateSystem": "LPS", "controlPoints": points}]}))
    return path


def reconstruct(*arguments: object) -> int:
    return cli.main(["reconstruct", *map(str, arguments)])


def one_line(capsys: pytest.CaptureFixture[str]) -> str:
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1, lines
    return lines[0]


def refused(capsys: pytest.CaptureFixture[str], out: Path, *arguments: object) -> str:
    assert reconstruct(*arguments, "--out", out) == 2
    assert not out.exists()
    return one_line(capsys)


def finite(folder: Path) -> bool:
    """Whether every surface written there is made of numbers."""
    return all(np.isfinite(read_surface(path).vertices).all() for path in folder.glob("*.vtp"))


def test_frame_contrast_scale_and_mask_are_given_and_listed_in_the_report(case, tmp_path, capsys):
    seen = case.radiographs[0]
    # as a film: bone bright, which the tags do not say; the first frame shows it elsewhere
    shown = np.rint(60_000 * seen.pixels / seen.pixels.max()).astype(np.uint16)
    run = np.stack([np.roll(shown, N // 2, axis=1), shown])
    film = write_radiograph(
        tmp_path / "run",
        run,
        **C_ARM,
        PixelIntensityRelationship=None,
        PixelIntensityRelationshipSign=None,
    )
    mask = thickness(case.model.surface(case.vertices), seen.camera) > 0
    drawn = write_picture(tmp_path / "mask.png", mask.astype(np.uint8))
    (picked,) = case.landmarks()
    at_isocentre = 100 * FIELD_MM / N * 0.8
    status = reconstruct(
        film, "--anatomy", "femur_left", "--out", tmp_path / "out", "--frame", 2, "--bone", "bright",
        "--calibrate", f"length:{at_isocentre}@10,20,110,20", "--mask", drawn,
        "--landmarks", write_landmarks(tmp_path / "picked.mrk.json", picked),
    )  # fmt: skip
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert status == 0, report["checks"]
    (view,) = report["input"]["views"]
    assert report["scale_known"] and "frame 2 of 2" in view["recognised"]
    assert view["geometry"]["pixel_spacing_mm"]["origin"] == "calibrated"
    assert view["geometry"]["pixel_spacing_mm"]["value"] == pytest.approx([FIELD_MM / N] * 2)
    assert f"calibrated (length of {at_isocentre:g} mm, 100.0 pixels" in view["recognised"]
    assert any(check["name"] == "outline" and check["passed"] for check in report["checks"])
    said = capsys.readouterr().err + (tmp_path / "out" / "report.html").read_text()
    assert "cale unknown" not in said and "bone is taken to be" not in said


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--calibrate", "wire:2.5"], "names no marker"),
        (["--calibrate", "wire:2.5@1,2,30,40"], "no dark line"),
        (["--calibrate", "wire:2.5@none.mrk.json"], "cannot be read"),
        (["--calibrate", "sphere:25@60,60,70,60"], "no round edge"),
        (["--calibrate", "intensifier:229"], "no round field"),
        (["--calibrate", "length:0@1,2,30,40"], "must be positive"),
        (["--calibrate", "length:50@1,2,30,40@2000"], "between the source and the detector"),
        (["--calibrate", "-", "--calibrate", "-"], "one --calibrate per image"),
        (["--mask", "none.png"], "mask of the bone cannot be read"),
        (["--mask", "-", "--mask", "-"], "one --mask per image"),
        (["--frame", "3"], "no frame 3"),
        (["--frame", "1", "--frame", "1"], "one --frame for all images, or one per image"),
    ],
)  # fmt: skip
def test_a_wrong_option_is_one_line(case, tmp_path, capsys, options, says):
    film = write_radiograph(tmp_path / "film", stored(case.radiographs[0].pixels), **C_ARM)
    assert says in refused(capsys, tmp_path / "out", film, "--anatomy", "femur_left", *options)


def test_options_of_radiographs_are_refused_for_a_volume(tmp_path, capsys):
    volume = write_picture(tmp_path / "mr.nii.gz", np.random.default_rng(0).random((8, 20, 20)))
    for option, value in (("--calibrate", "intensifier:229"), ("--bone", "dark"), ("--frame", 1)):
        assert f"no use for {option}" in refused(capsys, tmp_path / "out", volume, option, value)


@pytest.mark.parametrize(
    ("tags", "says"),
    [
        ({"ImagerPixelSpacing": [0.0, 0.0]}, "Imager Pixel Spacing (0018,1164)"),
        ({"ImagerPixelSpacing": [-0.3, 0.3]}, "Imager Pixel Spacing (0018,1164)"),
        ({"DistanceSourceToPatient": 1200.0}, "contradict each other"),
        ({"PixelSpacing": [9.0, 9.0]}, "never larger in the patient"),
        ({"BodyPartExamined": "CHEST"}, "radiograph of the chest"),
        ({"DistanceSourceToPatient": 12.0}, "X-ray source"),
    ],
)  # fmt: skip
def test_tags_that_cannot_be_are_one_line(case, tmp_path, capsys, tags, says):
    pixels = stored(case.radiographs[0].pixels)
    film = write_radiograph(tmp_path / "film", pixels, **(C_ARM | SPACING | tags))
    assert says in refused(capsys, tmp_path / "out", film, "--anatomy", "femur_left")


def report_of(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "report.json").read_text())


def test_missing_tags_are_assumed_and_every_length_says_that_the_scale_is_unknown(case, tmp_path, capsys):
    film = write_radiograph(tmp_path / "film", stored(case.radiographs[0].pixels))
    reconstruct(film, "--anatomy", "femur_left", "--out", tmp_path / "out")
    report, said = report_of(tmp_path / "out"), capsys.readouterr().err
    origins = {name: value["origin"] for name, value in report["input"]["views"][0]["geometry"].items()}
    assert {name for name, origin in origins.items() if origin == "tag"} == {"size"}
    assert report["structures"][0]["volume_mm3"] is None
    lengths = [check["detail"] for check in report["checks"] if " mm" in check["detail"]]
    assert lengths and all("scale unknown" in detail for detail in lengths)
    assert "scale unknown" in said and "assumed, not known: the distance from source to detector" in said
    assert "Scale unknown" in (tmp_path / "out" / "report.html").read_text()
    assert finite(tmp_path / "out")


@pytest.mark.parametrize("anatomy", ["femur_left", "L3"])
def test_a_chest_film_without_tags_ends_with_failed_checks(tmp_path, capsys, anatomy):
    film = write_radiograph(tmp_path / "film", stored(chest(192, 400.0)), "DX", **C_ARM)
    assert reconstruct(film, "--anatomy", anatomy, "--out", tmp_path / "out") == 1
    assert "check failed" in capsys.readouterr().err
    assert report_of(tmp_path / "out")["passed"] is False
    assert finite(tmp_path / "out")

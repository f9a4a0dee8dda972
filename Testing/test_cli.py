"""The command line as a contract: exit status 0, 1, 2; one clear line; nothing written for bad input."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import SimpleITK
import torch
from trimesh.creation import icosphere

from mri2mesh import cli, weights
from mri2mesh.anatomy.structures import STRUCTURES
from mri2mesh.atomic import check_writable
from mri2mesh.engines.declaration import Engine
from mri2mesh.engines.stages import Progress
from mri2mesh.errors import InputError, ReconstructionRefused
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.volume import Volume
from mri2mesh.reconstruction import Check, ReconstructedStructure, Reconstruction
from mri2mesh.samples import LUMBAR_T2

HEAVY = {"numpy", "scipy", "torch", "vtk", "vtkmodules", "SimpleITK", "matplotlib", "trimesh", "tqdm"}


@pytest.fixture
def image(tmp_path: Path) -> Path:
    noise = np.random.default_rng(0).normal(100, 20, (12, 30, 30)).astype(np.float32)
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(noise), str(tmp_path / "noise.nii.gz"))
    return tmp_path / "noise.nii.gz"


def one_line(capsys: pytest.CaptureFixture[str]) -> str:
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1, lines
    return lines[0]


def reconstruct(*arguments: object) -> int:
    return cli.main(["reconstruct", *map(str, arguments)])


def test_help_loads_nothing_heavy():
    script = (
        "import sys; from mri2mesh.cli import main\n"
        "try: main(['--help'])\n"
        f"finally: print(sorted({HEAVY!r} & set(sys.modules)), file=sys.stderr)"
    )
    library = {**os.environ, "PYTHONPATH": str(Path(cli.__file__).parents[1])}
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, env=library
    )
    assert done.stderr.strip() == "[]"
    assert all(
        name in done.stdout for name in ("demo", "reconstruct", "evaluate", "train", "weights", "worker")
    )


@pytest.mark.parametrize("command", ["demo", "reconstruct", "evaluate", "train", "weights", "worker"])
def test_every_command_explains_itself(command, capsys):
    with pytest.raises(SystemExit) as stopped:
        cli.main([command, "--help"])
    assert stopped.value.code == 0
    assert f"mri2mesh {command}" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["unknown"],
        ["reconstruct"],
        ["reconstruct", "image.nii"],
        ["reconstruct", "a.nii", "--out", "b", "--level-shift", "one"],
        ["evaluate", "hips", "folder"],
        ["weights"],
        ["weights", "publish"],
    ],
)
def test_wrong_usage_is_one_line_and_status_2(arguments, capsys):
    with pytest.raises(SystemExit) as stopped:
        cli.main(arguments)
    assert stopped.value.code == 2
    assert "--help" in one_line(capsys)


def test_a_missing_image_is_status_2_and_writes_nothing(tmp_path, capsys):
    assert reconstruct(tmp_path / "none.nii.gz", "--out", tmp_path / "out") == 2
    assert "no such file" in one_line(capsys)
    assert not (tmp_path / "out").exists()


def test_what_is_not_an_image_is_status_2_and_writes_nothing(tmp_path, capsys):
    (tmp_path / "text.nii.gz").write_text("not an image")
    assert reconstruct(tmp_path / "text.nii.gz", "--out", tmp_path / "out") == 2
    assert one_line(capsys).startswith("mri2mesh: ")
    assert [path.name for path in tmp_path.iterdir()] == ["text.nii.gz"]


def test_a_truncated_image_is_status_2(tmp_path, capsys):
    (tmp_path / "cut.nii.gz").write_bytes(LUMBAR_T2.read_bytes()[:200_000])
    assert reconstruct(tmp_path / "cut.nii.gz", "--out", tmp_path / "out") == 2
    one_line(capsys)


def test_an_output_folder_inside_a_file_is_status_2(image, tmp_path, capsys):
    (tmp_path / "file").write_text("keep")
    assert reconstruct(image, "--out", tmp_path / "file" / "out") == 2
    assert "a part of that path is a file" in one_line(capsys)
    assert (tmp_path / "file").read_text() == "keep"


def test_an_output_folder_on_a_read_only_file_system_is_status_2(image, capsys):
    if not Path("/proc/self").is_dir():
        pytest.skip("needs /proc, the read-only place every Linux has, even for root")
    assert reconstruct(image, "--out", "/proc/self/out") == 2
    assert "cannot write to /proc/self/out" in one_line(capsys)


@pytest.mark.parametrize(
    ("option", "value", "says"),
    [
        ("--engine", "magic", "no engine"),
        ("--formats", "vtp,docx", "docx"),
        ("--weights", "/nowhere", "weights"),
    ],
)
def test_a_wrong_option_is_status_2_and_writes_nothing(image, tmp_path, capsys, option, value, says):
    assert reconstruct(image, "--out", tmp_path / "out", option, value) == 2
    assert says in one_line(capsys).removeprefix("mri2mesh: ")
    assert not (tmp_path / "out").exists()


def test_two_images_for_an_engine_that_takes_one_are_status_2(image, tmp_path, capsys):
    assert reconstruct(image, image, "--out", tmp_path / "out") == 2
    assert "takes one image" in one_line(capsys)


@pytest.mark.parametrize("command", ["train", "evaluate"])
def test_a_missing_folder_of_data_is_status_2(command, tmp_path, capsys):
    none = str(tmp_path / "none")
    arguments = {
        "train": ["x", "--data", none, "--out", str(tmp_path / "out")],
        "evaluate": ["lumbar-mri", none],
    }
    assert cli.main([command, *arguments[command]]) == 2
    assert "is not a folder" in one_line(capsys)
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_part_lists_what_can_be_trained(tmp_path, capsys):
    assert cli.main(["train", "nothing", "--data", str(tmp_path), "--out", str(tmp_path / "out")]) == 2
    assert "mri2mesh-surfaces" in one_line(capsys)


def test_checking_a_folder_leaves_nothing_behind(tmp_path):
    check_writable(tmp_path / "a" / "b")
    check_writable(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("error", "status", "says"),
    [
        (InputError("first\nsecond"), 2, "first second"),
        (ReconstructionRefused("no spine"), 1, "refused: no spine"),
        (KeyError("/home/me/DOE^JANE"), 1, "KeyError in"),
        (OSError(28, "No space left on device", "/home/me/DOE^JANE"), 2, "No space left on device"),
        (KeyboardInterrupt(), 130, "interrupted"),
    ],
)
def test_every_ending_has_its_status_and_names_no_patient(error, status, says, monkeypatch, capsys):
    def stop(options: object) -> int:
        raise error

    monkeypatch.setattr("mri2mesh.commands.demo.run", stop)
    assert cli.main(["demo"]) == status
    line = one_line(capsys)
    assert says in line
    assert "DOE" not in line


def test_debug_shows_the_traceback(monkeypatch, capsys):
    monkeypatch.setattr("mri2mesh.commands.demo.run", lambda options: 1 // 0)
    assert cli.main(["demo", "--debug"]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_weights_are_imported_listed_verified_and_deleted(tmp_path, capsys):
    weights.save_weights("mine", {"w": torch.ones(3)}, folder=tmp_path, licence="CC0-1.0", origin="a test")
    assert cli.main(["weights", "import", str(tmp_path)]) == 0
    assert cli.main(["weights", "list"]) == 0
    listed = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("mine"))
    assert "imported" in listed
    assert "CC0-1.0; a test" in listed
    assert cli.main(["weights", "verify", "mine"]) == 0
    (weights.user_folder() / "mine.safetensors").write_bytes(b"altered")
    assert cli.main(["weights", "verify", "mine"]) == 1
    assert "refused" in one_line(capsys)
    assert cli.main(["weights", "delete", "mine"]) == 0
    assert cli.main(["weights", "delete", "mine"]) == 2


class BallEngine:
    """A small engine: a ball called L3 in the middle of any image, with or without a failed check."""

    def __init__(self, passed: bool = True, refuses: bool = False) -> None:
        self.passed, self.refuses = passed, refuses

    def reconstruct(self, volume: Volume, *, progress: Progress, **options: object) -> Reconstruction:
        progress("look", 0.5)
        if self.refuses:
            raise ReconstructionRefused("no lumbar spine in this image")
        ball = icosphere(subdivisions=2, radius=5.0)
        middle = volume.ras_from_ijk((np.array(volume.array.shape[::-1]) - 1) / 2)
        mesh = Mesh(ball.vertices + middle, ball.faces)
        ones = np.ones(len(mesh.vertices), np.float32)
        check = Check("field of view", 0.0, 1.0, self.passed, detail="the image cuts L3", structure="L3")
        return Reconstruction("ball", [ReconstructedStructure(STRUCTURES["L3"], mesh, ones, ones)], [check])


@pytest.mark.parametrize(("passed", "status"), [(True, 0), (False, 1)])
def test_results_are_written_whether_checks_pass_or_fail(
    passed, status, image, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(Engine, "load", lambda declared: BallEngine(passed).reconstruct)
    out = tmp_path / "a" / "out"
    assert reconstruct(image, "--out", out, "--formats", "vtp,stl", "--labelmaps") == status
    written = {path.name for path in out.iterdir()}
    assert written >= {"L3.vtp", "L3.stl", "report.json", "report.html", "vertebrae.nii.gz"}
    said = capsys.readouterr()
    assert "L3 written to" in said.out
    assert ("check failed: L3: field of view: the image cuts L3" in said.err) is not passed


def test_a_refusal_is_status_1_with_the_reason_in_the_report(image, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(Engine, "load", lambda declared: BallEngine(refuses=True).reconstruct)
    assert reconstruct(image, "--out", tmp_path / "out", "--labelmaps", "--scene") == 1
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["structures"] == []
    assert report["passed"] is False
    assert report["checks"][0]["detail"] == "no lumbar spine in this image"
    assert not list((tmp_path / "out").glob("*.nii.gz"))
    assert "no lumbar spine in this image" in one_line(capsys)


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """A small grey picture with a bone-like bar in it, and its camera.json."""
    rows, columns = np.mgrid[:48, :48]
    grey = 60 + 120 * (np.abs(columns - 25) < 3) + 0.6 * rows
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(grey.astype(np.uint8)), str(tmp_path / "film.png"))
    camera = {"source_to_detector_mm": 1000, "source_to_isocentre_mm": 800, "pixel_spacing_mm": [12, 12]}
    (tmp_path / "camera.json").write_text(json.dumps(camera))
    return tmp_path / "film.png"


def colour_photograph(folder: Path) -> Path:
    colours = np.random.default_rng(0).integers(0, 255, (96, 96, 3), dtype=np.uint8)
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(colours, isVector=True), str(folder / "photo.png"))
    return folder / "photo.png"


def camera_file(folder: Path, **changes: object) -> Path:
    camera = {"source_to_detector_mm": 1000, "source_to_isocentre_mm": 800, "pixel_spacing_mm": [12, 12]}
    (folder / "other.json").write_text(json.dumps({**camera, **changes}))
    return folder / "other.json"


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ([], "--anatomy pelvis"),
        (["--anatomy", "skull"], "--anatomy must be one of pelvis, femur_left"),
        (["--anatomy", "L3", "--scene"], "has no use for --scene"),
        (["--anatomy", "L3", "--labelmaps"], "has no use for --labelmaps"),
        (["--anatomy", "L3", "--camera", "a.json", "--camera", "b.json"], "one --camera per image"),
        (["--anatomy", "L3", "--camera", "none.json"], "camera file cannot be read"),
        (["--anatomy", "L3", "--landmarks", "none.mrk.json"], "landmarks file cannot be read"),
        (["--anatomy", "L3", "--engine", "mri2mesh"], "has no use for --anatomy"),
    ],
)
def test_a_wrong_request_for_a_radiograph_is_status_2(film, tmp_path, capsys, options, says):
    assert reconstruct(film, "--out", tmp_path / "out", *options) == 2
    assert says in one_line(capsys)
    assert not (tmp_path / "out").exists()


def test_what_is_wrong_with_an_image_is_said_before_what_does_not_go_with_it(film, tmp_path, capsys):
    damaged = tmp_path / "damaged.dcm"
    damaged.write_text("hello")
    for images, says in (
        ([tmp_path / "none.dcm"], "mri2mesh: no such file or folder"),
        ([film, tmp_path / "none.dcm"], "image 2: no such file or folder"),
        ([film, damaged], "image 2: the file is not a radiograph"),
        (
            [damaged],
            "for a volume such as an MRI, has no use for --anatomy: leave it out, or check the image",
        ),
    ):
        assert reconstruct(*images, "--anatomy", "L3", "--out", tmp_path / "out") == 2
        assert says in one_line(capsys)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"pixel_spacing_mm": [0, 0]}, "pixel_spacing_mm"),
        ({"source_to_isocentre_mm": 1200}, "isocentre lies between"),
        ({"source_to_isocentre_mm": 10}, "X-ray source"),
        ({"size": [64, 64]}, "give the camera file of this image"),
    ],
)
def test_geometry_that_cannot_be_is_status_2(film, tmp_path, capsys, changes, says):
    camera = camera_file(tmp_path, **changes)
    assert reconstruct(film, "--anatomy", "femur_left", "--camera", camera, "--out", tmp_path / "out") == 2
    assert says in one_line(capsys)
    assert not (tmp_path / "out").exists()


def test_a_colour_photograph_is_status_2(tmp_path, capsys):
    assert reconstruct(colour_photograph(tmp_path), "--anatomy", "L3", "--out", tmp_path / "out") == 2
    assert "colour" in one_line(capsys)
    assert not (tmp_path / "out").exists()


def test_a_radiograph_of_unknown_scale_is_fitted_and_marked(film, tmp_path, capsys):
    """A bar is no femur: whatever the status, surfaces are finite, and the report says what is not known."""
    status = reconstruct(film, "--anatomy", "femur_left", "--out", tmp_path / "out")
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert status == (0 if report["passed"] else 1)
    assert report["engine"] == "xray-fit"
    assert report["scale_known"] is False
    assert any("scale unknown" in warning for warning in report["warnings"])
    assert report["input"]["views"][0]["geometry"]["pixel_spacing_mm"]["origin"] == "default"
    assert "Scale unknown" in (tmp_path / "out" / "report.html").read_text()
    written = {path.name for path in (tmp_path / "out").iterdir()}
    assert written >= {"femur_left.vtp", "overlay_1.png", "report.json", "report.html"}
    assert "scale unknown" in capsys.readouterr().err

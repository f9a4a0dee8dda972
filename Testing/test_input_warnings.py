"""What a reader found reaches the terminal, both reports and the worker; what cannot be done is said before."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from html import unescape
from pathlib import Path

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk
from trimesh.creation import icosphere

from imaging.dicom_files import write_series
from mri2mesh import cli
from mri2mesh.anatomy.structures import STRUCTURES
from mri2mesh.engines.declaration import Engine
from mri2mesh.errors import InputError, ReconstructionRefused
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.volume import Volume
from mri2mesh.reconstruction import ReconstructedStructure, Reconstruction
from mri2mesh.request import Request
from mri2mesh.run import run
from mri2mesh.worker.jobs import describe
from mri2mesh.worker.requests import reconstruction_of

ARRAY = np.random.default_rng(0).integers(50, 200, (12, 30, 30)).astype(np.uint16)


class BallEngine:
    """A ball called L3 in the middle of any volume, or a refusal."""

    def __init__(self) -> None:
        self.ran, self.refuses = 0, False

    def reconstruct(self, volume: Volume, **options: object) -> Reconstruction:
        self.ran += 1
        if self.refuses:
            raise ReconstructionRefused("no spine")
        ball = icosphere(subdivisions=2, radius=5.0)
        middle = volume.ras_from_ijk((np.array(volume.array.shape[::-1]) - 1) / 2)
        ones = np.ones(len(ball.vertices), np.float32)
        mesh = Mesh(ball.vertices + middle, ball.faces)
        return Reconstruction("ball", [ReconstructedStructure(STRUCTURES["L3"], mesh, ones, ones)])


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> BallEngine:
    ball = BallEngine()
    monkeypatch.setattr(Engine, "load", lambda declared: ball.reconstruct)
    return ball


@pytest.fixture
def unoriented(tmp_path: Path) -> Path:
    image = nibabel.Nifti1Image(ARRAY.T.astype(np.int16), np.eye(4))
    image.set_sform(np.eye(4), 0)
    image.set_qform(np.eye(4), 0)
    nibabel.save(image, tmp_path / "image.nii.gz")
    return tmp_path / "image.nii.gz"


def test_a_warning_of_the_reader_is_in_the_terminal_and_in_both_reports(engine, unoriented, tmp_path, capsys):
    assert cli.main(["reconstruct", str(unoriented), "--out", str(tmp_path / "out")]) == 0
    words = "does not record how the image lies in the patient"
    assert words in capsys.readouterr().err
    (warning,) = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))["warnings"]
    assert words in warning
    assert warning in unescape((tmp_path / "out" / "report.html").read_text(encoding="utf-8"))


@pytest.mark.parametrize("modality", ["CT", "PT", "US"])
def test_another_modality_is_said_at_once_and_even_where_nothing_is_found(engine, tmp_path, modality):
    write_series(tmp_path / "series", ARRAY, np.diag([1.0, 1.0, 4.0, 1.0]), Modality=modality)
    engine.refuses = True
    at_once: list[str] = []
    result = run(Request((tmp_path / "series",), tmp_path / "out"), warn=at_once.append)
    assert not result.structures and "made for MR" in at_once[0] and at_once == result.warnings
    assert json.loads((tmp_path / "out" / "report.json").read_text())["warnings"] == at_once


def tilted(folder: Path) -> Path:
    """A series whose slices are shifted against each other, as under a tilted gantry."""
    matrix = np.diag([1.0, 1.0, 4.0, 1.0])
    matrix[1, 2] = 1.2
    write_series(folder, ARRAY, matrix)
    return folder


@pytest.mark.parametrize("wish", ["labelmaps", "scene"])
def test_a_sheared_grid_with_label_maps_or_a_scene_is_refused_before_the_work(engine, tmp_path, wish):
    if wish == "scene":
        pytest.importorskip("slicer_core")
    with pytest.raises(InputError, match=r"tilted gantry.*leave out --labelmaps and --scene"):
        run(Request((tilted(tmp_path / "series"),), tmp_path / "out", options={wish: True}))
    assert engine.ran == 0 and not (tmp_path / "out").exists()


def test_a_sheared_nrrd_with_label_maps_is_refused_before_the_work(engine, tmp_path):
    sitk.WriteImage(sitk.GetImageFromArray(ARRAY), str(tmp_path / "a.nrrd"))
    data = (tmp_path / "a.nrrd").read_bytes()
    (tmp_path / "a.nrrd").write_bytes(data.replace(b"(0,0,1)", b"(0,0.3,1)", 1))
    with pytest.raises(InputError, match="tilted gantry"):
        run(Request((tmp_path / "a.nrrd",), tmp_path / "out", options={"labelmaps": True}))
    assert engine.ran == 0


def test_a_sheared_grid_without_them_is_reconstructed(engine, tmp_path):
    assert run(Request((tilted(tmp_path / "series"),), tmp_path / "out")).structures


def test_a_folder_for_results_that_compiled_code_cannot_write_to_is_refused(engine, unoriented, tmp_path):
    for name in (os.fsdecode(b"J\xf6rg"), "a\0b"):
        with pytest.raises(InputError, match="the folder for results"):
            run(Request((unoriented,), tmp_path / name))
    assert engine.ran == 0


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "utf-8"])
def test_a_console_that_cannot_show_the_folder_does_not_fail_a_run(
    engine, unoriented, tmp_path, encoding, monkeypatch
):
    for name in ("stdout", "stderr"):
        monkeypatch.setattr(sys, name, io.TextIOWrapper(io.BytesIO(), encoding=encoding))
    out = tmp_path / "病人"
    assert cli.main(["reconstruct", str(unoriented), "--out", str(out)]) == 0
    sys.stdout.flush()
    shown = sys.stdout.buffer.getvalue().decode(encoding)
    assert "L3 written to" in shown and ("病人" in shown) == (encoding == "utf-8")
    assert (out / "report.json").exists()


def test_a_name_that_is_not_utf8_ends_in_one_line_and_not_in_a_crash(tmp_path):
    """In a process of its own: a crash of compiled code would end this one."""
    if sys.platform == "win32":
        pytest.skip("names are Unicode on Windows")
    path = os.path.join(os.fsencode(tmp_path), b"J\xf6rg.mhd")
    image = sitk.GetImageFromArray(ARRAY)
    sitk.WriteImage(image, str(tmp_path / "image.mhd"))
    listed = (tmp_path / "image.mhd").read_bytes().replace(b"image.raw", b"slice%d.raw 0 11 1")
    (tmp_path / "image.mhd").write_bytes(listed)
    try:
        os.rename(tmp_path / "image.mhd", path)
    except OSError:
        pytest.skip("this file system takes names in UTF-8 only")
    command = [sys.executable, "-m", "mri2mesh", "reconstruct", path, "--out", str(tmp_path / "out")]
    environment = {**os.environ, "PYTHONPATH": str(Path(cli.__file__).parents[1])}
    done = subprocess.run(command, capture_output=True, env=environment)
    assert done.returncode == 2, done.stderr
    assert b"not UTF-8: rename" in done.stderr and done.stderr.count(b"\n") == 1


class Listener:
    """Stands for the worker's side of a job."""

    model_cache = None

    def progress(self, stage: str, fraction: float) -> None:
        pass


def test_the_worker_says_what_a_reader_found_when_it_is_asked_what_an_image_is(unoriented):
    done = describe({"inputs": [str(unoriented)]}, Listener())  # type: ignore[arg-type]
    (found,) = done["inputs"]
    assert found["kind"] == "volume" and "does not record how the image lies" in found["warnings"][0]


def test_a_request_with_a_zero_byte_in_a_path_is_one_line(tmp_path):
    with pytest.raises(InputError, match="must be a path"):
        reconstruction_of({"inputs": ["a\0b"], "out": str(tmp_path / "out")})
    with pytest.raises(InputError, match="no such file"):
        run(Request((tmp_path / "a\0b",), tmp_path / "out"))

"""A run's folder read back: all that its report says, and its surfaces in RAS."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from mri2mesh.errors import InputError
from mri2mesh.geometry.vtk_bridge import from_polydata
from mri2mesh_slicer.runs.results import RunResult, read_run
from scene.made_runs import MOVE, SPINE, structure


def test_surfaces_are_in_ras_with_their_arrays(spine: RunResult) -> None:
    made = structure("T12", (20.0, -30.0, 60.0))
    read = from_polydata(spine.surfaces["T12"])
    np.testing.assert_array_equal(read.vertices, made.mesh.vertices)
    np.testing.assert_array_equal(read.faces, made.mesh.faces)
    np.testing.assert_array_equal(read.point_data["uncertainty_mm"], made.uncertainty_mm)
    np.testing.assert_array_equal(read.point_data["support"], made.support)


def test_structures_checks_and_warnings_are_those_of_the_report(spine: RunResult) -> None:
    report = spine.report
    assert [one.name for one in report.structures] == list(SPINE)
    assert report.structures[0].structure.code == "23215003" and report.structures[0].watertight
    assert report.structures[0].volume_mm3 == pytest.approx(report.structures[2].volume_mm3)
    assert [check.passed for check in report.checks_of("T12-L1")] == [False]
    assert [check.name for check in report.run_checks] == ["levels in order"]
    assert not report.passed and report.warnings == ("the sacrum was not found in the image",)
    assert report.scale_known and report.views == ()


def test_radiographs_come_with_their_geometry_and_where_each_shows_the_surfaces(femur: RunResult) -> None:
    first, second = femur.report.views
    np.testing.assert_array_equal(first.surface_to_view, MOVE)
    np.testing.assert_array_equal(second.surface_to_view, np.eye(4))
    assert (first.agreement, second.agreement) == (0.93, 0.9)
    assert (
        second.geometry.primary_angle_deg.value == 90 and second.geometry.primary_angle_deg.origin == "user"
    )
    assert second.geometry.camera().size == (48, 40)
    assert not femur.report.scale_known
    assert "uncertainty_along_beam_mm" in from_polydata(femur.surfaces["femur_left"]).point_data
    assert [check.structure for check in femur.report.run_checks] == ["image 1"]


def test_a_folder_without_report_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no report\.json"):
        read_run(tmp_path)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"engine": 3, "structures": [{}]}'])
def test_another_report_is_refused_in_one_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "report.json").write_text(text)
    with pytest.raises(InputError, match="run the reconstruction again"):
        read_run(tmp_path)


@pytest.mark.parametrize("damage", ["missing", "truncated"])
def test_a_surface_that_is_missing_or_damaged_is_named(
    spine_folder: Path, tmp_path: Path, damage: str
) -> None:
    folder = shutil.copytree(spine_folder, tmp_path / "run")
    file = folder / "L1.vtp"
    content = file.read_bytes()
    file.unlink()
    if damage == "truncated":
        file.write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError, match="the surface of L1 is missing or damaged"):
        read_run(folder)


def test_only_files_of_the_folder_itself_are_read(spine_folder: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(spine_folder, tmp_path / "run")
    report = json.loads((folder / "report.json").read_text())
    report["structures"][0]["files"] = ["../../elsewhere/T12.vtp"]
    (folder / "report.json").write_text(json.dumps(report))
    assert "T12" in read_run(folder).surfaces

"""Exported surfaces are where the models appear, in every format, all of them or none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mri2mesh.errors import InputError
from mri2mesh.export.surfaces import FORMATS, read_surface
from mri2mesh.geometry.checks import volume_mm3
from mri2mesh.geometry.transforms import rotation_about, translation
from mri2mesh.geometry.vtk_bridge import from_polydata
from mri2mesh_slicer.export.surfaces import coordinates_of, export_run
from mri2mesh_slicer.runs.level_shift import shift_levels
from mri2mesh_slicer.runs.results import RunResult
from mri2mesh_slicer.runs.runs import RunNodes
from mri2mesh_slicer.runs.scene_building import add_run
from scene.nodes import linear_transform, volume_node


@pytest.fixture
def run(scene: Any, spine: RunResult) -> RunNodes:
    return add_run(scene, spine, [volume_node(scene, np.zeros((4, 5, 6)))], name="run")


def put_under(run: RunNodes, matrix: np.ndarray) -> None:
    transform = linear_transform(run.scene, matrix)
    for model in run.models:
        model.SetAndObserveTransformNodeID(transform.GetID())


@pytest.mark.parametrize("extension", FORMATS)
def test_a_surface_is_read_back_in_place_and_outward(
    run: RunNodes, spine: RunResult, tmp_path: Path, extension: str
) -> None:
    paths = export_run(run, tmp_path / "out", [extension])
    assert sorted(path.name for path in paths) == sorted(f"{name}.{extension}" for name in spine.surfaces)
    read, made = read_surface(tmp_path / "out" / f"L1.{extension}"), from_polydata(spine.surfaces["L1"])
    np.testing.assert_allclose(
        sorted(read.vertices.tolist())[0], sorted(made.vertices.tolist())[0], atol=1e-3
    )
    assert volume_mm3(read) == pytest.approx(volume_mm3(made), rel=1e-3)


@pytest.mark.parametrize("mirrored", [False, True])
def test_parent_transforms_are_applied(
    run: RunNodes, spine: RunResult, tmp_path: Path, mirrored: bool
) -> None:
    matrix = translation((5, 6, 7)) @ rotation_about((1, 2, 3), 40)
    if mirrored:
        matrix = matrix @ np.diag([-1.0, 1, 1, 1])
    put_under(run, matrix)
    (path,) = export_run(run, tmp_path, ["vtp"], ["L1"])
    read, made = read_surface(path), from_polydata(spine.surfaces["L1"])
    np.testing.assert_allclose(read.vertices, made.vertices @ matrix[:3, :3].T + matrix[:3, 3], atol=1e-3)
    assert volume_mm3(read) == pytest.approx(volume_mm3(made), rel=1e-4)
    assert set(read.point_data) == set(made.point_data) - {"Normals"}


def test_files_have_the_names_of_after_a_shift(run: RunNodes, tmp_path: Path) -> None:
    shift_levels(run, -1)
    names = {path.name for path in export_run(run, tmp_path, ["stl", "ply"])}
    assert names == {f"{name}.{end}" for name in ("L1", "L1-L2", "L2") for end in ("stl", "ply")}


def test_coordinates_and_units_are_stated(scene: Any, run: RunNodes, femur: RunResult) -> None:
    assert coordinates_of(run) == "LPS, millimetres, world coordinates"
    unscaled = add_run(scene, femur, [volume_node(scene, np.zeros((1, 48, 40)))], name="run")
    assert "scale unknown" in coordinates_of(unscaled)


def test_a_wrong_request_writes_nothing(run: RunNodes, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("here")
    for folder, formats, names, words in (
        (tmp_path / "a", ["docx"], None, "choose a format"),
        (tmp_path / "a", [], None, "choose a format"),
        (tmp_path / "a", ["stl"], ["L9"], "L9 is no longer in the scene"),
        (tmp_path / "a", ["stl"], [], "no models"),
        (file, ["stl"], None, "choose a folder"),
        (file / "below", ["stl"], None, "choose a folder"),
    ):
        with pytest.raises(InputError, match=words):
            export_run(run, folder, formats, names)
    assert [path.name for path in tmp_path.iterdir() if path.name != "cache"] == ["file"]

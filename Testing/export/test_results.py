"""The result folder gets everything or nothing."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mri2mesh.errors import InputError
from mri2mesh.export.results import check_request, write_results
from mri2mesh.export.surfaces import read_surface
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.volume import Volume
from mri2mesh.reconstruction import Reconstruction


@pytest.fixture(scope="module")
def two(spine: Reconstruction) -> Reconstruction:
    return replace(spine, structures=spine.structures[4:6])


def test_the_folder_holds_what_was_asked_for(
    two: Reconstruction, oblique_image: Volume, tmp_path: Path
) -> None:
    out = tmp_path / "new" / "results"
    paths = write_results(two, oblique_image, out, formats=("stl", "vtp"), labelmaps=True)
    expected = (
        "L3.vtp L3.stl L3-L4.vtp L3-L4.stl report.json measures.csv report.html contours.png view_3d.png"
    )
    expected += " measures.png vertebrae.nii.gz vertebral_bodies.nii.gz discs.nii.gz"
    assert {path.name for path in paths} == set(expected.split()) == set(os.listdir(out))
    assert all(path.parent == out and path.stat().st_size for path in paths)
    report = json.loads((out / "report.json").read_text("utf-8"))
    assert report["structures"][0]["files"] == ["L3.vtp", "L3.stl"]
    arrays = read_surface(out / "L3.vtp").point_data
    np.testing.assert_array_equal(arrays["support"], two["L3"].support)
    assert (out / "report.html").read_text("utf-8").count("data:image/png;base64,") == 3


def test_the_scene_is_written_when_asked_for(
    two: Reconstruction, oblique_image: Volume, tmp_path: Path
) -> None:
    pytest.importorskip("slicer_core", reason="needs slicer-core: pip install slicer-core")
    assert tmp_path / "scene.mrb" in write_results(two, oblique_image, tmp_path, scene=True)


def test_files_of_the_same_name_are_replaced_and_others_left(
    two: Reconstruction, oblique_image: Volume, tmp_path: Path
) -> None:
    (tmp_path / "report.json").write_text("old")
    (tmp_path / "notes.txt").write_text("mine")
    write_results(two, oblique_image, tmp_path)
    assert (tmp_path / "notes.txt").read_text() == "mine"
    assert json.loads((tmp_path / "report.json").read_text("utf-8"))["engine"] == "mri2mesh"


def test_a_failure_leaves_the_folder_as_it_was(
    two: Reconstruction, oblique_image: Volume, tmp_path: Path
) -> None:
    empty = replace(two.structures[1], mesh=Mesh(np.zeros((0, 3)), np.zeros((0, 3), int)))
    bad = replace(
        two, structures=[two.structures[0], replace(empty, uncertainty_mm=np.zeros(0), support=np.zeros(0))]
    )
    (tmp_path / "L3.vtp").write_text("old")
    with pytest.raises(InputError, match="no faces"):
        write_results(bad, oblique_image, tmp_path)
    with pytest.raises(InputError, match="no faces"):
        write_results(bad, oblique_image, tmp_path / "new")
    assert os.listdir(tmp_path) == ["L3.vtp"] and (tmp_path / "L3.vtp").read_text() == "old"


def test_bad_requests_are_refused_before_anything_is_written(
    two: Reconstruction, oblique_image: Volume, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="unknown surface format 'inp'"):
        write_results(two, oblique_image, tmp_path / "out", formats=("vtp", "inp"))
    with pytest.raises(InputError, match="is a file"):
        write_results(two, oblique_image, tmp_path / "file")
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.skipif(
    not Path("/proc/self").is_dir(), reason="needs a folder nobody may write to: /proc, on Linux"
)
def test_an_unwritable_folder_is_refused_even_to_root() -> None:
    with pytest.raises(InputError, match="cannot write to"):
        check_request("/proc/self/results")

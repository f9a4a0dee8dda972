"""A shape model from a folder of surfaces and label maps of one bone."""

from __future__ import annotations

import json

import numpy as np
import pytest

from engines.segmentation.painted import label_map
from mri2mesh import cli
from mri2mesh.anatomy.shape_models.file import read_shape_model
from mri2mesh.export.surfaces import write_surface
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.remeshing import decimate
from mri2mesh.geometry.transforms import apply, rotation_about
from mri2mesh.imaging.volumes.writing import write_volume
from mri2mesh.shape_building.build import FAR_MM


@pytest.fixture
def folder(tmp_path):
    """Four members of the shipped L2 that differ in one way alone: three surfaces of other triangles, turned away and
    in LPS as files are, and one label map."""
    model = read_shape_model("L2")
    where = tmp_path / "subjects"
    where.mkdir()
    for number, amount in enumerate((-1.5, -0.5, 0.5, 1.5)):
        mesh = Mesh(model.vertices([amount]), model.faces)
        if number == 3:
            write_volume(label_map({21: mesh}), where / "3.nii.gz")
        else:
            turned = apply(rotation_about([1, 0, 0], 12.0 * number), mesh.vertices)
            write_surface(decimate(mesh.with_vertices(turned), 4000), where / f"{number}.stl")
    return where


def test_it_finds_the_one_way_in_which_they_differ_and_a_fit_reads_it(folder, tmp_path, capsys, monkeypatch):
    out = tmp_path / "own"
    assert cli.main(["build-shape-model", str(folder), "--bone", "L2", "--out", str(out)]) == 0
    assert "L2: 4 subjects, 3 modes" in capsys.readouterr().out
    report = json.loads((out / "shape_model_report.json").read_text())
    assert max(report["correspondence_mm"].values()) < 0.3 < FAR_MM
    assert report["compactness"][0] > 0.75
    projected, mean = report["generalisation"].values()
    assert projected["assd_mm"] < 0.7 * mean["assd_mm"]
    monkeypatch.setenv("MRI2MESH_WEIGHTS", str(out))
    own, shipped = read_shape_model("L2"), _shipped(monkeypatch)
    assert own.part_names == ("L2",) and set(own.landmarks) == set(shipped.landmarks)
    assert np.linalg.norm(own.mean - shipped.mean, axis=1).mean() < 1.0
    along = (own.modes[0] * shipped.modes[0]).sum()
    assert abs(along) > 0.9


def _shipped(monkeypatch):
    monkeypatch.delenv("MRI2MESH_WEIGHTS")
    return read_shape_model("L2")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--bone", "skull"], "--bone skull: there is no template of it"),
        (["--bone", "L2"], "a shape model needs at least 4 subjects"),
        (["--bone", "L2", "--numbering", "mine"], "--numbering must be one of verse"),
    ],
)
def test_what_it_cannot_use_is_one_line(arguments, message, tmp_path, capsys):
    assert cli.main(["build-shape-model", str(tmp_path), "--out", str(tmp_path / "out"), *arguments]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line

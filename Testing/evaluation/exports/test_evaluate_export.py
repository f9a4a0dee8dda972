"""Exports of a result are read back by other libraries, and a file that is not as it should be is found."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from mri2mesh.cli import main
from mri2mesh.evaluation.exports.reading import read_back
from mri2mesh.export.exporting.request import SURFACE_FORMATS, VOLUME_FORMATS, ExportRequest
from mri2mesh.export.exporting.run import export
from mri2mesh.export.surfaces import read_surface
from mri2mesh.geometry.checks import volume_mm3
from scene.made_runs import spine_run

pytest.importorskip("netgen", reason='needs netgen: pip install "mri2mesh[finite-elements]"')
pytest.importorskip("meshio", reason="needs meshio: pip install meshio")


def test_every_format_comes_back_in_place_of_the_right_hand_and_with_its_names(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = spine_run(tmp_path / "run")
    status = main(["evaluate", "export", str(run), "--out", str(tmp_path / "out"), "--edge-length", "2"])
    with (tmp_path / "out" / "round_trips.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert status == 0, capsys.readouterr().out
    assert {row["format"] for row in rows} == {*SURFACE_FORMATS, *VOLUME_FORMATS}
    assert {row["structure"] for row in rows} == {"T12"} and len(rows) == 2 * len(SURFACE_FORMATS) + 4
    assert max(float(row["largest_mm"]) for row in rows) < 1e-3
    assert all(row["right_hand"] == row["names"] == "True" for row in rows)
    assert "0 not as they should be" in capsys.readouterr().out


def test_a_surface_that_is_mirrored_or_elsewhere_is_seen_when_read_back(tmp_path: Path) -> None:
    run = spine_run(tmp_path / "run")
    export(ExportRequest(run, ("stl",), tmp_path / "out", ("L1",), space="RAS"))
    back, mesh = read_back(tmp_path / "out" / "L1.stl"), read_surface(run / "L1.vtp")
    assert back.volume_mm3 == pytest.approx(volume_mm3(mesh), rel=1e-4)
    text = (tmp_path / "out" / "L1.stl").read_bytes()
    points = np.frombuffer(text[84:], np.dtype([("p", "<f4", (4, 3)), ("n", "<u2")]))["p"].copy()
    points[..., 0] *= -1
    records = np.zeros(len(points), np.dtype([("p", "<f4", (4, 3)), ("n", "<u2")]))
    records["p"] = points
    (tmp_path / "out" / "L1.stl").write_bytes(text[:84] + records.tobytes())
    assert read_back(tmp_path / "out" / "L1.stl").volume_mm3 == pytest.approx(-volume_mm3(mesh), rel=1e-4)

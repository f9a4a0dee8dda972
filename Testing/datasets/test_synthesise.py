"""``mri2mesh synthesise revert``: data that the reader takes, a run that goes on, wrong requests in one line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mri2mesh.cli import main
from mri2mesh.datasets.revert import read_revert
from mri2mesh.export.surfaces import read_surface
from mri2mesh.imaging.radiographs.reading import read_radiograph


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("data")
    arguments = ["--views", "2", "--films", "1", "--levels", "L3", "--pixels", "64", "--truth"]
    assert main(["synthesise", "revert", "--out", str(out), *arguments]) == 0
    return out


def test_masks_lie_where_the_cameras_put_the_surface(folder: Path):
    (case,) = read_revert(folder)
    points = case.points(np.random.default_rng(0))
    for number in range(2):
        with np.load(folder / "Truth" / str(case.id) / f"{number:02d}.truth.npz") as truth:
            (name,), mask, depth = truth["bones"], truth["mask"][0], truth["depth_mm"][0]
        assert name == "L3"
        geometry = case.geometry(number)
        assert geometry is not None
        camera = geometry.camera()
        column, row = (camera.project(points) / 2).round().astype(int).clip(0, 31).T
        assert mask[row, column].mean() > 0.8
        along = (points - camera.source_ras_mm) @ camera.axes_ras[2]
        inside = mask[row, column]  # pixels of the truth are 4 mm wide here, and the surface may be steep
        assert np.mean(along[inside] > depth[0][row, column][inside] - 8.0) > 0.9
        assert np.mean(along[inside] < depth[1][row, column][inside] + 8.0) > 0.9


def test_films_are_read_as_any_other_radiograph(folder: Path):
    (film,) = folder.glob("Films/*/00.png")
    radiograph = read_radiograph(film, film.with_name("00.camera.json"))
    assert radiograph.scale_known
    places = radiograph.camera.project(read_surface(film.with_name("L3.stl")).vertices)
    assert ((places > -10) & (places < 74)).all()


def test_a_run_that_was_stopped_goes_on(folder: Path, capsys):
    before = {path: path.stat().st_mtime_ns for path in folder.glob("DRR/*/rendering/*.png")}
    assert main(["synthesise", "revert", "--out", str(folder), "--levels", "L3", "--pixels", "64"]) == 0
    assert {path: path.stat().st_mtime_ns for path in folder.glob("DRR/*/rendering/*.png")} == before
    assert "synthetic" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["films"], "what can be made is revert"),
        (["revert", "--levels", "L3,C2"], "no vertebra 'C2'"),
        (["revert", "--pixels", "100"], "multiple of 8"),
        (["revert", "--layout", "mine"], "no layout 'mine'"),
        (["revert", "--views", "0"], "give --views or --films"),
        (["revert", "--people", "0"], "one person at least"),
    ],
)
def test_wrong_requests_are_refused_before_anything_is_made(
    tmp_path: Path, capsys, arguments: list[str], what: str
):
    out = tmp_path / "data"
    assert main(["synthesise", *arguments, "--out", str(out)]) == 2
    error = capsys.readouterr().err
    assert what in error and error.count("\n") == 1
    assert not out.exists()

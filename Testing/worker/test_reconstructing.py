"""The worker does what the command line does, with the real engines and weights."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from mri2mesh import cli
from mri2mesh.export.surfaces import read_surface

SAME_MM = 0.02
SAME_SHARE = 2e-3
"""Two processes add up the same numbers in another order: convolutions on several threads differ in the last bits, and
the steps after them, which push neighbours apart, make micrometres of that."""


LEVEL = "L1@15.1,-47.1,-426.4"
"""Of the part of the sample: the conus lies beside this body."""


@pytest.fixture(scope="module")
def spine(worker, three_levels, tmp_path_factory) -> tuple[Path, list[dict]]:
    """The result of an MRI in the worker, and its events."""
    out = tmp_path_factory.mktemp("Ergebnis ☃") / "new" / "out"
    request = {"command": "reconstruct", "inputs": [str(three_levels)], "out": str(out)}
    options = {"formats": ["vtp", "stl"], "device": "cpu", "level": LEVEL}
    return out, worker.ask({**request, "options": options})


@pytest.fixture(scope="module")
def fitted(worker, fit, tmp_path_factory) -> tuple[Path, list[dict]]:
    """The result of a fit in the worker, with live surfaces, and its events."""
    out = tmp_path_factory.mktemp("fit") / "out"
    surfaces = []

    def look(event: dict) -> None:
        if event["event"] == "surface":
            surfaces.append(read_surface(event["files"]["L3"]))

    events = worker.ask({**fit, "out": str(out), "options": {**fit["options"], "live": True}}, look)
    assert surfaces
    assert len({len(mesh.faces) for mesh in surfaces}) == 1
    return out, events


def report_of(folder: Path) -> dict:
    return json.loads((folder / "report.json").read_text("utf-8"))


def numbers_apart(report: dict) -> tuple[str, list[float]]:
    """A report's text with every measured number taken out, and these numbers, without what the clock says.

    Where a measure is drawn may jump with the last digits of a vertex, as between two places that are as near.
    """
    numbers: list[float] = []

    def take(number: str) -> str:
        numbers.append(float(number))
        return "measured"

    drawn = [{**row, "lines_lps_mm": len(row["lines_lps_mm"])} for row in report["measures"]]
    plain = {**report, "measures": drawn, "made": "", "timings_s": sorted(report["timings_s"])}
    return json.dumps(json.loads(json.dumps(plain), parse_float=take)), numbers


def test_the_folder_is_the_one_that_the_command_line_fills(spine, three_levels, tmp_path):
    by_worker, events = spine
    arguments = [
        "reconstruct",
        str(three_levels),
        "--device",
        "cpu",
        "--formats",
        "vtp,stl",
        "--level",
        LEVEL,
    ]
    status = cli.main([*arguments, "--out", str(tmp_path / "out")])
    assert events[-1]["status"] == status
    names = {path.name for path in by_worker.iterdir()}
    assert names == {path.name for path in (tmp_path / "out").iterdir()}
    assert names >= {
        "L1.vtp",
        "L1.stl",
        "T12-L1.vtp",
        "T12.vtp",
        "report.json",
        "report.html",
        "contours.png",
    }
    for name in (name for name in names if name.endswith((".vtp", ".stl"))):
        ours, theirs = (read_surface(folder / name) for folder in (by_worker, tmp_path / "out"))
        assert np.array_equal(ours.faces, theirs.faces), name
        assert np.allclose(ours.vertices, theirs.vertices, rtol=0, atol=SAME_MM), name
    worker, direct = (numbers_apart(report_of(folder)) for folder in (by_worker, tmp_path / "out"))
    assert worker[0] == direct[0]
    assert np.allclose(worker[1], direct[1], rtol=SAME_SHARE, atol=SAME_MM)


@pytest.mark.parametrize("which", ["spine", "fitted"])
def test_progress_begins_at_once_never_goes_back_and_ends_with_the_place_of_the_result(which, request):
    out, events = request.getfixturevalue(which)
    progress = [event for event in events if event["event"] == "progress"]
    assert events[0] == progress[0]
    assert progress[0]["stage"] == "load the program"
    fractions = [event["fraction"] for event in progress]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    end = {"event": "done", "out": str(out), "report": str(out / "report.json")}
    assert end.items() <= events[-1].items()


def test_live_surfaces_come_with_the_fraction_done_and_old_ones_go(fitted):
    surfaces = [event for event in fitted[1] if event["event"] == "surface"]
    fractions = [event["fraction"] for event in surfaces]
    assert fractions == sorted(fractions)
    assert [Path(event["files"]["L3"]).exists() for event in surfaces] == [False] * (len(surfaces) - 1) + [
        True
    ]


def test_live_surfaces_come_with_how_each_radiograph_sees_them(fitted):
    """By the geometry that the report gives; the corrections go to where the report's are."""
    views = [event["views"] for event in fitted[1] if event["event"] == "surface"]
    (reported,) = report_of(fitted[0])["input"]["views"]
    assert all(seen["geometry"] == reported["geometry"] for (seen,) in views)
    moves = np.array([seen["surface_to_view"] for (seen,) in views])
    assert moves.shape[1:] == (4, 4)
    np.testing.assert_allclose(moves[:, 3], [[0, 0, 0, 1]] * len(moves))
    apart = np.linalg.norm(moves[:, :3, 3] - np.array(reported["surface_to_view"])[:3, 3], axis=1)
    assert apart[-1] < 5.0


def test_a_fit_goes_on_from_an_earlier_result(worker, fit, fitted, tmp_path):
    """Its first surface is the earlier one, but for a step; how it ends is the engine's own test."""
    surfaces = []

    def look(event: dict) -> None:
        if event["event"] == "surface":
            surfaces.append(read_surface(event["files"]["L3"]))
            worker.send({"command": "cancel", "id": event["id"]})

    options = {**fit["options"], "start": str(fitted[0]), "live": True}
    events = worker.ask({**fit, "out": str(tmp_path / "out"), "options": options}, look)
    assert events[-1]["event"] == "cancelled"
    earlier = read_surface(fitted[0] / "L3.vtp").vertices.mean(0)
    assert np.linalg.norm(surfaces[0].vertices.mean(0) - earlier) < 15.0


@pytest.mark.parametrize(
    ("changes", "says"), [({"anatomy": "L4"}, "the same bone"), ({"start": "."}, "give the folder of a fit")]
)
def test_a_fit_goes_on_only_from_a_fit_of_the_same_bone(worker, fit, fitted, tmp_path, changes, says):
    options = {**fit["options"], "start": str(fitted[0]), **changes}
    event = worker.ask({**fit, "out": str(tmp_path / "out"), "options": options})[-1]
    assert event["kind"] == "input"
    assert says in event["message"]


def test_a_refusal_is_a_result_with_its_reason(worker, noise, tmp_path):
    events = worker.ask({"command": "reconstruct", "inputs": [str(noise)], "out": str(tmp_path / "out")})
    assert (events[-1]["event"], events[-1]["status"]) == ("done", 1)
    assert "no lumbar spine" in report_of(tmp_path / "out")["checks"][0]["detail"]


@pytest.mark.parametrize("stage", ["read the images", "find the spine", "write the results"])
def test_a_job_cancelled_at_any_stage_leaves_nothing_and_the_worker_warm(worker, noise, tmp_path, stage):
    def cancel(event: dict) -> None:
        if event.get("stage") == stage:
            worker.send({"command": "cancel", "id": event["id"]})

    request = {"command": "reconstruct", "inputs": [str(noise)], "out": str(tmp_path / "new" / "out")}
    events = worker.ask(request, cancel)
    assert events[-1]["event"] == "cancelled"
    assert [path for path in tmp_path.rglob("*") if path != tmp_path / "new"] == []
    assert worker.process.poll() is None


def test_a_cancelled_job_ends_within_a_pass_of_a_network(worker, three_levels, tmp_path):
    def cancel(event: dict) -> None:
        if event.get("stage") == "deform the templates":
            worker.send({"command": "cancel", "id": event["id"]})

    request = {"command": "reconstruct", "inputs": [str(three_levels)], "out": str(tmp_path / "out")}
    events = worker.ask(request, cancel)
    assert [event["event"] for event in events[-2:]] == ["progress", "cancelled"]
    assert events[-2]["fraction"] < 0.2, "the first look at the levels went on to its end"


def test_what_was_recognised_is_described(worker, film, noise):
    camera = str(film.with_name("camera.json"))
    done = worker.ask({"command": "describe", "inputs": [str(film)], "options": {"cameras": [camera]}})[-1]
    assert done["engine"] == "xray-fit"
    (radiograph,) = done["inputs"]
    assert radiograph["kind"] == "radiographs"
    assert "AP radiograph" in radiograph["text"]
    spacing = {"value": [6.0, 6.0], "origin": "user"}
    assert radiograph["details"]["geometry"]["pixel_spacing_mm"] == spacing
    both = worker.ask({"command": "describe", "inputs": [str(noise), str(film)]})[-1]
    assert both["engine"] is None
    assert [one["kind"] for one in both["inputs"]] == ["volume", "radiographs"]
    assert both["inputs"][0]["details"]["size"] == [70, 70, 12]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"labelmaps": True}, "no use for --labelmaps"),
        ({"anatomy": "skull"}, "--anatomy must be one of pelvis"),
        ({"formats": ["docx"]}, "docx"),
        ({"landmarks": ["/nowhere/DOE^JANE.mrk.json"]}, "landmarks file cannot be read"),
        ({"device": "abacus"}, "abacus"),
    ],
)
def test_a_wrong_option_is_one_line_without_names_and_nothing_is_written(
    worker, fit, tmp_path, changes, says
):
    request = {**fit, "out": str(tmp_path / "out"), "options": {**fit["options"], **changes}}
    event = worker.ask(request)[-1]
    assert (event["event"], event["kind"]) == ("error", "input")
    assert says in event["message"]
    assert "DOE" not in event["message"]
    assert list(tmp_path.iterdir()) == []


def test_an_mri_has_no_surface_to_show_while_it_is_worked_on(worker, noise, tmp_path):
    request = {"command": "reconstruct", "inputs": [str(noise)], "out": str(tmp_path / "out")}
    event = worker.ask({**request, "options": {"live": True}})[-1]
    assert "nothing to show" in event["message"]

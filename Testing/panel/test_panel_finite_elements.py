"""Finite elements through the panel's export section and the real worker: made, cancelled, refused, installed for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from host.application import wait_until
from mri2mesh_slicer.runs.results import read_run
from mri2mesh_slicer.runs.scene_building import add_run
from panel.watched import LONG, is_alive, node_count
from scene import made_runs

EDGE_MM = 2.0


@pytest.fixture
def shown(panel, slicer, tmp_path):
    """The panel with a run of T12, its disc and L1 in the scene, of lumps without regions, and a folder to write to."""
    run = add_run(slicer.mrmlScene, read_run(made_runs.spine_run(tmp_path / "run")), [], name="made")
    panel.panel.refresh()
    panel.ui.exportFolder.setCurrentPath(str(tmp_path / "out"))
    return run


def choose(selector, value) -> None:
    selector.setCurrentIndex(selector.findData(value))
    selector.activated.emit(selector.currentIndex)


def export(panel) -> list[str]:
    """Presses the button; what was said until the end."""
    said: list[str] = []
    panel.ui.exportButton.click()

    def ended() -> bool:
        if not said or said[-1] != panel.ui.exportMessage.text:
            said.append(panel.ui.exportMessage.text)
        return not panel.panel.export.busy

    wait_until(ended, LONG)
    return said


def untick(panel, name: str) -> None:
    import qt

    box = panel.ui.exportStructures
    for row in range(box.count):
        if box.item(row).text() == name:
            box.item(row).setCheckState(qt.Qt.Unchecked)


def test_its_rows_are_there_for_finite_elements_only_and_what_is_chosen_is_kept(panel, shown):
    ui = panel.ui
    assert ui.volumeMeshRows.isHidden() and ui.exportButton.text == "Export the surfaces"
    choose(ui.formatSelector, "inp")
    assert not ui.volumeMeshRows.isHidden() and ui.exportButton.text == "Export finite elements"
    assert not ui.regionMaterialsCheck.isHidden() and not ui.cortexBox.isHidden()
    choose(ui.formatSelector, "vtu")
    assert ui.regionMaterialsCheck.isHidden() and ui.cortexBox.isHidden()
    ui.edgeLengthBox.value = 2.5
    choose(ui.elementOrderSelector, True)
    panel.panel.refresh()
    assert ui.edgeLengthBox.value == 2.5 and ui.elementOrderSelector.currentData is True
    assert panel.panel.export._rows.options("vtu")["quadratic"] is True


def test_ticked_structures_are_written_with_what_is_known_of_them_and_their_figures_are_said(
    panel, slicer, shown, tmp_path
):
    pytest.importorskip("netgen", reason='needs netgen: pip install "mri2mesh[finite-elements]"')
    ui, before = panel.ui, node_count(slicer)
    choose(ui.formatSelector, "inp")
    ui.edgeLengthBox.value = EDGE_MM
    untick(panel, "T12-L1")
    said = export(panel)
    assert any(text.startswith("Triangles of T12: ") and "%" in text for text in said)
    first, *figures = said[-1].splitlines()
    assert first == f"2 files written to {tmp_path / 'out'}"
    assert len(figures) == 2 and all("scaled Jacobian" in line for line in figures)
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["L1.inp", "L1.inp.json", "T12.inp", "T12.inp.json"]
    described = json.loads((tmp_path / "out" / "T12.inp.json").read_text())
    assert described["space"] == "LPS" and described["made_from"]["engine"] == "mri2mesh"
    assert described["made_from"]["input"]["sha256"]
    assert {check["structure"] for check in described["made_from"]["checks"]} == {None, "T12"}
    assert node_count(slicer) == before and ui.exportButton.text == "Export finite elements"


def test_a_scene_in_one_file_needs_no_mesher(panel, shown, tmp_path):
    choose(panel.ui.formatSelector, "gltf")
    assert panel.ui.volumeMeshRows.isHidden()
    assert export(panel)[-1] == f"1 file written to {tmp_path / 'out'}"
    assert (tmp_path / "out" / "structures.gltf").is_file()


def test_cancelled_it_leaves_the_folder_as_it_was(panel, shown, tmp_path):
    ui = panel.ui
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "T12.inp").write_text("older")
    choose(ui.formatSelector, "inp")
    ui.edgeLengthBox.value = 0.5
    ui.exportButton.click()
    wait_until(lambda: ui.exportMessage.text.startswith("Triangles of T12"), LONG)
    pid = panel.panel.running.client.pid
    assert ui.exportButton.text == "Cancel" and not ui.runButton.enabled and not ui.batchButton.enabled
    ui.exportButton.click()
    wait_until(lambda: not panel.panel.export.busy, 30)
    assert ui.exportMessage.text == "Cancelled. Nothing was written."
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["T12.inp"]
    assert (tmp_path / "out" / "T12.inp").read_text() == "older"
    assert ui.batchButton.enabled and ui.exportButton.text == "Export finite elements"
    panel.panel.close()
    assert not is_alive(pid)


@pytest.mark.parametrize(
    ("edge_mm", "joined", "said"),
    [
        (20.0, False, r"too small for edges of 20 mm: give \d"),
        (EDGE_MM, True, 'to seat a disc on: untick "One mesh".'),
    ],
)
def test_what_cannot_be_made_is_said_in_one_line_in_the_panel_s_words(
    panel, shown, tmp_path, edge_mm, joined, said
):
    import re

    pytest.importorskip("netgen", reason='needs netgen: pip install "mri2mesh[finite-elements]"')
    choose(panel.ui.formatSelector, "feb")
    panel.ui.edgeLengthBox.value = edge_mm
    if joined:
        panel.ui.joinCheck.click()
    message = export(panel)[-1]
    assert re.search(said, message) and "\n" not in message and "--" not in message
    assert not (tmp_path / "out").exists()


def test_with_nothing_ticked_or_no_folder_it_says_what_to_do(panel, shown):
    choose(panel.ui.formatSelector, "inp")
    for name in ("T12", "T12-L1", "L1"):
        untick(panel, name)
    assert export(panel) == ["Tick the structures to export."]
    panel.ui.exportFolder.setCurrentPath("")
    assert export(panel) == ["Choose an output folder first."]


def test_netgen_is_asked_for_where_it_is_missing_and_not_needed_otherwise(
    panel, shown, monkeypatch, tmp_path: Path
):
    from mri2mesh_slicer.installation import requirements
    from mri2mesh_slicer.panel import packages

    asked: list[str] = []
    monkeypatch.setattr(requirements, "missing", lambda also=(): list(also))
    monkeypatch.setattr(packages, "ask", lambda question, title: asked.append(question))
    choose(panel.ui.formatSelector, "inp")
    assert export(panel)[-1] == "This needs netgen-mesher, which was not installed."
    assert "netgen-mesher>=" in asked[0] and not (tmp_path / "out").exists()
    choose(panel.ui.formatSelector, "gltf")
    assert "1 file written" in export(panel)[-1] and len(asked) == 1

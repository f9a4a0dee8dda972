"""What the panel shows before anything is run: what was recognised, the method, only the inputs that it needs."""

from __future__ import annotations

import hashlib
import importlib
import json
import sys
from pathlib import Path

import numpy as np
import pytest

from host.application import open_module, wait_until
from mri2mesh.engines.registry import engines
from panel.watched import run_in_new_host

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


def settle() -> None:
    import qt

    for _ in range(5):
        qt.application.processEvents()


def test_without_an_image_the_panel_says_what_to_choose_and_run_is_off(panel):
    assert "Choose a lumbar MRI" in panel.ui.recognisedLabel.text
    assert not panel.ui.runButton.enabled
    assert "Choose an image" in panel.ui.stageLabel.text
    assert panel.ui.resultsSection.isHidden() and panel.ui.exportSection.isHidden()


def test_a_volume_is_recognised_and_gets_the_spine_method_with_its_level_shift(panel, load_volume):
    panel.ui.inputSelector.setCurrentNode(load_volume())
    assert panel.ui.recognisedLabel.text == "Volume of 38 x 257 x 201: 1.00 mm isotropic voxels."
    assert panel.ui.methodSelector.currentData == "mri2mesh"
    assert panel.ui.runButton.enabled
    row = panel.panel.method.inputs.sections["level_shift"]
    row.editor.value = 1
    assert row.value == 1


def test_thick_slices_under_a_transform_are_described_as_such(panel, slicer, add_image):
    node = add_image(np.zeros((12, 100, 90), np.int16), "sagittal")
    matrix = slicer.util.vtkMatrixFromArray(
        np.array([[0, 0, 4.4, 0], [-0.6, 0, 0, 0], [0, -0.6, 0, 0], [0, 0, 0, 1.0]])
    )
    node.SetIJKToRASMatrix(matrix)
    move = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "table")
    node.SetAndObserveTransformNodeID(move.GetID())
    panel.ui.inputSelector.setCurrentNode(node)
    text = panel.ui.recognisedLabel.text
    assert "sagittal, 4.4 mm slices" in text and "moved by table" in text


def test_a_radiograph_gets_the_fit_with_bone_views_and_geometry(panel, add_image):
    panel.ui.inputSelector.setCurrentNode(add_image(np.zeros((1, 64, 48), np.uint16), "ap"))
    assert panel.ui.methodSelector.currentData == "xray-fit"
    inputs = panel.panel.method.inputs
    assert inputs.views.table.rowCount == 1
    assert inputs.sections["anatomy"].editor.itemData(0) == "pelvis"


def test_another_image_brings_the_other_method_back(panel, load_volume, add_image):
    film, spine = add_image(np.zeros((1, 64, 48), np.uint16), "ap"), load_volume()
    for node, engine in ((film, "xray-fit"), (spine, "mri2mesh"), (film, "xray-fit")):
        panel.ui.inputSelector.setCurrentNode(node)
        assert panel.ui.methodSelector.currentData == engine
        shown = [name for name, one in panel.panel.method._sections.items() if not one.widget.isHidden()]
        assert shown == [engine]


def test_the_choice_of_the_image_is_saved_with_the_scene(panel, slicer, load_volume):
    node = load_volume()
    panel.ui.inputSelector.setCurrentNode(node)
    kept = slicer.mrmlScene.GetSingletonNode("MRI2Mesh", "vtkMRMLScriptedModuleNode")
    assert kept.GetNodeReference("image") is node


def test_deleting_the_image_empties_the_panel_though_the_list_chooses_a_neighbour(panel, slicer, load_volume):
    node, _neighbour = load_volume(), load_volume(name="neighbour")
    panel.ui.inputSelector.setCurrentNode(node)
    slicer.mrmlScene.RemoveNode(node)
    wait_until(lambda: not panel.ui.runButton.enabled, 5)
    assert panel.ui.methodSelector.count == 0


def test_a_given_value_of_the_geometry_says_so_and_is_kept_with_the_image(panel, add_image):
    from mri2mesh_slicer.radiographs.geometry_of_nodes import geometry_of

    node = add_image(np.zeros((1, 64, 48), np.uint16), "ap")
    panel.ui.inputSelector.setCurrentNode(node)
    fields = panel.panel.method.inputs.geometry.fields
    fields["source_to_detector_mm"].value = 1200.0
    fields["primary_angle_deg"].value = 30.0
    geometry = geometry_of(node)
    assert geometry.source_to_detector_mm.value == 1200.0
    assert geometry.origins["source_to_detector_mm"] == "user"
    assert geometry.origins["source_to_isocentre_mm"] == "default"
    assert geometry.source_to_isocentre_mm.value == pytest.approx(1020.0)
    assert geometry.primary_angle_deg.value == 30.0
    since = "Given or calibrated since: the distance from source to detector, the primary angle."
    assert panel.ui.recognisedLabel.text == f"Radiograph, 48 x 64 pixels. {since}"


def test_an_impossible_geometry_is_refused_in_words(panel, add_image):
    from mri2mesh_slicer.radiographs.geometry_of_nodes import geometry_of

    node = add_image(np.zeros((1, 64, 48), np.uint16), "ap")
    panel.ui.inputSelector.setCurrentNode(node)
    editor = panel.panel.method.inputs.geometry
    editor.fields["source_to_detector_mm"].value = 1200.0
    editor.fields["source_to_isocentre_mm"].value = 1500.0
    assert "socentre lies between" in editor._message.text
    assert geometry_of(node).source_to_isocentre_mm.value == pytest.approx(1020.0)


def test_a_camera_file_gives_the_geometry_and_a_foreign_one_is_refused(panel, add_image, tmp_path):
    node = add_image(np.zeros((1, 64, 48), np.uint16), "ap")
    panel.ui.inputSelector.setCurrentNode(node)
    editor = panel.panel.method.inputs.geometry
    path = tmp_path / "camera.json"
    path.write_text(json.dumps({"size": [10, 10]}))
    editor.read_file(str(path))
    assert "this one has 64 x 48" in editor._message.text
    path.write_text(json.dumps({"size": [64, 48], "pixel_spacing_mm": [0.3, 0.3], "primary_angle_deg": 0.0}))
    editor.read_file(str(path))
    assert panel.panel.method.inputs.views.table.item(0, 1).text() == "PA, scale known"


def test_views_are_added_and_removed(panel, add_image):
    first, second = (add_image(np.zeros((1, 64, 48), np.uint16), name) for name in ("ap", "oblique"))
    panel.ui.inputSelector.setCurrentNode(first)
    views = panel.panel.method.inputs.views
    assert not views.add_button.enabled
    views.further.setCurrentNode(second)
    views.add_button.click()
    assert panel.panel.parameters().further_views == [second]
    assert views.further.currentNode() is None and not views.add_button.enabled
    assert [views.table.item(row, 0).text() for row in range(2)] == ["ap", "oblique"]
    views.table.selectRow(0)
    views.remove_button.click()
    assert panel.panel.parameters().image is second and panel.panel.parameters().further_views == []


def test_a_volume_among_the_views_keeps_run_off_and_says_why(panel, add_image, load_volume):
    panel.ui.inputSelector.setCurrentNode(add_image(np.zeros((1, 64, 48), np.uint16), "ap"))
    inputs = panel.panel.method.inputs
    inputs.views.further.setCurrentNode(load_volume())
    inputs.views.add_button.click()
    assert not panel.ui.runButton.enabled
    assert "must be a radiograph" in panel.ui.stageLabel.text


def test_every_engine_can_be_chosen_for_an_image_of_its_kind(panel, load_volume, add_image):
    for node in (load_volume(), add_image(np.zeros((1, 64, 48), np.uint16), "ap")):
        panel.ui.inputSelector.setCurrentNode(node)
        selector = panel.ui.methodSelector
        listed = {selector.itemData(number) for number in range(selector.count)}
        kind = engines()[selector.currentData].takes
        assert listed == {engine.name for engine in engines().values() if engine.takes == kind}


def test_the_method_says_which_weights_it_uses_and_their_licences(panel, load_volume):
    from mri2mesh.weights import find

    panel.ui.inputSelector.setCurrentNode(load_volume())
    entries = [find("mri2mesh_localiser"), find("mri2mesh_surfaces")]
    text, more = panel.ui.methodSentence.text, panel.ui.methodSentence.toolTip
    assert "Weights: version " in text and all(entry.licence in text for entry in entries)
    assert all(f"{entry.name}: {entry.sha256[:8]}, {entry.licence}" in more for entry in entries)


def test_formats_are_the_command_lines(panel):
    from mri2mesh.export.exporting.request import VOLUME_FORMATS
    from mri2mesh.export.surfaces import FORMATS
    from mri2mesh_slicer.panel.export_section import by_the_worker, formats

    assert {name for name, _ in formats()} == set(FORMATS)
    assert {name for name, _ in by_the_worker()} == {"gltf", *VOLUME_FORMATS}


def test_what_would_be_installed_is_what_the_library_declares(panel, repository):
    from mri2mesh_slicer.installation import requirements

    project = tomllib.loads((repository / "pyproject.toml").read_text())["project"]
    declared = {*project["dependencies"], *project["optional-dependencies"]["fast"]}
    asked = (requirements.TORCH, *requirements.PACKAGES, *requirements.BROUGHT)
    assert {package.requirement for package in asked} <= declared
    assert requirements.NETGEN.requirement in project["optional-dependencies"]["finite-elements"]
    assert requirements.missing() == []


def test_without_consent_nothing_is_installed_and_nothing_runs(panel, load_volume, monkeypatch):
    from mri2mesh_slicer.installation import requirements
    from mri2mesh_slicer.panel import packages

    asked = []
    monkeypatch.setattr(
        requirements, "missing", lambda *_also: [requirements.TORCH, requirements.PACKAGES[0]]
    )
    monkeypatch.setattr(requirements, "obstacle", lambda _packages: "")
    monkeypatch.setattr(packages, "Installing", lambda *_: pytest.fail("installed without consent"))
    monkeypatch.setattr(packages, "ask", lambda question, title: asked.append(question))
    panel.ui.inputSelector.setCurrentNode(load_volume())
    panel.ui.runButton.click()
    assert "torch>=2.4" in asked[0] and "MB" in asked[0]
    assert not panel.panel.running.busy
    assert panel.ui.messageLabel.text == "Nothing was installed and nothing was run."


def test_opening_the_module_needs_only_what_slicer_brings():
    printed = run_in_new_host(
        "before = set(sys.modules)\n"
        "open_module('MRI2Mesh').cleanup()\n"
        "new = {name.split('.')[0] for name in set(sys.modules) - before} - set(sys.stdlib_module_names)\n"
        "print(*sorted(name for name in new if not name.startswith('_')))"
    )
    ours = {"MRI2Mesh", "mri2mesh", "mri2mesh_slicer"}
    needed = set(printed[-1].split()) - ours - {"cython_runtime", "swig_runtime_data5"}
    tried_by_pydicom = {"PIL", "certifi", "charset_normalizer", "idna", "requests", "tqdm", "urllib3"}
    assert needed - tried_by_pydicom <= {"SimpleITK", "numpy", "pydicom", "vtk"}


def test_the_samples_are_registered_with_their_checksums(panel, slicer, monkeypatch):
    monkeypatch.setitem(sys.modules, "SampleData", importlib.import_module("host.sample_data"))
    slicer.modules.module.register_sample_data()
    registered = slicer.modules.sampleDataSources["MRI2Mesh"]
    assert [source["sampleName"] for source in registered] == [
        "Lumbar spine MRI (T2)",
        "Pelvis, two radiographs (simulated)",
        "Hips, one radiograph from the front (simulated)",
        "Lumbar spine, one radiograph from the front (simulated)",
    ]
    for source in registered:
        for uri, checksum in zip(source["uris"], source["checksums"], strict=True):
            content = Path(uri.removeprefix("file://")).read_bytes()
            assert checksum == "SHA256:" + hashlib.sha256(content).hexdigest()
        assert Path(source["thumbnailFileName"]).is_file()


@pytest.mark.parametrize("field", ["exportFolder", "batchInput", "batchOutput"])
def test_a_field_for_a_folder_asks_for_a_folder(panel, monkeypatch, tmp_path, field):
    import qt

    monkeypatch.setattr(qt.QFileDialog, "getOpenFileName", lambda *_: pytest.fail("asked for a file"))
    monkeypatch.setattr(qt.QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path))
    getattr(panel.ui, field).browse()
    assert getattr(panel.ui, field).currentPath == str(tmp_path)


def test_the_panel_can_be_as_narrow_as_slicers_own(panel, load_volume, add_image):
    for node in (load_volume(), add_image(np.zeros((1, 64, 48), np.uint16), "ap")):
        panel.ui.inputSelector.setCurrentNode(node)
        for name in ("results", "overlay", "export", "batch"):
            section = getattr(panel.ui, f"{name}Section")
            section.setVisible(True)
            section.collapsed = False
        settle()
        assert panel.parent.minimumSizeHint().width() <= 420


def test_a_slicer_with_too_old_a_python_gets_one_line(slicer, monkeypatch):
    import MRI2Mesh

    monkeypatch.setattr(MRI2Mesh, "LEAST_PYTHON", (99, 0))
    widget = open_module("MRI2Mesh")
    assert "needs 3D Slicer 5.10 or later" in widget.layout.itemAt(0).widget().text
    widget.exit()
    widget.cleanup()
    widget.parent.close()


def test_landmarks_that_are_deleted_are_not_replaced_by_those_of_another_view(panel, slicer, add_image):
    front, side = (add_image(np.zeros((1, 64, 48), np.uint16), name) for name in ("front", "side"))
    panel.ui.inputSelector.setCurrentNode(front)
    views = panel.panel.method.inputs.views
    views.further.setCurrentNode(side)
    views.add_button.click()
    marks = [slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", name) for name in "ab"]
    for node, mark in zip((front, side), marks, strict=True):
        views.choose_landmarks(node, mark)
    slicer.mrmlScene.RemoveNode(marks[1])
    settle()
    assert views.landmarks_of(front) is marks[0] and views.landmarks_of(side) is None
    assert views._pickers[1].currentNode() is None


def test_a_further_view_that_is_chosen_as_the_image_is_there_once(panel, add_image):
    front, side = (add_image(np.zeros((1, 64, 48), np.uint16), name) for name in ("front", "side"))
    panel.ui.inputSelector.setCurrentNode(front)
    inputs = panel.panel.method.inputs
    inputs.views.further.setCurrentNode(side)
    inputs.views.add_button.click()
    panel.ui.inputSelector.setCurrentNode(side)
    assert inputs.nodes() == [side]

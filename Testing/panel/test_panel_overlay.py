"""The 3D view into the X-ray source and out again, by the panel's button, on a finished run."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from mri2mesh_slicer.runs.results import read_run
from scene.made_runs import femur_from_two_views


def test_the_3d_view_looks_from_the_source_along_the_beam_and_comes_back(panel, slicer, add_image, tmp_path):
    from mri2mesh_slicer.runs.scene_building import add_run

    camera = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLCameraNode", "Camera")
    camera.SetLayoutName("1")
    camera.SetPosition(300.0, 200.0, 100.0)
    nodes = [add_image(np.zeros((1, 48, 40), np.uint16), name) for name in ("front", "side")]
    for node in nodes:
        node.CreateDefaultDisplayNodes()
    result = read_run(femur_from_two_views(tmp_path / "femur"))
    add_run(slicer.mrmlScene, result, nodes, name="made")
    panel.panel.refresh()
    before, angle = slicer.mrmlScene.GetNumberOfNodes(), camera.GetViewAngle()
    ui, overlay = panel.ui, panel.panel.overlay

    ui.lookFromSourceButton.click()
    first = result.report.views[0].geometry.camera()
    np.testing.assert_allclose(camera.GetPosition(), first.source_ras_mm, atol=1e-6)
    beam = first.on_detector(np.array([[19.5, 23.5]]))[0] - first.source_ras_mm
    looks = np.subtract(camera.GetFocalPoint(), camera.GetPosition())
    assert looks @ beam > 0.999 * np.linalg.norm(looks) * np.linalg.norm(beam)
    assert ui.radiographsCheck.checked and [one.visible for one in overlay._placed] == [True, False]
    assert ui.lookFromSourceButton.text == "Back from the X-ray source"
    assert overlay._placed[0].mirrored_from_source == ("mirror image" in ui.overlayMessage.text)

    ui.lookFromSourceButton.click()
    np.testing.assert_allclose(camera.GetPosition(), (300.0, 200.0, 100.0))
    assert camera.GetViewAngle() == angle and all(one.visible for one in overlay._placed)

    ui.lookFromSourceButton.click()
    ui.radiographsCheck.click()
    np.testing.assert_allclose(camera.GetPosition(), (300.0, 200.0, 100.0))
    assert slicer.mrmlScene.GetNumberOfNodes() == before
    assert ui.lookFromSourceButton.text == "Look from the X-ray source"


def test_without_a_3d_view_in_the_layout_it_is_said(panel, slicer, add_image, monkeypatch, tmp_path):
    from mri2mesh_slicer.runs.scene_building import add_run

    slicer.mrmlScene.AddNewNodeByClass("vtkMRMLCameraNode").SetLayoutName("1")
    nodes = [add_image(np.zeros((1, 48, 40), np.uint16), name) for name in ("front", "side")]
    add_run(slicer.mrmlScene, read_run(femur_from_two_views(tmp_path / "femur")), nodes, name="made")
    panel.panel.refresh()
    monkeypatch.setattr(slicer.app, "layoutManager", lambda: SimpleNamespace(threeDViewCount=0))
    panel.ui.lookFromSourceButton.click()
    assert "3D view" in panel.ui.overlayMessage.text and not panel.ui.radiographsCheck.checked

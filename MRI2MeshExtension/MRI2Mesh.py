"""The module MRI2Mesh of 3D Slicer: its description, its panel, and the test that runs inside Slicer.

Nothing heavy is imported and nothing is installed before the user asks for it; the work is done by `mri2mesh worker`.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import qt
import slicer
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
)
from slicer.util import VTKObservationMixin

HELP = """
<p>Turns a lumbar spine MRI into labelled, closed surfaces of the vertebrae and discs, or radiographs with the geometry
of the C-arm into the surface of a pelvis, a femur or a vertebra.</p>
<p>Choose an image, look at what was recognised, press Apply. Everything is computed on this computer, in a process of
its own. How far each surface can be trusted stands beside it.</p>
<p><b>For research only: not a medical device.</b></p>
<p>Tutorial: <a href="https://github.com/MRI2Mesh/SlicerMRI2Mesh#in-3d-slicer">github.com/MRI2Mesh/SlicerMRI2Mesh</a></p>
"""
ACKNOWLEDGEMENT = """
<p>After MRI2Mesh (surfaces of the lumbar spine from MRI by graph convolutions and differentiable rendering) and the fit
of statistical shape models to radiographs by the thickness that each ray crosses. Origins and licences of the weights
and of the sample images are listed with them in the repository.</p>
"""
LEAST_PYTHON = (3, 10)
"""Slicer 5.10 has 3.12; before it was 3.9."""


class MRI2Mesh(ScriptedLoadableModule):
    """What Slicer shows of the module before it is opened."""

    def __init__(self, parent: Any) -> None:
        super().__init__(parent)
        parent.title = _("MRI2Mesh")
        parent.categories = [translate("qSlicerAbstractCoreModule", "Segmentation")]
        parent.dependencies = []
        parent.contributors = ["MRI2Mesh extension contributors"]
        parent.helpText = _(HELP)
        parent.acknowledgementText = _(ACKNOWLEDGEMENT)
        if sys.version_info >= LEAST_PYTHON:
            slicer.app.connect("startupCompleted()", self.register_sample_data)

    def register_sample_data(self) -> None:
        try:
            from mri2mesh_slicer.sample_data import register_sample_data

            register_sample_data(Path(self.resourcePath("Icons")))
        except ModuleNotFoundError:
            pass  # a Slicer without the Sample Data module


class MRI2MeshLogic(ScriptedLoadableModuleLogic):
    """Keeps the parameter node; the work is in `mri2mesh_slicer`."""


class MRI2MeshWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """Opens the panel for the scene that is there, and closes it without leaving anything behind."""

    def __init__(self, parent: Any = None) -> None:
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.logic: MRI2MeshLogic | None = None
        self.panel: Any = None
        self._refresh_soon: Any = None

    def setup(self) -> None:
        super().setup()
        if sys.version_info < LEAST_PYTHON:
            label = qt.QLabel(
                _("MRI2Mesh needs 3D Slicer 5.10 or later: install it from download.slicer.org.")
            )
            label.setWordWrap(True)
            self.layout.addWidget(label)
            self.layout.addStretch(1)
            return
        from mri2mesh_slicer.jobs.qt_process import worker_client
        from mri2mesh_slicer.panel.panel import Panel

        root = slicer.util.loadUI(self.resourcePath("UI/MRI2Mesh.ui"))
        self.layout.addWidget(root)
        self.ui = slicer.util.childWidgetVariables(root)
        root.setMRMLScene(slicer.mrmlScene)
        self.logic = MRI2MeshLogic()
        self.panel = Panel(self.ui, self._parameters(), worker_client())
        self._refresh_soon = qt.QTimer()
        self._refresh_soon.setSingleShot(True)
        self._refresh_soon.setInterval(0)
        self._refresh_soon.timeout.connect(self._use_scene)
        scene = slicer.mrmlScene
        for event in (
            scene.EndCloseEvent,
            scene.EndImportEvent,
            scene.NodeRemovedEvent,
            scene.EndRestoreEvent,
        ):
            self.addObserver(scene, event, self._scene_changed)
        slicer.app.connect("aboutToQuit()", self.cleanup)

    def enter(self) -> None:
        """The user chose this module."""
        if self.panel is not None:
            self.panel.come_back()
            self._use_scene()

    def exit(self) -> None:
        """Another module was chosen: a run goes on and its result is added, then the worker leaves."""
        if self.panel is not None:
            self.panel.leave()

    def cleanup(self) -> None:
        """Slicer quits, or the module is reloaded. Once: at the second call Qt may have taken the widgets down."""
        self.removeObservers()
        panel, self.panel = self.panel, None
        if panel is not None:
            self._refresh_soon.stop()
            panel.close()

    def _scene_changed(self, *_event: Any) -> None:
        """Once after many events, and not before the scene is whole again."""
        self._refresh_soon.start()

    def _use_scene(self) -> None:
        if self.panel.running.is_adding:  # changes the scene in turns, and shows all of it itself
            self._refresh_soon.start()
        elif not slicer.mrmlScene.IsBatchProcessing():
            self.panel.use(self._parameters())

    def _parameters(self) -> Any:
        from mri2mesh_slicer.parameters import Parameters

        assert self.logic is not None
        return Parameters(self.logic.getParameterNode())


class MRI2MeshTest(ScriptedLoadableModuleTest):
    """Runs inside Slicer: the sample MRI through the panel's own buttons, and a file of the result."""

    def setUp(self) -> None:
        slicer.mrmlScene.Clear()

    def runTest(self) -> None:
        self.setUp()
        self.test_sample_to_stl()

    def test_sample_to_stl(self) -> None:
        from mri2mesh.samples import LUMBAR_T2
        from mri2mesh_slicer.installation import requirements

        self.delayDisplay("Load the sample MRI")
        volume = slicer.util.loadVolume(str(LUMBAR_T2))
        slicer.util.selectModule("MRI2Mesh")
        widget = slicer.modules.mri2mesh.widgetRepresentation().self()
        widget.ui.inputSelector.setCurrentNode(volume)
        self.assertIn("isotropic", widget.ui.recognisedLabel.text)
        if missing := requirements.missing():
            names = ", ".join(package.name for package in missing)
            self.fail(f"packages are missing: {names}. Press Apply once by hand, then test again")
        self.delayDisplay("Apply")
        widget.ui.runButton.click()
        until = time.monotonic() + 600
        while widget.panel.running.busy and time.monotonic() < until:
            slicer.app.processEvents()
            time.sleep(0.01)
        run = widget.panel.results.run
        self.assertIsNotNone(run, widget.ui.messageLabel.text)
        self.assertIn("L3", [row.name for row in run.rows()])
        with tempfile.TemporaryDirectory() as folder:
            widget.ui.exportFolder.setCurrentPath(folder)
            widget.ui.exportButton.click()
            self.assertTrue((Path(folder) / "L3.stl").is_file())
        self.delayDisplay("Test passed")

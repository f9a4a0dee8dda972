"""MRML without Slicer's window: a scene with what Slicer attaches to it. ``slicer`` is the slicer-core wheel here."""

from __future__ import annotations

from pathlib import Path

import slicer


class Application:
    """A scene with the logics that Slicer attaches to it; without them .mrb and closed surfaces fail.

    The application logic gets the scene first: the others find it there.
    """

    def __init__(self, cache: Path) -> None:
        self.scene = slicer.vtkMRMLScene()
        self.logic = slicer.vtkSlicerApplicationLogic()
        self.logic.SetTemporaryPath(str(cache))
        self.logic.SetMRMLScene(self.scene)
        colours = self.logic.GetColorLogic()
        colours.SetMRMLScene(self.scene)
        colours.AddDefaultColorNodes()
        self.remote_io = slicer.vtkMRMLRemoteIOLogic()
        self.remote_io.SetMRMLScene(self.scene)
        self.remote_io.SetMRMLApplicationLogic(self.logic)
        self.remote_io.GetCacheManager().SetRemoteCacheDirectory(str(cache))
        self.data_io = slicer.vtkDataIOManagerLogic()
        self.data_io.SetMRMLScene(self.scene)
        self.data_io.SetMRMLApplicationLogic(self.logic)
        self.data_io.SetAndObserveDataIOManager(self.remote_io.GetDataIOManager())
        self.remote_io.AddDataIOToScene()
        self.modules = {
            "Volumes": slicer.vtkSlicerVolumesLogic(),
            "SubjectHierarchy": slicer.vtkSlicerSubjectHierarchyModuleLogic(),
            "Segmentations": slicer.vtkSlicerSegmentationsModuleLogic(),
            "Markups": slicer.vtkSlicerMarkupsLogic(),
        }
        for name, module in self.modules.items():
            module.SetMRMLApplicationLogic(self.logic)
            module.SetMRMLScene(self.scene)
            self.logic.SetModuleLogic(name, module)

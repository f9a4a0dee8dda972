"""The module opened in the host, with real images; each test gets a fresh scene, and leaves no process."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk

pytest.importorskip("PySide6", reason="the panel's tests need PySide6-Essentials")
pytest.importorskip("slicer_core", reason="the panel's tests need slicer-core")

from host import application
from host.application import open_module, start
from mri2mesh.samples import LUMBAR_T2

os.environ.setdefault("OMP_NUM_THREADS", "1")
"""For the workers: threads that wait actively for each other are slow where other tests run."""


@pytest.fixture
def slicer(tmp_path: Path) -> Any:
    """The module ``slicer`` with an empty scene, undo on."""
    module = start(tmp_path / "cache")
    module.mrmlScene.SetUndoOn()
    return module


@pytest.fixture
def panel(slicer: Any) -> Iterator[Any]:
    """The module's widget: ``panel.ui`` has its buttons."""
    widget = open_module("MRI2Mesh")
    yield widget
    widget.exit()
    widget.cleanup()
    widget.parent.close()


@pytest.fixture
def load_volume(slicer: Any) -> Callable[..., Any]:
    """As the host's; by default the sample MRI."""

    def load(path: Path = LUMBAR_T2, name: str = "LumbarT2") -> Any:
        return application.load_volume(path, name)

    return load


@pytest.fixture
def add_image(slicer: Any) -> Callable[..., Any]:
    """A volume node from an array [K, J, I]; one slice is a radiograph."""

    def add(array: np.ndarray, name: str) -> Any:
        import vtk
        from vtk.util.numpy_support import numpy_to_vtk

        image = vtk.vtkImageData()
        image.SetDimensions(*array.shape[::-1])
        image.GetPointData().SetScalars(numpy_to_vtk(array.ravel(), deep=True))
        node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)
        node.SetAndObserveImageData(image)
        return node

    return add


@pytest.fixture(scope="session")
def two_vertebrae(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The part of the sample MRI around L1 and L2: real, and quick to reconstruct."""
    path = tmp_path_factory.mktemp("mri") / "lumbar_part.nii"
    sitk.WriteImage(sitk.ReadImage(str(LUMBAR_T2))[:, 90:230, 40:125], str(path))
    return path


@pytest.fixture
def opened(panel):
    """The files that the desktop was asked to open; the test is the desktop."""
    import qt
    from PySide6.QtCore import Slot

    class Desktop(qt.QObject):
        def __init__(self) -> None:
            super().__init__()
            self.files: list[Path] = []

        @Slot(qt.QUrl)
        def open(self, url: Any) -> None:
            self.files.append(Path(url.toLocalFile()))

    desktop = Desktop()
    qt.QDesktopServices.setUrlHandler("file", desktop, "open")
    yield desktop.files
    qt.QDesktopServices.unsetUrlHandler("file")

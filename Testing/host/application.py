"""Slicer's shell for tests: `start()` puts ``slicer``, ``qt`` and ``ctk`` into ``sys.modules`` and `open_module` opens
a scripted module in it. What each stand-in leaves out is listed in README.md beside this file."""

from __future__ import annotations

import importlib
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import slicer as _wheel

from host import ctk_widgets, mrml, qmrml_widgets
from host.python_qt import make_qt

EXTENSION = Path(__file__).resolve().parents[2] / "MRI2MeshExtension"
_WHEEL_PATH = list(_wheel.__path__)


class App:
    """``slicer.app``. In testing mode, as Slicer's own tests run: messages are logged, questions answered with yes."""

    applicationName = "Slicer"
    majorVersion, minorVersion = 5, 10

    def __init__(self, qt: ModuleType, scene_application: Any, temporary: Path) -> None:
        self._qt = qt
        self._logic = scene_application.logic
        self.temporaryPath = str(temporary)
        self.slicerHome = sys.prefix
        self.aboutToQuit = qt.application.aboutToQuit

    def testingEnabled(self) -> bool:
        return True

    def commandOptions(self) -> SimpleNamespace:
        return SimpleNamespace(testingEnabled=True, noMainWindow=True)

    def processEvents(self) -> None:
        self._qt.application.processEvents()

    def applicationLogic(self) -> Any:
        return self._logic

    def layoutManager(self) -> None:
        """No views: what needs them is tested by rendering scenes."""

    def connect(self, signal: str, function: Callable[..., Any]) -> None:
        """startupCompleted() has been; aboutToQuit() is the application's."""
        if signal.startswith("startupCompleted"):
            function()
        elif signal.startswith("aboutToQuit"):
            self.aboutToQuit.connect(function)


def start(temporary: Path) -> Any:
    """The module ``slicer`` with a fresh scene, application, widgets and Python helpers; call again for a fresh one."""
    qt = sys.modules.get("qt") or make_qt()
    sys.modules["qt"] = qt
    ctk = ModuleType("ctk")
    for widget in (*ctk_widgets.WIDGETS, ctk_widgets.ctkMessageBox):
        setattr(ctk, widget.__name__, widget)
    sys.modules["ctk"] = ctk

    slicer = mrml.install(temporary)
    slicer.__path__ = _WHEEL_PATH
    slicer.app = App(qt, slicer.application, temporary)
    slicer.modules = SimpleNamespace(sampleDataSources={})
    for widget in qmrml_widgets.WIDGETS:
        setattr(slicer, widget.__name__, widget)
    i18n = ModuleType("slicer.i18n")
    i18n.tr = lambda text: text  # type: ignore[attr-defined]
    i18n.translate = lambda context, text: text  # type: ignore[attr-defined]
    _provide(slicer, "i18n", i18n)
    for name, file in (
        ("parameterNodeWrapper", "parameter_node"),
        ("ScriptedLoadableModule", "scripted_module"),
    ):
        _provide(slicer, name, importlib.import_module(f"host.{file}"))
    slicer.util = importlib.import_module("slicer.util")
    return slicer


def _provide(slicer: Any, name: str, module: ModuleType) -> None:
    setattr(slicer, name, module)
    sys.modules[f"slicer.{name}"] = module


def open_module(name: str, folder: Path = EXTENSION) -> Any:
    """The module's widget, set up and entered, as when it is chosen in Slicer's module list."""
    import qt
    import slicer

    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    code = importlib.import_module(name)
    parent = SimpleNamespace(path=str(folder / f"{name}.py"), title="", categories=[], dependencies=[])
    setattr(slicer.modules, name.lower(), parent)
    slicer.modules.module = getattr(code, name)(parent)
    panel = slicer.qMRMLWidget()
    panel.setLayout(qt.QVBoxLayout())
    panel.setMRMLScene(slicer.mrmlScene)
    widget = getattr(code, f"{name}Widget")(panel)
    widget.setup()
    widget.enter()
    panel.show()
    return widget


def load_volume(path: Path, name: str) -> Any:
    """A volume node from a file, as Slicer's *Add Data* makes it."""
    import slicer

    storage = slicer.vtkMRMLVolumeArchetypeStorageNode()
    storage.SetFileName(str(path))
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)
    assert storage.ReadData(node)
    slicer.mrmlScene.AddNode(storage)
    node.SetAndObserveStorageNodeID(storage.GetID())
    node.CreateDefaultDisplayNodes()
    return node


def wait_until(condition: Callable[[], Any], seconds: float = 60.0) -> Any:
    """Runs the event loop until the condition holds; its value. Raises TimeoutError."""
    import qt

    until = time.monotonic() + seconds
    while not (found := condition()):
        if time.monotonic() > until:
            raise TimeoutError(f"nothing happened within {seconds:g} s")
        qt.application.processEvents(qt.QEventLoop.AllEvents, 20)
        time.sleep(0.002)
    return found

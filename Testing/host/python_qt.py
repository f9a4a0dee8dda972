"""The module ``qt`` for tests: PySide6 with the manners of PythonQt.

PythonQt, which Slicer uses, puts the classes of all Qt libraries into one module and shows Qt properties as attributes
(``button.text``, ``button.enabled``) instead of methods. `make_qt` brings PySide6's classes to do the same; it changes
them for the whole process, which is why only tests import it. Not covered: connecting by signature
(``button.connect("clicked(bool)", f)``), which PySide6 keeps to itself: the module uses ``button.clicked.connect(f)``.
"""

from __future__ import annotations

import os
from types import ModuleType
from typing import Any
from xml.etree import ElementTree

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6 import QtCore, QtGui, QtUiTools, QtWidgets

LIBRARIES = (QtCore, QtGui, QtWidgets, QtUiTools)
STAY_METHODS = frozenset({"sizeHint", "minimumSizeHint", "singleShot"})
"""Getters that Qt itself calls as virtual methods (PySide6 would find the attribute), and QTimer's static one."""


def _as_attribute(cls: type, name: str) -> property:
    """The Qt property as a Python property; read and set by the methods of the object's own class."""
    capital = name[0].upper() + name[1:]
    getter = cls.__dict__.get(name)

    def read(self: Any) -> Any:
        if callable(getter):
            return getter.__get__(self)()
        for method in ("is" + capital, "has" + capital):
            if callable(getattr(self, method, None)):
                return getattr(self, method)()
        return self.property(name)

    def write(self: Any, value: Any) -> None:
        setter = getattr(self, "set" + capital, None)
        if setter is not None:
            setter(value)
        elif not self.setProperty(name, value):
            raise AttributeError(f"{cls.__name__}.{name} cannot be set")

    return property(read, write)


class _UiLoader(QtUiTools.QUiLoader):
    """Knows the widgets of ctk and qMRML, as Slicer's does by its designer plugins."""

    def __init__(self) -> None:
        super().__init__()
        from host import ctk_widgets, qmrml_widgets

        for widget in (*ctk_widgets.WIDGETS, *qmrml_widgets.WIDGETS):
            self.registerCustomWidget(widget)

    def load(self, file: Any, parent: Any = None) -> Any:
        """Sets of CTK's flags, which PySide6 cannot declare, are given to the widgets afterwards."""
        from host.ctk_widgets import ctkPathLineEdit

        tree = ElementTree.fromstring(bytes(file.readAll().data()))
        flags: dict[str, int] = {}
        for widget in tree.iterfind(".//widget[@class='ctkPathLineEdit']"):
            for one in widget.findall("property[@name='filters']"):
                names = [name.partition("::")[2] for name in one.findtext("set", "").split("|")]
                flags[widget.attrib["name"]] = sum(ctkPathLineEdit.Filter[name] for name in names)
                widget.remove(one)
        content = QtCore.QBuffer()
        content.setData(ElementTree.tostring(tree))
        content.open(QtCore.QIODevice.OpenModeFlag.ReadOnly)
        root = super().load(content, parent)
        for name, value in flags.items():
            root.findChild(ctkPathLineEdit, name).filters = value
        return root


def make_qt() -> ModuleType:
    """The module; the QApplication behind it is made on first use and lives as long as the process."""
    module = ModuleType("qt")
    application = QtWidgets.QApplication.instance() or QtWidgets.QApplication(["Slicer"])
    module.application = application  # type: ignore[attr-defined]
    for library in LIBRARIES:
        for name in dir(library):
            found = getattr(library, name)
            if name.startswith("Q") and (isinstance(found, type) or name == "Qt"):
                setattr(module, name, found)
                if isinstance(found, type) and issubclass(found, QtCore.QObject):
                    _bring_to_python_qt(found)
    # PythonQt takes a layout without items for false, and slicer.util.childWidgetVariables leaves out what is false.
    QtWidgets.QLayout.__bool__ = lambda self: not self.isEmpty()  # type: ignore[attr-defined]
    module.QUiLoader = _UiLoader  # type: ignore[attr-defined]
    return module


def _bring_to_python_qt(cls: type) -> None:
    meta = cls.staticMetaObject  # type: ignore[attr-defined]
    for index in range(meta.propertyOffset(), meta.propertyCount()):
        name = meta.property(index).name()
        if name not in STAY_METHODS and not isinstance(cls.__dict__.get(name), property):
            setattr(cls, name, _as_attribute(cls, name))
    if cls is QtCore.QObject:
        cls.name = cls.objectName  # type: ignore[attr-defined]
        cls.className = lambda self: self.metaObject().className()  # type: ignore[attr-defined]

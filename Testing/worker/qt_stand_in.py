"""PySide6's core as the module ``qt``, for the worker's client alone; the panel's tests have more of it in `host`."""

from __future__ import annotations

import os
import sys
from types import ModuleType


def install() -> ModuleType:
    """`mri2mesh_slicer.qt_process`, with an application whose events `process_events` handles. Raises ImportError."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from PySide6 import QtCore

    if QtCore.QCoreApplication.instance() is None:
        install.application = QtCore.QCoreApplication([])  # type: ignore[attr-defined]
    if "qt" not in sys.modules:
        qt = ModuleType("qt")
        vars(qt).update({name: getattr(QtCore, name) for name in dir(QtCore) if name.startswith("Q")})
        sys.modules["qt"] = qt
        from mri2mesh_slicer import qt_process

        del sys.modules["qt"]
    from mri2mesh_slicer import qt_process

    return qt_process


def process_events() -> None:
    from PySide6.QtCore import QCoreApplication

    QCoreApplication.processEvents()

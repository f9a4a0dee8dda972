"""The client's Qt side in the host's ``qt``, without scene and panel."""

from __future__ import annotations

import sys
from types import ModuleType

from host.python_qt import make_qt


def install() -> ModuleType:
    """`mri2mesh_slicer.jobs.qt_process`, whose signals `process_events` delivers."""
    sys.modules["qt"] = sys.modules.get("qt") or make_qt()
    from mri2mesh_slicer.jobs import qt_process

    return qt_process


def process_events() -> None:
    sys.modules["qt"].QCoreApplication.processEvents()

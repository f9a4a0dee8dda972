"""The module ``slicer`` for tests: real MRML of the slicer-core wheel, with the logics that Slicer attaches to its scene.

`install()` puts it into ``sys.modules``. Classes (``slicer.vtkMRMLModelNode``) are slicer-core's own; ``slicer.mrmlScene``
is a real scene with subject hierarchy, colours, data IO and module logics. What has a window is in other files.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from types import ModuleType
from typing import Any

import slicer_core

from mri2mesh.export.scene_worker import Application


class SlicerModule(ModuleType):
    """``slicer``: attributes of its own first, then the classes of slicer-core."""

    def __init__(self, application: Application) -> None:
        super().__init__("slicer")
        self.application = application
        self.mrmlScene = application.scene

    def __getattr__(self, name: str) -> Any:
        return getattr(slicer_core, name)


def install(cache: Path | None = None) -> SlicerModule:
    """A fresh scene behind ``import slicer``; call again for another one."""
    module = SlicerModule(Application(cache or Path(tempfile.mkdtemp(prefix="mri2mesh-"))))
    sys.modules["slicer"] = module
    return module

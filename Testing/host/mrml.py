"""The module ``slicer`` for tests: real MRML of the slicer-core wheel, with the logics Slicer attaches to its scene.

`install()` puts it into ``sys.modules``. Classes (``slicer.vtkMRMLModelNode``) are slicer-core's own, and
``slicer.mrmlScene`` is a real scene with subject hierarchy, colours, data IO and module logics. What has a window is in
other files.

Not covered: colours that Slicer reads from files other than those of `host.colours`, its terminology files, its default
nodes (layout, views, cameras, units, interaction), and all modules but volumes, segmentations, markups and subject
hierarchy.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from types import ModuleType
from typing import Any

import slicer_core

from host.colours import add_colours
from host.subject_hierarchy import SubjectHierarchyPlugins
from mri2mesh_slicer.runs.headless import Application


class SlicerModule(ModuleType):
    """``slicer``: attributes of its own first, then the classes of slicer-core."""

    application: Application
    mrmlScene: Any

    def __getattr__(self, name: str) -> Any:
        return getattr(slicer_core, name)

    def begin(self, cache: Path) -> None:
        """A fresh application with an empty scene."""
        self.application = Application(cache)
        self.mrmlScene = self.application.scene
        add_colours(self.mrmlScene)
        self.plugins = SubjectHierarchyPlugins(self.mrmlScene)


def install(cache: Path | None = None) -> SlicerModule:
    """A fresh scene behind ``import slicer``; call again for another one, in the same module."""
    module = sys.modules.get("slicer")
    if not isinstance(module, SlicerModule):
        module = sys.modules["slicer"] = SlicerModule("slicer")
    module.begin(cache or Path(tempfile.mkdtemp(prefix="mri2mesh-")))
    return module

"""The command line's ``--scene``: ``python -m mri2mesh_slicer.runs.write_scene RUN OUT.mrb``, in a process of its own.

RUN is a run's folder with, besides, ``image.nrrd`` and ``view.json`` (see `mri2mesh.export.scene`).
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import slicer

from mri2mesh_slicer.radiographs.first_views import add_views
from mri2mesh_slicer.runs.headless import Application
from mri2mesh_slicer.runs.results import read_run
from mri2mesh_slicer.runs.scene_building import add_run

_SCENE_VERSION = "Slicer 5.10.0 0"  # of the MRML written; "slicer-core 4.0.0" would draw a warning in Slicer


def build_scene(scene: Any, folder: Path) -> None:
    """The image, what `add_run` makes of the run, and views on it."""
    view = json.loads((folder / "view.json").read_text(encoding="utf-8"))
    image = add_image(scene, folder / "image.nrrd", view["window"])
    add_run(scene, read_run(folder), [image], name=view["name"])
    add_views(scene, image, view["centre_ras"], view["height_mm"])


def add_image(scene: Any, file: Path, window: Sequence[float]) -> Any:
    """A grey volume read by MRML. window: the values shown black and white."""
    node = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "Image")
    storage = slicer.vtkMRMLVolumeArchetypeStorageNode()
    storage.SetFileName(str(file))
    if not storage.ReadData(node):
        raise RuntimeError(f"MRML cannot read {file.name}")
    node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    display.SetAndObserveColorNodeID("vtkMRMLColorTableNodeGrey")
    display.AutoWindowLevelOff()
    display.SetWindowLevelMinMax(*window)
    hierarchy = scene.GetSubjectHierarchyNode()
    item = hierarchy.CreateItem(hierarchy.GetSceneItemID(), node)
    hierarchy.SetItemOwnerPluginName(item, "Volumes")
    return node


def main(arguments: Sequence[str]) -> int:
    """Status 0 and the file written, or 1 and the reason as the last line of standard error."""
    with tempfile.TemporaryDirectory(prefix="mri2mesh-") as cache:
        application = Application(Path(cache))
        application.scene.SetVersion(_SCENE_VERSION)
        build_scene(application.scene, Path(arguments[0]))
        if not application.scene.WriteToMRB(str(Path(arguments[1]))):
            print("MRML refused to pack the scene", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

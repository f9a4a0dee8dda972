"""Makes the pictures of the panel and of its results for Docs/: ``python Testing/host/make_pictures.py``.

The module is opened in the host, its own buttons are pressed, and Slicer's own views draw the scene.
``--spine DIR`` and ``--pelvis DIR`` take finished results of the samples instead of computing them with the worker.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "Testing"), str(ROOT / "MRI2MeshExtension")]
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from PIL import Image

from host.application import load_volume, open_module, start, wait_until
from host.views import SliceView, ThreeDView
from mri2mesh.engines.mri2mesh.localisation.named_level import parse_level
from mri2mesh.samples import LUMBAR_T2, LUMBAR_T2_LEVEL, PELVIS_FRONT, PELVIS_OBLIQUE

WIDTH = 470
DOCS = ROOT / "Docs"
LONG = 900.0


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=DOCS)
    parser.add_argument("--spine", type=Path, help="finished result of the sample MRI")
    parser.add_argument("--pelvis", type=Path, help="finished result of the sample radiographs")
    parser.add_argument("--only", choices=("spine", "pelvis"), help="the pictures of one sample")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    for take, result in ((spine, options.spine), (pelvis, options.pelvis)):
        if options.only not in (None, take.__name__):
            continue
        slicer = start(Path(tempfile.mkdtemp()))
        panel = open_module("MRI2Mesh")
        take(slicer, panel, result, options.out)
        panel.cleanup()
        panel.parent.close()


def spine(slicer: Any, panel: Any, result: Path | None, out: Path) -> None:
    """The panel after a run on the MRI, and the scene in a slice view and in 3D."""
    volume = load(LUMBAR_T2, "LumbarT2")
    panel.ui.inputSelector.setCurrentNode(volume)
    run(panel, result)
    name_the_levels(panel)
    grab(panel, out / "panel_mri.png")
    box = bounds([volume])
    centre, height = box.mean(0), float(np.ptp(box[:, 2]))
    place = slicer.util.arrayFromModelPoints(panel.panel.results.run.models[5]).mean(0)
    sagittal = slice_view(slicer, "Yellow", "Sagittal", volume, place)
    axial = slice_view(slicer, "Red", "Axial", volume, place)
    view = view_3d(slicer, centre, (0.75, -0.65, 0.1), 2.6 * height)
    save(out / "slicer_mri.png", [sagittal.picture(), axial.picture(), view.picture()])


def name_the_levels(panel: Any) -> None:
    """As a user's click on the vertebra that is known in the sample, where the sacrum is not in view."""
    from mri2mesh_slicer.runs.level_naming import name_level

    level = parse_level(LUMBAR_T2_LEVEL)
    name_level(panel.panel.results.run, level.point, level.name)
    panel.ui.levelSelector.setCurrentText(level.name)
    panel.panel.refresh()


def pelvis(slicer: Any, panel: Any, result: Path | None, out: Path) -> None:
    """The panel after a fit to two radiographs, the outlines over them, and both in 3D."""
    nodes = [load(PELVIS_FRONT, "PelvisFront"), load(PELVIS_OBLIQUE, "PelvisOblique")]
    panel.ui.inputSelector.setCurrentNode(nodes[0])
    inputs = panel.panel.method.inputs
    inputs.views.further.setCurrentNode(nodes[1])
    inputs.views.add_button.click()
    table = inputs.views.table
    wait_until(lambda: all("scale known" in table.item(row, 1).text() for row in range(2)), LONG)
    wait_until(lambda: not panel.panel.running.client.busy, LONG)
    run(panel, result)
    for node in nodes:
        node.CreateDefaultDisplayNodes()
        node.GetDisplayNode().SetAndObserveColorNodeID("vtkMRMLColorTableNodeInvertedGrey")
        pixels = slicer.util.arrayFromVolume(node)
        node.GetDisplayNode().AutoWindowLevelOff()
        node.GetDisplayNode().SetWindowLevelMinMax(*np.percentile(pixels, (1, 85)))
    slices = [SliceView(slicer.application, name, (480, 480)) for name in ("Red", "Yellow")]
    view = view_3d(slicer, (-40, 60, 0), (0.75, -1.0, 0.35), 1500.0)
    panel.ui.outlinesCheck.click()
    grab(panel, out / "panel_radiographs.png")
    save(out / "slicer_radiographs.png", [*(one.picture() for one in slices), view.picture()])


def run(panel: Any, result: Path | None) -> None:
    """Presses Run; with a finished result in place of the worker's answer."""
    if result is not None:
        panel.panel.running.client.shutdown()
        panel.panel.running.client = Finished(result)
    panel.ui.runButton.click()
    wait_until(lambda: not panel.panel.running.busy, LONG)
    if panel.panel.results.run is None:
        raise SystemExit(f"the run failed: {panel.ui.messageLabel.text}")


class Finished:
    """A client that answers with a copy of a finished result."""

    busy = False

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def run(self, request: dict[str, Any], *, on_done: Callable[[dict], None], **_others: Any) -> None:
        shutil.copytree(self._folder, request["out"])
        on_done({"out": request["out"], "status": 0})

    def cancel(self) -> None: ...

    def shutdown(self) -> None: ...


def load(path: Path, name: str) -> Any:
    """In grey."""
    node = load_volume(path, name)
    node.GetDisplayNode().SetAndObserveColorNodeID("vtkMRMLColorTableNodeGrey")
    return node


def bounds(nodes: list[Any]) -> np.ndarray:
    """[2, 3] corners of the box around nodes, RAS mm."""
    boxes = []
    for node in nodes:
        box = [0.0] * 6
        node.GetRASBounds(box)
        boxes.append(np.reshape(box, (3, 2)).T)
    return np.stack([np.min(boxes, 0)[0], np.max(boxes, 0)[1]])


def slice_view(slicer: Any, name: str, orientation: str, volume: Any, centre: np.ndarray) -> SliceView:
    slicer.vtkMRMLSliceNode.AddDefaultSliceOrientationPresets(slicer.mrmlScene, True)
    view = SliceView(slicer.application, name, (480, 480))
    view.node.SetOrientation(orientation)
    view.logic.GetSliceCompositeNode().SetBackgroundVolumeID(volume.GetID())
    view.logic.FitSliceToAll()
    view.node.JumpSliceByCentering(*centre)
    return view


def view_3d(slicer: Any, centre: Any, direction: tuple[float, float, float], distance: float) -> ThreeDView:
    view = ThreeDView(slicer.application, "1", (480, 480))
    way = np.array(direction) / np.linalg.norm(direction)
    camera = view.camera_node
    camera.SetFocalPoint(*centre)
    camera.SetPosition(*(np.asarray(centre) + distance * way))
    camera.SetViewUp(0, 0, 1)
    camera.ResetClippingRange()
    return view


def grab(panel: Any, path: Path) -> None:
    """The panel as tall as it needs to be."""
    import qt

    panel.parent.setFixedWidth(WIDTH)
    for _ in range(10):
        qt.application.processEvents()
    panel.parent.resize(WIDTH, panel.parent.sizeHint().height())
    for _ in range(10):
        qt.application.processEvents()
    panel.parent.grab().save(str(path))


def save(path: Path, pictures: list[np.ndarray]) -> None:
    """Side by side."""
    Image.fromarray(np.hstack(pictures)).save(path, optimize=True)


if __name__ == "__main__":
    main()

"""How long the window stands still while the panel runs, and whether many runs leave anything behind.

    python Testing/benchmarks/panel_responsiveness.py                  one run of the sample with the real worker
    python Testing/benchmarks/panel_responsiveness.py --repeat 200     and its result added and removed 200 times
    python Testing/benchmarks/panel_responsiveness.py --fit            a fit to the sample's two radiographs, watched

Prints the longest times that the event loop took for one turn, by the stage that was shown, and for the repetitions
memory and nodes before and after. In the host, not in Slicer: no views draw the models here; those of a fit have slice
views, which are not rendered.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "Testing"), str(ROOT / "MRI2MeshExtension")]
os.environ.setdefault("OMP_NUM_THREADS", "1")

from host.application import load_volume, open_module, start, wait_until
from host.views import SliceView
from mri2mesh.samples import LUMBAR_T2, PELVIS_FRONT, PELVIS_OBLIQUE

SLICE_VIEWS = ("Red", "Yellow", "Green")
TURNS_AFTER = 20
"""Turns of the event loop in which the panel answers what a run has changed."""


class ReadyClient:
    """Answers at once with a copy of a finished run; in place of the worker for the repetitions only."""

    busy = False

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def run(self, request: dict[str, Any], *, on_done: Callable[[dict], None], **_others: Any) -> None:
        shutil.copytree(self._folder, request["out"])
        on_done({"out": request["out"], "status": 0})

    def cancel(self) -> None: ...

    def shutdown(self) -> None: ...


def watch(panel: Any) -> dict[str, tuple[float, float]]:
    """Presses Run and turns the event loop until the end; stage -> longest turn, ms, and the most of the processor."""
    import qt

    longest: dict[str, tuple[float, float]] = {}

    def turn(stage: str, action: Callable[[], Any]) -> None:
        wall, processor = time.perf_counter(), time.thread_time()
        action()
        took = 1000 * (time.perf_counter() - wall), 1000 * (time.thread_time() - processor)
        before = longest.get(stage, (0.0, 0.0))
        longest[stage] = max(before[0], took[0]), max(before[1], took[1])

    turn("press Run", panel.ui.runButton.click)
    while panel.panel.running.busy:
        turn(panel.ui.stageLabel.text.partition(",")[0], qt.application.processEvents)
        time.sleep(0.001)
    for _ in range(TURNS_AFTER):
        turn("afterwards", qt.application.processEvents)
    return longest


def resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--image", type=Path, default=LUMBAR_T2)
    parser.add_argument("--fit", action="store_true", help="instead of the image")
    parser.add_argument("--result", type=Path, help="a finished run to repeat, instead of computing one")
    parser.add_argument("--repeat", type=int, default=0)
    options = parser.parse_args()

    slicer = start(Path(tempfile.mkdtemp()))
    panel = open_module("MRI2Mesh")
    choose(panel, PELVIS_FRONT if options.fit else options.image)
    views = [SliceView(slicer.application, name) for name in SLICE_VIEWS] if options.fit else []
    if options.fit:
        add_oblique(panel)
    result = options.result
    if result is None:
        result = keep_result(panel)
    if options.repeat:
        panel.panel.running.client.shutdown()
        panel.panel.running.client = ReadyClient(result)
        repeat(panel, slicer, options.repeat)
    panel.exit()
    panel.cleanup()
    views.clear()  # kept until here: nobody else does


def choose(panel: Any, image: Path) -> None:
    panel.ui.inputSelector.setCurrentNode(load_volume(image, image.stem))


def add_oblique(panel: Any) -> None:
    """The sample's second radiograph; both recognised."""
    table = panel.panel.method.inputs.views
    table.further.setCurrentNode(load_volume(PELVIS_OBLIQUE, PELVIS_OBLIQUE.stem))
    table.add_button.click()
    wait_until(lambda: all("scale known" in table.table.item(row, 1).text() for row in (0, 1)), 120)


def keep_result(panel: Any) -> Path:
    """One real run, reported; a copy of its folder."""
    kept = Path(tempfile.mkdtemp()) / "result"
    read = panel.panel.running._read

    def copy_and_read(event: dict[str, Any]) -> None:
        shutil.copytree(event["out"], kept)
        read(event)

    panel.panel.running._read = copy_and_read
    for stage, (wall, processor) in watch(panel).items():
        print(
            f"{stage[:28]:28s} longest turn of the event loop {wall:7.1f} ms, {processor:6.1f} ms of processor"
        )
    panel.panel.running._read = read
    return kept


def repeat(panel: Any, slicer: Any, times: int) -> None:
    for number in range(times + 1):
        turns = watch(panel).values()
        panel.ui.removeRunButton.click()
        slicer.mrmlScene.ClearUndoStack()
        if number in (0, 1, 5, times // 2, times):
            nodes = slicer.mrmlScene.GetNumberOfNodes()
            print(
                f"after {number:4d} runs: {resident_mb():7.1f} MB, {nodes} nodes, longest turn "
                f"{max(wall for wall, _ in turns):.1f} ms, {max(cpu for _, cpu in turns):.1f} ms of processor"
            )


if __name__ == "__main__":
    main()

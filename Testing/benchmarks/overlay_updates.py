"""How often per second an outline over a radiograph can follow its surface, all of MRML included.

    PYTHONPATH=MRI2MeshExtension:Testing python Testing/benchmarks/overlay_updates.py

One closed surface of 20,480 faces with folds, shown in a slice view and a 3D view. "scene": every node, observer and
pipeline up to the request to render. "drawn": the slice view rendered too, off-screen, at 800 x 720 pixels; the last
line says what rendering it takes when nothing has moved.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from geometry.solids import sphere
from host import mrml

slicer = mrml.install()

from vtk.util.numpy_support import vtk_to_numpy  # noqa: E402

from host.views import SliceView, ThreeDView  # noqa: E402
from mri2mesh_slicer.radiographs.display import place_radiograph  # noqa: E402
from mri2mesh_slicer.radiographs.silhouettes import SilhouetteOverlay  # noqa: E402
from radiographs.cameras import SIZE, uneven_camera  # noqa: E402
from radiographs.nodes import image_node, model_node, set_matrix, transform_node  # noqa: E402

TIMES = 100


def rate(change: Callable[[int], None]) -> str:
    """Updates per second of a clock, and of the processor's own time, which other programs do not slow; medians."""
    change(0)
    clock, processor = [], []
    for number in range(TIMES):
        start = time.perf_counter(), time.process_time()
        change(number)
        clock.append(time.perf_counter() - start[0])
        processor.append(time.process_time() - start[1])
    return f"{1 / np.median(clock):6.0f}/s, processor {1e3 * np.median(processor):5.1f} ms"


def main() -> None:
    scene = slicer.mrmlScene
    ball = sphere(60.0, subdivisions=5)
    folded = ball.with_vertices(ball.vertices * (1 + 0.05 * np.sin(ball.vertices[:, [1]] / 3)))
    model, transform = model_node(scene, folded), transform_node(scene, np.eye(4))
    model.SetAndObserveTransformNodeID(transform.GetID())
    radiograph = place_radiograph(scene, image_node(scene, np.zeros(SIZE, np.float32)), uneven_camera())
    slices, three = SliceView(slicer.application, "Red", (800, 720)), ThreeDView(slicer.application)
    radiograph.show_in_slice(slices.node)
    overlay = SilhouetteOverlay(scene, radiograph, [model])
    points = model.GetPolyData().GetPoints()
    places = vtk_to_numpy(points.GetData())
    original = places.copy()

    def turn(number: int) -> None:
        c, s = np.cos(number / 50), np.sin(number / 50)
        set_matrix(transform, np.array([[c, -s, 0, number / 10], [s, c, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]))

    def bend(number: int) -> None:
        places[:] = original * np.float32([1, 1 + number / 1000, 1])
        points.Modified()
        model.GetPolyData().Modified()

    def swing(number: int) -> None:
        radiograph.set_camera(uneven_camera(155 + number / 10))

    def rest(number: int) -> None:
        pass

    lines = overlay.outline_nodes[model].GetPolyData().GetNumberOfLines()
    print(f"{len(folded.faces)} faces, {lines} lines")
    print(f"{'what moves':12}{'scene':40}drawn")
    for name, change in (("transform", turn), ("vertices", bend), ("geometry", swing), ("nothing", rest)):

        def changed_and_drawn(number: int, change: Callable[[int], None] = change) -> None:
            change(number)
            slices.window.Render()

        slices.picture()
        three.picture()
        print(f"{name:12}{rate(change):40}{rate(changed_and_drawn)}", flush=True)


if __name__ == "__main__":
    main()

"""Makes Docs/surfaces_from_labels.png: ``python Testing/host/make_label_picture.py LABELS``.

LABELS is a whole label map, as that of case s0224 of the TotalSegmentator data set; L2 to L4 of every fourth slice are
given to marching cubes, to 3D Slicer's filters, and to the engine ``segmentation``, and shown beside the whole labels.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "MRI2MeshExtension")]

import numpy as np
import vtk
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from vtkmodules.util.numpy_support import vtk_to_numpy

from mri2mesh.anatomy.structures import STRUCTURES
from mri2mesh.engines.segmentation.engine import reconstruct
from mri2mesh.engines.segmentation.label_map import read_label_map
from mri2mesh.engines.segmentation.parts import patches_of
from mri2mesh.evaluation.segmentation.baselines import marching_cubes, slicer_closed_surface, thinned
from mri2mesh.evaluation.segmentation.evaluate import kept_slices, sliced_axis
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.vtk_bridge import to_polydata

BONES = {21: "L2", 22: "L3", 23: "L4"}
EVERY = 4
SIZE = (330, 520)
FROM = (-0.75, -0.6, 0.25)
"""Direction from which the camera looks: from behind and the left."""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("labels", type=Path, help="whole label map in VerSe's numbers")
    parser.add_argument("--out", type=Path, default=ROOT / "Docs" / "surfaces_from_labels.png")
    options = parser.parse_args()
    whole = read_label_map([options.labels], {})
    axis = sliced_axis(whole)
    patches = patches_of(whole, BONES)
    given = {name: thinned(patch, axis, EVERY, EVERY // 2) for name, patch in patches.items()}
    segments = tuple(f"{label}={name}" for label, name in BONES.items())
    result = reconstruct(kept_slices(whole, axis, EVERY), segments=segments)
    columns = {
        f"every {EVERY}th slice, marching cubes": {name: marching_cubes(one) for name, one in given.items()},
        "the same, smoothed as 3D Slicer does": {
            name: slicer_closed_surface(one) for name, one in given.items()
        },
        "the same, this engine": {one.name: one.mesh for one in result.structures},
        "all slices, marching cubes": {name: marching_cubes(one) for name, one in patches.items()},
    }
    seen = np.concatenate([mesh.vertices for meshes in columns.values() for mesh in meshes.values()])
    pictures = [_titled(_picture(meshes, seen), title) for title, meshes in columns.items()]
    image = Image.fromarray(np.concatenate(pictures, axis=1))
    options.out.parent.mkdir(parents=True, exist_ok=True)
    image.quantize(64, dither=Image.Dither.NONE).save(options.out, optimize=True)
    print(f"{options.out.name}: {options.out.stat().st_size / 1000:.0f} kB")


def _picture(meshes: dict[str, Mesh], seen: NDArray) -> NDArray[np.uint8]:
    """seen: [N, 3] what has to be in the picture, the same for all."""
    renderer = vtk.vtkRenderer()
    renderer.SetBackground(1, 1, 1)
    for name, mesh in meshes.items():
        mapper = vtk.vtkPolyDataMapper()
        mapper.SetInputData(to_polydata(mesh))
        mapper.ScalarVisibilityOff()
        actor = vtk.vtkActor()
        actor.SetMapper(mapper)
        actor.GetProperty().SetColor(*STRUCTURES[name].colour)
        actor.GetProperty().SetInterpolationToFlat()
        renderer.AddActor(actor)
    window = vtk.vtkRenderWindow()
    window.SetOffScreenRendering(1)
    window.SetMultiSamples(8)
    window.SetSize(*SIZE)
    window.AddRenderer(renderer)
    _look(renderer, seen)
    window.Render()
    grabbed = vtk.vtkWindowToImageFilter()
    grabbed.SetInput(window)
    grabbed.ReadFrontBufferOff()
    grabbed.Update()
    output = grabbed.GetOutput()
    pixels = vtk_to_numpy(output.GetPointData().GetScalars())
    return np.ascontiguousarray(pixels.reshape(SIZE[1], SIZE[0], -1)[::-1, :, :3])


def _look(renderer: vtk.vtkRenderer, points: NDArray) -> None:
    middle = (points.min(axis=0) + points.max(axis=0)) / 2
    camera = renderer.GetActiveCamera()
    direction = np.array(FROM) / np.linalg.norm(FROM)
    camera.SetFocalPoint(*middle)
    camera.SetPosition(*(middle + 500.0 * direction))
    camera.SetViewUp(0, 0, 1)
    camera.ParallelProjectionOn()
    across = np.cross(direction, [0.0, 0.0, 1.0])
    wide = float(np.ptp(points @ (across / np.linalg.norm(across))))
    camera.SetParallelScale(max(0.6 * float(np.ptp(points[:, 2])), 0.53 * wide * SIZE[1] / SIZE[0]))
    renderer.ResetCameraClippingRange()


def _titled(pixels: NDArray[np.uint8], title: str) -> NDArray[np.uint8]:
    image = Image.fromarray(pixels)
    ImageDraw.Draw(image).text((8, 6), title, fill=(60, 60, 60))
    return np.asarray(image)


if __name__ == "__main__":
    main()

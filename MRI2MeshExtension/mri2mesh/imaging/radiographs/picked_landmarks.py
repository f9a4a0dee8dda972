"""Landmarks of a markups file as pixels of a radiograph.

Two kinds of files are distinguished by where their points lie:

- picked in the radiograph, loaded in 3D Slicer as a two-dimensional image: all points lie in the image's own plane,
  and the file's origin, spacing and axes (as ITK reads them) turn them into pixels;
- picked in the patient, as in a CT: RAS mm in the frame of the camera, projected into every view.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import SimpleITK as sitk

from mri2mesh.errors import InputError
from mri2mesh.imaging.files import openable
from mri2mesh.imaging.itk import quiet
from mri2mesh.imaging.radiographs.markups_file import Point, read_markups
from mri2mesh.imaging.radiographs.radiograph import Radiograph

Pixel = tuple[float, float]
"""(column, row); the first pixel's centre is (0, 0)."""


def landmarks_of_views(
    files: Sequence[str | Path | None], images: Sequence[str | Path], radiographs: Sequence[Radiograph]
) -> list[dict[str, Pixel]]:
    """Per view the landmarks picked in it, by name. Give one file per image in their order, None for a
    view without, or one alone: picked in the patient for any number of views, or in the image where there is one.

    Raises InputError where the numbers do not fit, a file is no markups file, or a point is off its image.
    """
    if len(files) not in (1, len(images)):
        raise InputError(
            f"give one --landmarks file, or one per image: {len(files)} for {len(images)} images"
        )
    picked = [{} if path is None else read_markups(path) for path in files]
    found: list[dict[str, Pixel]] = []
    for number, (image, radiograph) in enumerate(zip(images, radiographs, strict=True)):
        points = picked[number if len(files) > 1 else 0]
        in_plane = pixels_in_image(points, image)
        if in_plane is None:
            found.append({name: _projected(point, radiograph) for name, point in points.items()})
            continue
        if len(files) < len(images):
            raise InputError(
                "landmarks picked in an image need one --landmarks file per image, in their order"
            )
        rows, columns = radiograph.pixels.shape
        for name, (column, row) in in_plane.items():
            if not (-0.5 <= column <= columns - 0.5 and -0.5 <= row <= rows - 0.5):
                raise InputError(
                    f"the landmark {name!r} is not on its image: give the files in the images' order"
                )
        found.append(in_plane)
    return found


def pixels_in_image(points: dict[str, Point], image: str | Path) -> dict[str, Pixel] | None:
    """Points, RAS mm, picked in a two-dimensional image file as pixels of it; None where one is out of its plane.

    Raises InputError for an image that cannot be read.
    """
    reader = sitk.ImageFileReader()
    try:
        with openable(Path(image)) as plain, quiet():
            reader.SetFileName(plain)
            reader.ReadImageInformation()
    except (RuntimeError, OSError, ValueError) as error:
        raise InputError("the radiograph cannot be read: check that its path is right") from error
    origin, spacing, axes = reader.GetOrigin(), reader.GetSpacing(), reader.GetDirection()
    n = len(spacing)
    result = {}
    for name, (right, anterior, superior) in points.items():
        offset = [a - b for a, b in zip((-right, -anterior, superior), (*origin, 0.0), strict=False)]
        along = [
            sum((axes[n * i + j] if max(i, j) < n else float(i == j)) * offset[i] for i in range(3))
            for j in range(3)
        ]
        if abs(along[2]) > 0.5 * min(spacing[:2]):
            return None
        result[name] = (along[0] / spacing[0], along[1] / spacing[1])
    return result


def _projected(point: Point, radiograph: Radiograph) -> Pixel:
    column, row = radiograph.camera.project(point)
    return float(column), float(row)

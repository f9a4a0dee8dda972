"""Picked points to a markups file that the worker reads, in the frame of the image they were picked in."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from mri2mesh.atomic import whole_file
from mri2mesh.errors import InputError
from mri2mesh.geometry.coordinates import flip_ras_lps
from mri2mesh.imaging.itk import quiet
from mri2mesh_slicer.inputs import ijk_to_ras
from mri2mesh_slicer.mrml_nodes import transform_to_world


@dataclass(frozen=True)
class TakenLandmarks:
    """Picked points out of the scene. positions: [N, 3] RAS mm in the frame of `take_landmarks`. pixels: [N, 2]
    (column, row) where all lie in the plane of the image they were picked in."""

    labels: tuple[str, ...]
    positions: NDArray[np.float64]
    pixels: NDArray[np.float64] | None

    def write(self, path: str | Path, image_file: str | Path | None = None) -> Path:
        """As ``.mrk.json``, LPS; touches no MRML, so a thread may do it. image_file: that of the image as the worker
        gets it; points in the image's plane are written where that file has them.
        Raises InputError for an unwritable folder."""
        positions = self.positions
        if self.pixels is not None and image_file is not None:
            positions = _in_file(self.pixels, image_file)
        content = {
            "markups": [
                {
                    "type": "Fiducial",
                    "coordinateSystem": "LPS",
                    "controlPoints": [
                        {"label": label, "position": position.tolist(), "positionStatus": "defined"}
                        for label, position in zip(self.labels, flip_ras_lps(positions), strict=True)
                    ],
                }
            ]
        }
        with whole_file(path) as temporary:
            temporary.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
        return Path(path)


def take_landmarks(markups: Any, *, picked_in: Any = None) -> TakenLandmarks:
    """The placed points of a markups node.

    picked_in: the radiograph's volume node, wherever it stands in the scene. Points picked in the patient are taken in
    that node's own coordinates, the frame of its geometry; without picked_in in world coordinates.
    Raises InputError for a node that has gone, or one without placed points.
    """
    if markups is None or markups.GetScene() is None:
        raise InputError("the landmarks are no longer in the scene: place them again, or go on without")
    points = _placed(markups)
    if not points:
        raise InputError(f"{markups.GetName()} holds no placed points: place them in the views")
    positions, pixels = np.array(list(points.values())), None
    if picked_in is not None:
        positions = _own(positions, picked_in)
        pixels = _pixels(positions, picked_in)
    return TakenLandmarks(tuple(points), positions, pixels)


def carry_landmarks(markups: Any, image: Any, ijk_to_ras: NDArray) -> None:
    """Points in the plane of an image stay on their pixels when it is about to get another IJK-to-RAS matrix, [4, 4];
    others, picked in the patient or in another image, stay where they are."""
    if markups is None:
        return
    to_world = transform_to_world(image)
    for n in range(markups.GetNumberOfControlPoints()):
        if markups.GetNthControlPointPositionStatus(n) != markups.PositionDefined:
            continue
        position = [0.0, 0.0, 0.0]
        markups.GetNthControlPointPositionWorld(n, position)
        pixels = _pixels(_own(np.array([position]), image), image)
        if pixels is not None:
            carried = ijk_to_ras[:3] @ [*pixels[0], 0.0, 1.0]
            markups.SetNthControlPointPositionWorld(n, to_world.TransformPoint(*carried))


def _placed(markups: Any) -> dict[str, tuple[float, float, float]]:
    """Label -> world RAS of the points that have a position."""
    points: dict[str, tuple[float, float, float]] = {}
    for n in range(markups.GetNumberOfControlPoints()):
        if markups.GetNthControlPointPositionStatus(n) != markups.PositionDefined:
            continue
        label = str(markups.GetNthControlPointLabel(n)).strip()
        if label in points:
            raise InputError(f"two landmarks are called {label!r}: rename or delete one")
        position = [0.0, 0.0, 0.0]
        markups.GetNthControlPointPositionWorld(n, position)
        points[label] = (position[0], position[1], position[2])
    return points


def _own(positions: NDArray, image: Any) -> NDArray[np.float64]:
    """World points in the own coordinates of a node, its parent transforms undone."""
    from_world = transform_to_world(image)
    from_world.Inverse()
    return np.array([from_world.TransformPoint(*position) for position in positions])


def _pixels(own: NDArray, image: Any) -> NDArray | None:
    """[N, 2] (column, row) of points in the plane of an image; None where one lies outside it."""
    matrix = ijk_to_ras(image)
    spacing = np.linalg.norm(matrix[:3, :3], axis=0)
    ijk = (np.linalg.inv(matrix) @ np.column_stack([own, np.ones(len(own))]).T).T[:, :3]
    if np.any(np.abs(ijk[:, 2]) * spacing[2] > 0.5 * spacing[:2].min()):
        return None
    return ijk[:, :2]


def _in_file(pixels: NDArray, file: str | Path) -> NDArray[np.float64]:
    """[N, 3] RAS where ITK puts these pixels of an image file; outside a file that is a stack, its first image."""
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(file))
    try:
        with quiet():
            reader.ReadImageInformation()
    except RuntimeError as error:
        raise InputError("the radiograph cannot be read: check that its file is still there") from error
    n = reader.GetDimension()
    axes = np.eye(3)
    axes[:n, :n] = np.reshape(reader.GetDirection(), (n, n))
    origin, spacing = np.zeros(3), np.ones(3)
    origin[:n], spacing[:n] = reader.GetOrigin(), reader.GetSpacing()
    return flip_ras_lps(origin + (pixels * spacing[:2]) @ axes[:, :2].T)

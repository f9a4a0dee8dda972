"""Planes through an image and the exact contours of surfaces on them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mri2mesh.anatomy.doubtful_levels import shown_name
from mri2mesh.anatomy.regions import is_body
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.plane_cut import plane_cut
from mri2mesh.geometry.volume import Volume
from mri2mesh.imaging.volumes.resampling import resample_to_grid
from mri2mesh.reconstruction import ReconstructedStructure, Reconstruction

MARGIN_MM = 25.0
"""Margin shown around the structures."""


@dataclass(frozen=True)
class View:
    """How a plane is shown, by radiological custom: RAS directions on the screen, and their letters.

    letters: what lies to the left, right, top and bottom of the picture.
    """

    name: str
    right: tuple[int, int, int]
    up: tuple[int, int, int]
    letters: str


SAGITTAL = View("sagittal", (0, -1, 0), (0, 0, 1), "APSI")
CORONAL = View("coronal", (-1, 0, 0), (0, 0, 1), "RLSI")
AXIAL = View("axial", (-1, 0, 0), (0, 1, 0), "RLAP")


@dataclass(frozen=True)
class Slice:
    """A plane of an image, square pixels.

    pixels: [rows, columns] float32, first row at the bottom. seen: same shape, true inside the image.
    extent: left, right, bottom, top edges in millimetres along ``view.right`` and ``view.up``.
    origin: [3] RAS point of the plane where those millimetres are zero.
    """

    view: View
    title: str
    pixels: NDArray[np.float32]
    seen: NDArray[np.bool_]
    extent: tuple[float, float, float, float]
    origin: NDArray[np.float64]

    def project(self, points: NDArray) -> NDArray[np.float64]:
        """[..., 3] RAS millimetres to [..., 2] millimetres on the picture (right, up)."""
        return (np.asarray(points, dtype=np.float64) - self.origin) @ np.array(
            [self.view.right, self.view.up]
        ).T

    def distance(self, points: NDArray) -> NDArray[np.float64]:
        """[...] signed millimetres from the plane."""
        normal = np.cross(self.view.right, self.view.up)
        return (np.asarray(points, dtype=np.float64) - self.origin) @ normal

    def depth(self, mesh: Mesh) -> float:
        """Extent of a surface across the plane, millimetres."""
        return float(np.ptp(self.distance(mesh.vertices)))

    def contours(self, mesh: Mesh) -> NDArray[np.float64]:
        """[S, 2, 2] line segments (ends, right/up millimetres) in which the plane cuts the surface."""
        normal = np.cross(self.view.right, self.view.up)
        return self.project(plane_cut(mesh, self.origin, normal).segments(mesh.vertices))


def take_slice(
    volume: Volume, view: View, through: NDArray, title: str, box: tuple[NDArray, NDArray] | None = None
) -> Slice:
    """The plane of an image through a point, linearly interpolated; pixels of the finest voxel spacing.

    through: [3] RAS millimetres. box: lowest and highest RAS coordinates to show; default the whole image.
    """
    pixel = max(0.4, float(volume.spacing.min()))
    right, up = np.array(view.right, dtype=float), np.array(view.up, dtype=float)
    normal = np.cross(right, up)
    low, high = box or image_bounds(volume)
    ends = np.sort([[low @ right, low @ up], [high @ right, high @ up]], axis=0)
    columns, rows = np.maximum(np.round((ends[1] - ends[0]) / pixel).astype(int), 1)
    origin = normal * (np.asarray(through, dtype=float) @ normal)
    matrix = np.eye(4)
    matrix[:3, :3] = np.stack([right, up, normal], axis=1) * pixel
    matrix[:3, 3] = origin + right * (ends[0, 0] + pixel / 2) + up * (ends[0, 1] + pixel / 2)
    values, seen = resample_to_grid(volume, matrix, (1, int(rows), int(columns)), order=1)
    extent = (ends[0, 0], ends[0, 0] + columns * pixel, ends[0, 1], ends[0, 1] + rows * pixel)
    return Slice(view, title, values[0], seen[0], extent, origin)


def standard_slices(reconstruction: Reconstruction, volume: Volume) -> list[Slice]:
    """Mid-sagittal, right and left parasagittal, coronal and axial planes through the spine.

    The axial and coronal planes go through the body of L3, or of the vertebra nearest the middle where there is no L3
    or it is the last at an end; the parasagittal ones 14 mm to the sides, about the pedicles, or less in a narrow
    image.
    """
    level, centre = _reference(reconstruction, volume)
    middle = _middle_of_bodies(reconstruction, centre)
    low, high = image_bounds(volume)
    right, left = min(14.0, 0.9 * (high[0] - middle[0])), min(14.0, 0.9 * (middle[0] - low[0]))
    aside = np.array([1.0, 0.0, 0.0])
    box = _around([item.mesh.vertices for item in reconstruction.structures], low, high)
    near = _around(
        [item.mesh.vertices for item in reconstruction.structures if item.name == level], low, high
    )
    kinds = {item.name: item.structure.kind for item in reconstruction.structures}
    shown = shown_name(level, kinds.get(level, ""), reconstruction.levels_certain)
    planes = [
        (SAGITTAL, middle + right * aside, f"Right, {right:.0f} mm", box),
        (SAGITTAL, middle, "Mid-sagittal", box),
        (SAGITTAL, middle - left * aside, f"Left, {left:.0f} mm", box),
        (CORONAL, centre, f"Coronal, {shown}", box),
        (AXIAL, centre, f"Axial, {shown}", near),
    ]
    return [take_slice(volume, view, through, title, around) for view, through, title, around in planes]


def body_centre(structure: ReconstructedStructure) -> NDArray[np.float64]:
    """[3] RAS: middle of the vertebral body where regions mark it, of the whole surface otherwise."""
    vertices, regions = structure.mesh.vertices.astype(np.float64), structure.mesh.regions
    if structure.structure.kind == "vertebra" and regions is not None and is_body(regions).any():
        vertices = vertices[is_body(regions)]
    return (vertices.min(axis=0) + vertices.max(axis=0)) / 2


def _reference(reconstruction: Reconstruction, volume: Volume) -> tuple[str, NDArray[np.float64]]:
    image_centre = volume.ras_from_ijk((np.array(volume.array.shape[::-1]) - 1) / 2)
    candidates = [s for s in reconstruction.structures if s.structure.kind == "vertebra"]
    l3 = [s for s in candidates[1:-1] if s.name == "L3"]
    candidates = l3 or candidates or list(reconstruction.structures)
    if not candidates:
        return "middle of the image", image_centre
    nearest = min(candidates, key=lambda s: abs(body_centre(s)[2] - image_centre[2]))
    return nearest.name, body_centre(nearest)


def _middle_of_bodies(reconstruction: Reconstruction, otherwise: NDArray) -> NDArray[np.float64]:
    centres = [body_centre(s) for s in reconstruction.structures]
    return np.median(centres, axis=0) if centres else otherwise


def _around(vertices: list[NDArray], low: NDArray, high: NDArray) -> tuple[NDArray, NDArray]:
    """The part of the image (low, high) around some surfaces, or all of it where none lies in it."""
    if not vertices:
        return low, high
    points = np.concatenate(vertices)
    near = np.maximum(points.min(axis=0) - MARGIN_MM, low)
    far = np.minimum(points.max(axis=0) + MARGIN_MM, high)
    return (near, far) if (far > near).all() else (low, high)


def image_bounds(volume: Volume) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """[3] lowest and [3] highest RAS coordinate of the image, to the outer faces of its voxels."""
    size = np.array(volume.array.shape[::-1])
    corners = volume.ras_from_ijk(
        np.stack(np.meshgrid(*[[-0.5, n - 0.5] for n in size]), axis=-1).reshape(-1, 3)
    )
    return corners.min(axis=0), corners.max(axis=0)

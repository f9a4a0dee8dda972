"""Vertices slid over the old surface until their edges are as long as wanted."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from vtkmodules.util.numpy_support import numpy_to_vtk, numpy_to_vtkIdTypeArray
from vtkmodules.vtkCommonCore import mutable, vtkPoints
from vtkmodules.vtkCommonDataModel import vtkCellArray, vtkPolyData, vtkStaticCellLocator

from mri2mesh.export.finite_elements.working_surface import (
    FREE,
    RIM,
    EdgeTable,
    WorkingSurface,
    edge_table,
    normals_of,
)
from mri2mesh.geometry.vtk_bridge import to_polydata

_TO_THE_MIDDLE, _SPRING = 0.4, 0.15
_LONGEST_STEP = 0.25
ANOTHER_SHEET = -0.5
"""Cosine between the normals of a vertex and of the surface near it below which they are two sides of thin bone."""
_SHARPEST_COSINE = -0.3
"""Neighbouring faces do not turn by more than 107 degrees unless they did before."""


class Ground:
    """The old surface and its rims: nearest places on either, and the edge length wanted there."""

    def __init__(self, surface: WorkingSurface, wanted: NDArray) -> None:
        """wanted: [V] millimetres at the vertices of the surface."""
        self._faces, self._wanted = surface.faces, wanted
        self.points = surface.points.astype(np.float32).astype(np.float64)
        self.samples = np.concatenate([self.points, self.points[edge_table(surface).pairs].mean(axis=1)])
        self.normals = vertex_normals(surface)
        faces = surface.face_normals()
        self._face_normals = faces / np.maximum(np.linalg.norm(faces, axis=1, keepdims=True), 1e-30)
        self._surface = _locator(to_polydata(surface.mesh()))
        self._rims = _locator(_lines(self.points, surface.rims)) if len(surface.rims) else None

    def on_surface(self, points: NDArray) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """[N, 3] the nearest places on the surface and [N] the length wanted there, millimetres."""
        places, wanted, _ = self.foot(points)
        return places, wanted

    def foot(self, points: NDArray) -> tuple[NDArray, NDArray, NDArray]:
        """Nearest places [N, 3], lengths wanted [N] and unit normals [N, 3] there."""
        places, cells = _closest(self._surface, points)
        corners = self._faces[cells]
        apart = np.linalg.norm(self.points[corners] - places[:, None], axis=2)
        weights = 1 / np.maximum(apart, 1e-6)
        wanted = (weights * self._wanted[corners]).sum(axis=1) / weights.sum(axis=1)
        return places, wanted, self._face_normals[cells]

    def on_rims(self, points: NDArray) -> NDArray[np.float64]:
        """[N, 3] the nearest places on the rims."""
        return points if self._rims is None else _closest(self._rims, points)[0]


def _locator(data: vtkPolyData) -> vtkStaticCellLocator:
    locator = vtkStaticCellLocator()
    locator.SetDataSet(data)
    locator.BuildLocator()
    return locator


def _lines(points: NDArray, pairs: NDArray) -> vtkPolyData:
    data, vtk_points, cells = vtkPolyData(), vtkPoints(), vtkCellArray()
    vtk_points.SetData(numpy_to_vtk(points, deep=True))
    offsets = np.arange(0, 2 * len(pairs) + 1, 2, dtype=np.int64)
    cells.SetData(
        numpy_to_vtkIdTypeArray(offsets, deep=True), numpy_to_vtkIdTypeArray(pairs.ravel(), deep=True)
    )
    data.SetPoints(vtk_points)
    data.SetLines(cells)
    return data


def _closest(locator: vtkStaticCellLocator, points: NDArray) -> tuple[NDArray, NDArray]:
    places, cells = np.empty((len(points), 3)), np.empty(len(points), np.int64)
    place, cell, sub, distance = [0.0, 0.0, 0.0], mutable(0), mutable(0), mutable(0.0)
    for index, point in enumerate(points.tolist()):
        locator.FindClosestPoint(point, place, cell, sub, distance)  # type: ignore[call-overload]
        places[index], cells[index] = place, int(cell)
    return places, cells


def slide(surface: WorkingSurface, wanted: NDArray, ground: Ground) -> tuple[WorkingSurface, NDArray]:
    """One step: free vertices towards even edges, vertices of a rim along it; also wanted [V] where they are now."""
    table, kinds, points = edge_table(surface), surface.vertex_kinds(), surface.points
    step = _pull(points, table, wanted)
    normals = vertex_normals(surface)
    step -= normals * np.einsum("ni,ni->n", step, normals)[:, None]
    moved = points.copy()
    free, rim = kinds == FREE, kinds == RIM
    moved[free] += _limited(step[free], _LONGEST_STEP * wanted[free])
    middle = _middle_of_rim_neighbours(points, surface.rims)
    moved[rim] = ground.on_rims(points[rim] + 0.5 * (middle[rim] - points[rim]))
    places, wanted_there, facing = ground.foot(moved)
    same = (
        np.einsum("ni,ni->n", facing, normals) > ANOTHER_SHEET
    )  # else the nearest place is on another sheet of thin bone
    moved[free] = np.where(same[:, None], places, points)[free]
    moved = without_folds(surface, table, moved)
    return WorkingSurface(moved, surface.faces, surface.zones, surface.rims, surface.corners), wanted_there


def _pull(points: NDArray, table: EdgeTable, wanted: NDArray) -> NDArray[np.float64]:
    """[V, 3] towards the middle of the neighbours, and along each edge that is too long or too short."""
    a, b = table.pairs.T
    along = points[b] - points[a]
    length = np.linalg.norm(along, axis=1, keepdims=True)
    stretch = _SPRING * (length - wanted[table.pairs].mean(axis=1, keepdims=True)) / np.maximum(length, 1e-9)
    count = np.bincount(table.pairs.ravel(), minlength=len(points))[:, None]
    pull = np.zeros_like(points)
    middle = _TO_THE_MIDDLE / np.maximum(count, 1)
    np.add.at(pull, a, along * (middle[a] + stretch))
    np.add.at(pull, b, -along * (middle[b] + stretch))
    return pull


def vertex_normals(surface: WorkingSurface) -> NDArray[np.float64]:
    """[V, 3] unit normals, the mean of the faces around each vertex weighted by their area."""
    normals = np.zeros_like(surface.points)
    np.add.at(normals, surface.faces, surface.face_normals()[:, None, :])
    return normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-30)


def _limited(step: NDArray, longest: NDArray) -> NDArray[np.float64]:
    size = np.linalg.norm(step, axis=1)
    return step * np.minimum(1, longest / np.maximum(size, 1e-30))[:, None]


def _middle_of_rim_neighbours(points: NDArray, rims: NDArray) -> NDArray[np.float64]:
    total, count = np.zeros_like(points), np.bincount(rims.ravel(), minlength=len(points))
    np.add.at(total, rims[:, 0], points[rims[:, 1]])
    np.add.at(total, rims[:, 1], points[rims[:, 0]])
    return total / np.maximum(count, 1)[:, None]


def without_folds(surface: WorkingSurface, table: EdgeTable, moved: NDArray) -> NDArray[np.float64]:
    """Where a face turned over, or two neighbours folded onto each other, their vertices go back to where they were."""
    moved, before = moved.copy(), surface.face_normals()
    sharp_before = _turn(before, table)
    for _ in range(4):
        now = normals_of(moved[surface.faces])
        over = np.einsum("ni,ni->n", now, before) <= 0.1 * np.einsum("ni,ni->n", before, before)
        turn = _turn(now, table)
        folded = table.faces[(turn < _SHARPEST_COSINE) & (turn < sharp_before)]
        over[folded] = True
        if not over.any():
            break
        back = np.unique(surface.faces[over])
        moved[back] = surface.points[back]
    return moved


def _turn(normals: NDArray, table: EdgeTable) -> NDArray[np.float64]:
    """[E] cosine between the normals of the two faces at an edge; 1 where there is one face."""
    unit = normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-30)
    first, second = table.faces.T
    return np.where(second < 0, 1.0, np.einsum("ni,ni->n", unit[first], unit[second]))

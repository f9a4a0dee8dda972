"""One bone in two topologies: for every vertex of a template, which point of another surface is the same place."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from vtkmodules.vtkCommonCore import mutable
from vtkmodules.vtkCommonDataModel import vtkGenericCell, vtkStaticCellLocator

from mri2mesh.anatomy.shape_models.fit import fit_shape
from mri2mesh.anatomy.shape_models.local_modes import flexible
from mri2mesh.anatomy.shape_models.model import ShapeModel
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.vtk_bridge import to_polydata


@dataclass(frozen=True)
class Correspondence:
    """Where each of V template vertices lies on another surface.

    corners: [V, 3] vertices of that surface. weights: [V, 3] barycentric, summing to 1. distance_mm: [V] how far the
    fitted template was from the surface there: large where that surface lacks the place.
    """

    corners: NDArray[np.int64]
    weights: NDArray[np.float64]
    distance_mm: NDArray[np.float64]

    def resample(self, vertices: NDArray) -> NDArray[np.float64]:
        """[..., V, 3] the template's vertices on shapes [..., W, 3] that have the other surface's topology."""
        return np.asarray(np.einsum("vk,...vkc->...vc", self.weights, vertices[..., self.corners, :]))


def correspondence(template: ShapeModel, surface: Mesh, *, scale: bool = True) -> Correspondence:
    """The template, made flexible, is laid on the surface; each vertex then goes to the nearest point of it.

    The surface must lie about as the template does (upright, RAS). Raises InputError as `fit_shape` does.
    """
    fitted = fit_shape(flexible(template), surface, scale=scale, rounds=80, noise_mm=0.5)
    return nearest(surface, fitted.vertices)


def nearest(surface: Mesh, points: NDArray) -> Correspondence:
    """The nearest point of a surface to each of the points [V, 3]."""
    locator = vtkStaticCellLocator()
    locator.SetDataSet(to_polydata(Mesh(surface.vertices, surface.faces)))
    locator.BuildLocator()
    found, cell, squared = np.zeros(3), vtkGenericCell(), mutable(0.0)
    number, sub = mutable(0), mutable(0)
    places = np.empty((len(points), 3))
    face = np.empty(len(points), np.int64)
    for row, point in enumerate(np.asarray(points, dtype=np.float64)):
        locator.FindClosestPoint(point, found, cell, number, sub, squared)  # type: ignore[call-overload]
        places[row], face[row] = found, int(number)
    corners = surface.faces[face]
    weights = barycentric(places, surface.vertices[corners].astype(np.float64))
    return Correspondence(corners, weights, np.linalg.norm(places - points, axis=1))


def barycentric(points: NDArray, triangles: NDArray) -> NDArray[np.float64]:
    """[N, 3] weights of points [N, 3] in the planes of triangles [N, 3, 3], kept within the triangle."""
    a, b, c = triangles[:, 0], triangles[:, 1], triangles[:, 2]
    u, v, w = b - a, c - a, points - a
    uu, uv, vv = (u * u).sum(1), (u * v).sum(1), (v * v).sum(1)
    wu, wv = (w * u).sum(1), (w * v).sum(1)
    area = np.maximum(uu * vv - uv * uv, 1e-12)
    second, third = (vv * wu - uv * wv) / area, (uu * wv - uv * wu) / area
    weights = np.clip(np.stack([1 - second - third, second, third], axis=1), 0.0, 1.0)
    return np.asarray(weights / weights.sum(1, keepdims=True))

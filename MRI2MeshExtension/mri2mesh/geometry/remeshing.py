"""Other triangles for the same surface: cleaned, closed, evenly spaced, fewer."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from vtkmodules.vtkFiltersModeling import vtkFillHolesFilter

from mri2mesh.geometry.checks import is_watertight, outward
from mri2mesh.geometry.connectivity import (
    component_labels,
    euler_characteristic,
    largest_component,
    select_faces,
)
from mri2mesh.geometry.edges import directed_edges
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.vtk_bridge import from_polydata, to_polydata


def clean(mesh: Mesh, *, tolerance_mm: float = 0.0, largest: bool = False) -> Mesh:
    """Equal vertices merged; faces without three vertices, faces said twice and unused vertices dropped.

    tolerance_mm: vertices are merged when they round to the same multiple of this; 0 merges equal ones only.
    largest: keep only the connected piece with most faces.
    Point data of merged vertices is that of the first.
    """
    keys = mesh.vertices if tolerance_mm <= 0 else np.round(mesh.vertices / tolerance_mm)
    first, inverse = np.unique(keys + 0.0, axis=0, return_index=True, return_inverse=True)[1:]
    order = np.argsort(first, kind="stable")  # vertices keep the order they came in
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    faces = rank[inverse.ravel()][mesh.faces]
    keep = first[order]
    merged = Mesh(mesh.vertices[keep], faces, {name: v[keep] for name, v in mesh.point_data.items()})
    proper = (faces[:, 0] != faces[:, 1]) & (faces[:, 1] != faces[:, 2]) & (faces[:, 2] != faces[:, 0])
    once = np.zeros(len(faces), bool)
    once[np.unique(np.sort(faces, axis=1), axis=0, return_index=True)[1]] = True
    merged = select_faces(merged, proper & once)
    return largest_component(merged) if largest else merged


def fill_holes(mesh: Mesh) -> Mesh:
    """The surface with every hole closed by triangles between the vertices on its rim; outward.

    A hole's rim is triangulated as it is: right for gaps and for planar cuts, not for missing halves.
    Vertices and point data are kept.
    """
    if is_watertight(mesh):
        return outward(mesh)
    fill = vtkFillHolesFilter()
    fill.SetHoleSize(1e6)
    fill.SetInputData(to_polydata(replace(mesh, point_data={})))
    fill.Update()
    return outward(replace(mesh, faces=from_polydata(fill.GetOutput()).faces))


def remesh(mesh: Mesh, n_vertices: int) -> Mesh:
    """About n_vertices evenly spaced vertices on the same surface (pyacvd; Valette and Chassery 2004).

    Point data follows as in `transfer_point_data`. A closed surface comes back closed and outward,
    with the pieces and handles it had.

    Raises ValueError when that cannot be had at this number of vertices.
    """
    import pyacvd
    import pyvista

    if n_vertices < 4 or not len(mesh.faces):
        raise ValueError(f"cannot spread {n_vertices} vertices over {len(mesh.faces)} faces")
    closed = is_watertight(mesh)
    for density in (5, 20, 60):  # clusters of too few triangles leave bridges and holes: divide finer
        divisions = int(np.ceil(np.log(max(density * n_vertices / len(mesh.vertices), 1)) / np.log(4)))
        with warnings.catch_warnings():  # pyacvd speaks to older versions of pyvista
            warnings.simplefilter("ignore")
            clusters = pyacvd.Clustering(pyvista.PolyData(to_polydata(Mesh(mesh.vertices, mesh.faces))))
            if divisions:
                clusters.subdivide(divisions)
            clusters.cluster(n_vertices)
            result = from_polydata(clusters.create_mesh())
        result = clean(Mesh(result.vertices, result.faces))
        if closed:
            result = fill_holes(_without_fins(result))
        if not closed or _same_shape(result, mesh):
            return transfer_point_data(mesh, result)
    raise ValueError(f"{n_vertices} vertices are too few to hold the shape of this surface")


def decimate(mesh: Mesh, n_faces: int) -> Mesh:
    """At most about n_faces faces where they matter most (fast-simplification, quadric error).

    Point data follows as in `transfer_point_data`. A closed surface comes back closed, with the
    pieces and handles it had.

    Raises ValueError when that cannot be had at this number of faces.
    """
    import fast_simplification

    if n_faces >= len(mesh.faces):
        return mesh
    points = np.ascontiguousarray(mesh.vertices)
    triangles = np.ascontiguousarray(mesh.faces.astype(np.int32))
    for aggression in (5.0, 7.0, 3.0):
        result = clean(
            Mesh(*fast_simplification.simplify(points, triangles, target_count=n_faces, agg=aggression))
        )
        if not is_watertight(mesh) or _same_shape(result, mesh):
            return transfer_point_data(mesh, result)
    raise ValueError(f"{n_faces} faces are too few to hold the shape of this surface")


def transfer_point_data(source: Mesh, target: Mesh) -> Mesh:
    """The target with the source's point data, read at the place of the source nearest to each vertex.

    Integers and booleans (labels) come from the nearest corner of the face there; floats are interpolated.
    """
    if not source.point_data:
        return target
    corners, weights = nearest_on_faces(target.vertices, source)
    nearest = corners[np.arange(len(corners)), weights.argmax(axis=1)]
    data = {}
    for name, values in source.point_data.items():
        values = np.asarray(values)
        if np.issubdtype(values.dtype, np.floating):
            blend = np.einsum("vc,vc...->v...", weights, values[corners].astype(np.float64))
            data[name] = blend.astype(values.dtype)
        else:
            data[name] = values[nearest]
    return target.with_point_data(**data)


def nearest_on_faces(points: NDArray, mesh: Mesh) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """[N, 3] vertices of the face nearest to each point and [N, 3] weights of the nearest place on it."""
    faces, places = nearest_places(points, mesh)
    corners = mesh.faces[faces]
    a, b, c = np.moveaxis(mesh.vertices.astype(np.float64)[corners], 1, 0)
    u, v, w = b - a, c - a, places - a
    uu, uv, vv = (np.einsum("ni,ni->n", p, q) for p, q in ((u, u), (u, v), (v, v)))
    wu, wv = np.einsum("ni,ni->n", w, u), np.einsum("ni,ni->n", w, v)
    area = np.maximum(uu * vv - uv * uv, 1e-30)
    second, third = (vv * wu - uv * wv) / area, (uu * wv - uv * wu) / area
    weights = np.clip(np.stack([1 - second - third, second, third], axis=1), 0, 1)
    return corners, weights / weights.sum(axis=1, keepdims=True)


def nearest_places(points: NDArray, mesh: Mesh) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """[N] the face nearest to each point [N, 3], and [N, 3] the place on it, millimetres."""
    from vtkmodules.vtkCommonCore import mutable
    from vtkmodules.vtkCommonDataModel import vtkStaticCellLocator

    locator = vtkStaticCellLocator()
    locator.SetDataSet(to_polydata(Mesh(mesh.vertices, mesh.faces)))
    locator.BuildLocator()
    places, cells = np.empty((len(points), 3)), np.empty(len(points), np.int64)
    place, cell, sub, distance = [0.0, 0.0, 0.0], mutable(0), mutable(0), mutable(0.0)
    for index, point in enumerate(points.tolist()):
        locator.FindClosestPoint(point, place, cell, sub, distance)  # type: ignore[call-overload]
        places[index], cells[index] = place, int(cell)
    return cells, places


def _without_fins(mesh: Mesh) -> Mesh:
    """Faces dropped that hang in the air by one edge or from an edge two others share: clustering leaves a few."""
    while len(mesh.faces):
        undirected = np.sort(directed_edges(mesh.faces), axis=1)
        edge, count = np.unique(undirected, axis=0, return_inverse=True, return_counts=True)[1:]
        uses = count[edge.ravel()].reshape(3, -1)  # faces on each of a face's three edges
        fins = ((uses > 2).any(axis=0) & (uses == 1).any(axis=0)) | ((uses == 1).sum(axis=0) > 1)
        if not fins.any():
            break
        mesh = select_faces(mesh, ~fins)
    return mesh


def _same_shape(result: Mesh, mesh: Mesh) -> bool:
    """Closed, and of the same topology as the other surface."""
    return (
        is_watertight(result)
        and component_labels(result)[0] == component_labels(mesh)[0]
        and euler_characteristic(result) == euler_characteristic(mesh)
    )

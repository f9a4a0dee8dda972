"""The sacrum with its coccyx: the 26 whole sacra of the lower-limb model, continued by the Visible Human's coccyx.

The source's sacra end at the sacral apex, while labels of most tools go on to the coccyx. So the mean sacrum gets the
coccyx of a subject who has one, brought to it where both overlap; both are made one solid, symmetric and of even
triangles. The 26 subjects then ride on the triangles of the mean they lie on; the coccyx, which none of them has, goes
with the apex: how it varies is added where the model is used (`engines.segmentation.fitting.coccyx`).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import trimesh
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, gaussian_filter

from building.anatomy.sources import read_surface
from building.anatomy.symmetry import symmetric_remesh, to_pyvista
from mri2mesh.anatomy.shape_models.model import ShapeModel
from mri2mesh.geometry.checks import is_watertight
from mri2mesh.geometry.isosurface import surface_from_field
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.repair import untangle
from mri2mesh.geometry.transforms import apply, rigid_fit
from mri2mesh.geometry.volume import Volume
from mri2mesh.geometry.voxelise import voxelise
from mri2mesh.shape_building.correspondence import onto_surface

N_VERTICES = 4400
"""About 3 mm apart."""
APEX_MM = 14.0
"""Height of the part at the lower end of the source's sacra that says how the coccyx goes on."""
OVERLAP_MM = 8.0
"""How far the coccyx reaches up into the sacrum, so that both become one solid."""
_GRID_MM = 0.8


@dataclass(frozen=True)
class Sacra:
    """shapes: [S, V, 3] mm RAS in correspondence. faces: [F, 3]. mirror: [V]. coccyx: indices of its vertices."""

    shapes: NDArray[np.float64]
    faces: NDArray[np.int64]
    mirror: NDArray[np.int64]
    coccyx: NDArray[np.int64]


def build_sacra(shapes: NDArray, model: ShapeModel, data: Path) -> Sacra:
    """shapes: [S, U, 3] the source's sacra, aligned. model: of them, with local modes, its mean theirs. Minutes on one
    core."""
    mean = Mesh(shapes.mean(axis=0), model.faces)
    coccyx = _coccyx_at(model, data)
    solid, apex = _one_solid(mean, coccyx)
    even, mirror = _even(solid)
    vertices = even.vertices.astype(np.float64)
    ridden = _ridden(vertices, mean, shapes, apex)
    sound = [untangle(even.with_vertices(shape)).mesh.vertices.astype(np.float64) for shape in ridden]
    return Sacra(np.stack(sound), even.faces, mirror, np.flatnonzero(vertices[:, 2] < apex))


def _even(solid: trimesh.Trimesh) -> tuple[Mesh, NDArray]:
    """Even, symmetric triangles, and the mirror permutation. Where halves are welded in the narrow coccyx an edge can
    get four faces: then with a few vertices more."""
    for more in range(0, 400, 50):
        even, mirror = symmetric_remesh(solid, N_VERTICES + more)
        mesh = Mesh(even.vertices, even.faces)
        if is_watertight(mesh):
            return untangle(mesh).mesh, mirror
    raise ValueError("the sacrum could not be remeshed as a closed surface")


def _coccyx_at(model: ShapeModel, data: Path) -> Mesh:
    """The Visible Human's sacrum, moved until its apex is that of the model's mean."""
    bone = read_surface(data / "visible_human_male" / "S1.ply")
    there = onto_surface(model, Mesh(bone.vertices, bone.faces), upright=True).vertices.astype(np.float64)
    near_apex = model.mean[:, 2] < model.mean[:, 2].min() + APEX_MM
    moved = apply(rigid_fit(there[near_apex], model.mean[near_apex]), bone.vertices)
    return Mesh(moved.astype(np.float32), bone.faces)


def _one_solid(sacrum: Mesh, coccyx: Mesh) -> tuple[trimesh.Trimesh, float]:
    """Sacrum and what of the other bone lies below its apex, as one symmetric surface; and the apex's height."""
    apex = float(sacrum.vertices[:, 2].min())
    both = np.concatenate([sacrum.vertices, coccyx.vertices])
    low, high = both.min(axis=0) - 5.0, both.max(axis=0) + 5.0
    half = np.ceil(max(-low[0], high[0]) / _GRID_MM) * _GRID_MM
    low[0], high[0] = -half, half
    matrix = np.diag([_GRID_MM] * 3 + [1.0])
    matrix[:3, 3] = low
    grid = Volume(np.zeros((np.round((high - low) / _GRID_MM).astype(int) + 1)[::-1], np.uint8), matrix)
    upper, lower = _depth(sacrum, grid), _depth(coccyx, grid)
    height = (low[2] + _GRID_MM * np.arange(upper.shape[0]))[:, None, None]
    lower = np.minimum(lower, apex + OVERLAP_MM - height)
    depth = np.maximum(upper, lower)
    depth = gaussian_filter((depth + depth[:, :, ::-1]) / 2, 1.0).astype(np.float32)
    surface = surface_from_field(Volume(depth, matrix), 0.0)
    bone = trimesh.Trimesh(surface.vertices, surface.faces, process=True)
    return max(bone.split(only_watertight=False), key=lambda piece: len(piece.faces)), apex


def _depth(mesh: Mesh, grid: Volume) -> NDArray[np.float64]:
    inside = voxelise(mesh, grid)
    return np.asarray(_GRID_MM * (distance_transform_edt(inside) - distance_transform_edt(~inside)))


def _ridden(vertices: NDArray, mean: Mesh, shapes: NDArray, apex: float) -> NDArray[np.float64]:
    """[S, V, 3] every vertex moved as the place of the mean next to it, the coccyx with the whole of the apex."""
    surface = trimesh.Trimesh(mean.vertices, mean.faces, process=False)
    triangle, points = to_pyvista(surface).find_closest_cell(vertices, return_closest_point=True)  # type: ignore[misc]
    weights = trimesh.triangles.points_to_barycentric(surface.triangles[triangle], points)
    corners = mean.faces[triangle]
    moved = np.einsum("vk,svkd->svd", weights, shapes[:, corners] - mean.vertices[corners])
    tip = mean.vertices[:, 2] < apex + APEX_MM
    carried = np.stack(
        [apply(rigid_fit(mean.vertices[tip], shape[tip]), vertices) - vertices for shape in shapes]
    )
    share = np.clip((apex + OVERLAP_MM / 2 - vertices[:, 2]) / OVERLAP_MM, 0.0, 1.0)[:, None]
    return vertices + (1 - share) * moved + share * carried

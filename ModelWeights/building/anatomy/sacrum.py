"""The sacrum template and the body of S1 cut from it: the Visible Human's sacrum, symmetric, in the frame of S1."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import trimesh
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, gaussian_filter
from scipy.spatial import cKDTree

from building.anatomy.sources import read_surface
from building.anatomy.symmetry import symmetric_remesh
from mri2mesh.anatomy.measures import solid_centroid
from mri2mesh.anatomy.regions import Region
from mri2mesh.geometry.isosurface import surface_from_field
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.volume import Volume
from mri2mesh.geometry.voxelise import voxelise

_GRID_MM = 1.0
_CUT_ROUNDING_MM = 3.0
_COCCYX_MM = 25.0
"""Length left off at the lower end: too thin for the mesh, and hardly in a lumbar image."""


@dataclass(frozen=True)
class SacrumTemplate:
    """Whole sacrum and body of S1 in the frame of S1, both symmetric, with their mirror permutations."""

    sacrum: Mesh
    sacrum_mirror: NDArray
    body: Mesh
    body_mirror: NDArray


def build_sacrum_template(data: Path, n_sacrum: int = 3000, n_body: int = 1250) -> SacrumTemplate:
    """The template from the training data folder."""
    folder = data / "visible_human_male"
    bone = _on_endplate(read_surface(folder / "S1.ply"), read_surface(folder / "disc_L5-S1.ply"))
    grid, depth = _signed_depth(bone)
    x, y, z = np.moveaxis(_centres(grid), -1, 0)
    above_coccyx = z - (bone.vertices[:, 2].min() + _COCCYX_MM)
    blurred = gaussian_filter(depth, 1.2)  # closes the finest foramina
    whole = _surface(Volume(_soft_minimum(blurred, above_coccyx), grid.ijk_to_ras))
    cut = Volume(_soft_minimum(depth, *_body_cuts(x, y, z)), grid.ijk_to_ras)
    sacrum, sacrum_mirror = symmetric_remesh(whole, n_sacrum)
    body, body_mirror = symmetric_remesh(_surface(cut), n_body)
    body_mesh = Mesh(body.vertices, body.faces, {"region": _body_regions(body)})
    shift = solid_centroid(body_mesh) * [0, 1, 1]
    return SacrumTemplate(
        Mesh(sacrum.vertices - shift, sacrum.faces),
        sacrum_mirror,
        body_mesh.with_vertices(body_mesh.vertices - shift),
        body_mirror,
    )


def _body_cuts(x: NDArray, y: NDArray, z: NDArray) -> tuple[NDArray, NDArray, NDArray]:
    """Depth in mm inside the three cuts that part the body of S1 from the rest, in the frame of its endplate.

    Towards the alae, the canal and its pedicles, and S2; read off sections of this very sacrum: the front of the
    canal runs from y = -12 at the endplate to -22 at S2, the first anterior foramina lie beyond |x| = 19 at z = -28.
    """
    alae = 28.5 + 0.32 * z - np.abs(x)
    canal = y - (-12.2 + 0.35 * z)
    s2 = z + 25.5 + 0.2 * (y + 24.0)
    return alae, canal, s2


def _body_regions(body: trimesh.Trimesh) -> NDArray:
    """[V] endplate above, cuts towards alae, pedicles and S2, the free walls in front and behind."""
    x, y, z = body.vertices.T
    alae, canal, s2 = _body_cuts(x, y, z)
    regions = np.full(len(x), int(Region.BODY), dtype=np.uint8)
    regions[(alae < 2.0) | (s2 < 1.5) | ((canal < 1.5) & (np.abs(x) > 16.0 + 0.1 * z))] = Region.CUT
    regions[(body.vertex_normals[:, 2] > 0.6) & (z > -9.0)] = Region.SUPERIOR_ENDPLATE
    return regions


def _on_endplate(bone: trimesh.Trimesh, disc: trimesh.Trimesh) -> trimesh.Trimesh:
    """The sacrum with its origin in the middle of the S1 endplate, z along its normal.

    The endplate is what of the bone touches the disc above it. The bone is symmetric about x = 0 already.
    """
    reach, _ = cKDTree(disc.subdivide().subdivide().vertices).query(bone.vertices)
    endplate = (reach < 2.5) & (bone.vertex_normals[:, 2] > 0.4)
    faces = endplate[bone.faces].all(axis=1)
    z = (bone.area_faces[faces, None] * bone.face_normals[faces]).sum(axis=0) * [0, 1, 1]
    z /= np.linalg.norm(z)
    x = np.array([1.0, 0.0, 0.0])
    centre = bone.vertices[endplate].mean(axis=0) * [0, 1, 1]
    vertices = (bone.vertices - centre) @ np.stack([x, np.cross(z, x), z]).T
    return trimesh.Trimesh(vertices, bone.faces, process=False)


def _signed_depth(bone: trimesh.Trimesh) -> tuple[Volume, NDArray]:
    """A grid symmetric about x = 0 around the bone, and the depth in mm below its surface at each voxel centre."""
    low, high = bone.bounds[0] - 6.0, bone.bounds[1] + 6.0
    side = np.ceil(max(-low[0], high[0]))
    low[0], high[0] = -side, side
    shape = np.round((high - low) / _GRID_MM).astype(int) + 1
    matrix = np.diag([_GRID_MM, _GRID_MM, _GRID_MM, 1.0])
    matrix[:3, 3] = low
    grid = Volume(np.zeros(shape[::-1], np.uint8), matrix)
    inside = voxelise(Mesh(bone.vertices, bone.faces), grid)
    inside |= inside[:, :, ::-1]
    depth = _GRID_MM * (distance_transform_edt(inside) - distance_transform_edt(~inside))
    return grid, gaussian_filter(depth.astype(np.float32), 0.8)


def _centres(grid: Volume) -> NDArray:
    """[K, J, I, 3] voxel centres in mm."""
    k, j, i = np.indices(grid.array.shape)
    return grid.ras_from_ijk(np.stack([i, j, k], axis=-1))


def _soft_minimum(*depths: NDArray) -> NDArray[np.float32]:
    """The smallest depth, edges between two cuts rounded off."""
    total = sum(np.exp(-np.clip(depth, -40, 40) / _CUT_ROUNDING_MM * 2) for depth in depths)
    return (-np.log(total) * _CUT_ROUNDING_MM / 2).astype(np.float32)


def _surface(depth: Volume) -> trimesh.Trimesh:
    mesh = surface_from_field(depth, 0.0)
    surface = trimesh.Trimesh(mesh.vertices, mesh.faces, process=True)
    return max(surface.split(only_watertight=False), key=lambda part: len(part.faces))

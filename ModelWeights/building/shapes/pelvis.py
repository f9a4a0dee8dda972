"""The pelvis atlas in one symmetric topology: left hip, right hip and sacrum of 40 subjects and their mirror images.

The atlas's own correspondences are mended, then carried over to a template of evenly spaced triangles: a left hip, its
mirror image for the right, a sacrum that is its own mirror image. Each template vertex rides on the triangle of the
atlas's mean that it lies on, the same for all subjects. So every subject's mirror image is in correspondence as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import trimesh
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, gaussian_filter
from tqdm import tqdm

from building.anatomy.registration import Target, affine_fit, nonrigid_fit
from building.anatomy.symmetry import sagittal_plane, symmetric_remesh, to_plane, to_pyvista
from building.shapes.atlas_mending import mend, rigidly_aligned
from building.shapes.axes import to_ras
from mri2mesh.errors import InputError
from mri2mesh.geometry.isosurface import surface_from_field
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.remeshing import clean, fill_holes, remesh
from mri2mesh.geometry.repair import untangle
from mri2mesh.geometry.volume import Volume
from mri2mesh.geometry.voxelise import voxelise

MIRROR = np.array([-1.0, 1.0, 1.0])
N_HIP, N_SACRUM = 4200, 3400
"""Vertices of the template: about 4 mm apart on the hips, 3 mm on the sacrum."""
_CARRY = (20.0, 8.0, 3.0, 1.0, 0.5)
_GRID_MM = 1.0


@dataclass(frozen=True)
class Corresponded:
    """Shapes in correspondence. vertices: [S, V, 3] mm RAS. mirror: [V] index of each vertex's mirror image.

    faces: [F, 3]. part: [F] index into part_names. subjects: [S].
    """

    vertices: NDArray[np.float64]
    faces: NDArray[np.int64]
    part: NDArray[np.int64]
    part_names: tuple[str, ...]
    mirror: NDArray[np.int64]
    subjects: tuple[str, ...]

    def mirror_images(self) -> NDArray[np.float64]:
        """[S, V, 3] the mirror images, in the same correspondence."""
        return self.vertices[:, self.mirror] * MIRROR


def read_atlas(data: Path) -> dict[str, NDArray]:
    """The arrays of the pelvis atlas, its vertices in RAS. Raises InputError when the file is not there."""
    path = data / "pelvis_atlas" / "pelvis_atlas40.npz"
    if not path.is_file():
        raise InputError(f"{path.name} is missing: point --data at the training data folder")
    with np.load(path, allow_pickle=False) as stored:
        return {
            key: to_ras(stored[key].astype(np.float64), "pelvis_atlas") if key.endswith("vertices")
            else stored[key].astype(np.int64) for key in stored.files
        }  # fmt: skip


def build_pelvis_shapes(data: Path) -> Corresponded:
    """All subjects of the atlas, mended, closed, free of self-intersections. Some minutes on one core."""
    atlas = read_atlas(data)
    bones = {}
    for name in ("left_hip", "right_hip", "sacrum"):
        vertices, stray = mend(atlas[f"{name}_vertices"], atlas[f"{name}_faces"])
        tqdm.write(
            f"{name}: {stray.mean():.2%} of the vertices had strayed, most in a subject {stray.mean(1).max():.1%}"
        )
        bones[name] = _Bone.of(vertices, atlas[f"{name}_faces"])
    hip = _without_tangles(remesh(fill_holes(bones["left_hip"].mean), N_HIP))
    right_hip = hip.transformed(np.diag([-1.0, 1.0, 1.0, 1.0]))
    sacrum, sacrum_mirror = _sacrum_template(bones["sacrum"])
    n = len(hip.vertices)
    carried = [
        bones["left_hip"].carried(hip),
        bones["right_hip"].carried(right_hip),
        bones["sacrum"].carried(sacrum),
    ]
    faces = [hip.faces, right_hip.faces + n, sacrum.faces + 2 * n]
    for vertices, surface in zip(carried, (hip, right_hip, sacrum), strict=True):
        for index in tqdm(range(len(vertices)), desc="untangling"):
            vertices[index] = _without_tangles(surface.with_vertices(vertices[index])).vertices
    return Corresponded(
        vertices=np.concatenate(carried, axis=1),
        faces=np.concatenate(faces),
        part=np.repeat(np.arange(3), [len(part) for part in faces]),
        part_names=("hip_left", "hip_right", "sacrum"),
        mirror=np.concatenate([np.arange(n) + n, np.arange(n), sacrum_mirror + 2 * n]),
        subjects=tuple(f"atlas{int(number):02d}" for number in atlas["subject"]),
    )


@dataclass(frozen=True)
class _Bone:
    """A bone of the atlas: mended subjects [S, V, 3] in their own places, and the family's mean surface."""

    vertices: NDArray
    mean: Mesh

    @classmethod
    def of(cls, vertices: NDArray, faces: NDArray) -> _Bone:
        used = np.unique(faces)  # one vertex of each hip has no face
        renumber = np.full(vertices.shape[1], -1)
        renumber[used] = np.arange(len(used))
        vertices = vertices[:, used]
        return cls(vertices, Mesh(rigidly_aligned(vertices, vertices[0]).mean(axis=0), renumber[faces]))

    def carried(self, template: Mesh) -> NDArray[np.float64]:
        """[S, T, 3] the template in every subject: registered to the mean, then riding on its triangles."""
        target = Target(self.mean.vertices.astype(float), self.mean.faces)
        start = template.vertices.astype(float)
        start = affine_fit(start - start.mean(axis=0) + target.points.mean(axis=0), template.faces, target)
        fitted = nonrigid_fit(start, template.faces, target, stiffness=_CARRY, iterations=8)
        surface = trimesh.Trimesh(self.mean.vertices, self.mean.faces, process=False)
        triangle, points = to_pyvista(surface).find_closest_cell(fitted, return_closest_point=True)  # type: ignore[misc]
        weights = trimesh.triangles.points_to_barycentric(surface.triangles[triangle], points)
        return np.einsum("tk,stkd->std", weights, self.vertices[:, self.mean.faces[triangle]])


def _sacrum_template(sacrum: _Bone) -> tuple[Mesh, NDArray]:
    """A closed sacrum, symmetric about x = 0, and its mirror permutation: the mean and its mirror image averaged.

    Averaged as depth below the surface on a grid, since the mean is not quite a solid (open cut at S3, crossing
    triangles in the canal); this also gives the same number of handles left and right.
    """
    mean = fill_holes(clean(sacrum.mean))
    vertices = to_plane(mean.vertices.astype(float), *sagittal_plane(mean.vertices.astype(float)))
    low, high = vertices.min(axis=0) - 5.0, vertices.max(axis=0) + 5.0
    low[0], high[0] = -np.ceil(max(-low[0], high[0])), np.ceil(max(-low[0], high[0]))
    matrix = np.diag([_GRID_MM, _GRID_MM, _GRID_MM, 1.0])
    matrix[:3, 3] = low
    shape = np.round((high - low) / _GRID_MM).astype(int) + 1
    inside = voxelise(Mesh(vertices, mean.faces), Volume(np.zeros(shape[::-1], np.uint8), matrix))
    depth = distance_transform_edt(inside) - distance_transform_edt(~inside)
    depth = gaussian_filter((depth + depth[:, :, ::-1]).astype(np.float32) * _GRID_MM / 2, 0.8)
    surface = surface_from_field(Volume(depth, matrix), 0.0)
    bone = trimesh.Trimesh(surface.vertices, surface.faces, process=True)
    bone = max(bone.split(only_watertight=False), key=lambda piece: len(piece.faces))
    even, mirror = symmetric_remesh(bone, N_SACRUM)
    return Mesh(even.vertices, even.faces), mirror


def _without_tangles(mesh: Mesh) -> Mesh:
    result = untangle(mesh)
    if result.remaining:
        tqdm.write(f"{result.remaining} pairs of faces still intersect")
    return result.mesh

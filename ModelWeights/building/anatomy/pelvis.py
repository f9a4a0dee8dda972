"""Whole sacra and hips of the pelvis atlas in the frame of S1: the sacrum template fitted to 40 subjects."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import trimesh
from numpy.typing import NDArray
from scipy.interpolate import RBFInterpolator
from tqdm import tqdm

from building.anatomy.registration import Target, affine_fit, nonrigid_fit, rigid_search
from building.anatomy.sacrum import SacrumTemplate
from building.anatomy.symmetry import to_pyvista
from mri2mesh.anatomy.measures import area_vectors, solid_centroid
from mri2mesh.anatomy.regions import Region
from mri2mesh.errors import InputError
from mri2mesh.geometry.checks import self_intersections
from mri2mesh.geometry.connectivity import vertex_adjacency
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.remeshing import decimate, fill_holes
from mri2mesh.geometry.repair import remove_self_intersections
from mri2mesh.geometry.transforms import rigid_fit

_LPS_TO_RAS = np.array([-1.0, -1.0, 1.0])
"""The atlas is in LPS: its left hips have the larger x, its posterior sides the larger y."""
_ATLAS_DEPTH_MM = 72.0
"""The atlas sacra end at S3, about this far below the S1 endplate of the template."""
_STIFFNESS = (40.0, 15.0, 6.0, 3.0, 1.5)


@dataclass(frozen=True)
class PelvisFamily:
    """[S, V, 3] vertices in the frame of each subject's S1, one entry per bone; faces per bone."""

    subjects: list[str]
    vertices: dict[str, NDArray]
    faces: dict[str, NDArray]


def build_pelvis_family(data: Path, template: SacrumTemplate) -> PelvisFamily:
    """The sacrum template fitted to every subject of the atlas, and the hips beside it. Takes some minutes."""
    path = data / "pelvis_atlas" / "pelvis_atlas40.npz"
    if not path.is_file():
        raise InputError(f"{path.name} is missing: point --data at the training data folder")
    with np.load(path) as atlas:
        stored = {key: atlas[key] for key in atlas.files}
    hips = {bone: _hip_subset(stored[f"{bone}_vertices"] * _LPS_TO_RAS, stored[f"{bone}_faces"])
            for bone in ("left_hip", "right_hip")}  # fmt: skip
    rows: dict[str, list[NDArray]] = {"sacrum": [], "s1": [], "left_hip": [], "right_hip": []}
    subjects = []
    for index, subject in enumerate(tqdm(stored["subject"], desc="sacra")):
        sacrum = stored["sacrum_vertices"][index] * _LPS_TO_RAS
        fitted, body = fit_sacrum(template, sacrum, stored["sacrum_faces"])
        fitted = remove_self_intersections(template.sacrum.with_vertices(fitted)).vertices
        to_frame = np.linalg.inv(_s1_frame(template.body.with_vertices(body), template.body_mirror))
        placed = {"sacrum": fitted, "s1": body, **{bone: kept[0][index] for bone, kept in hips.items()}}
        if self_intersections(template.body.with_vertices(body)) or self_intersections(
            template.sacrum.with_vertices(fitted)
        ):
            tqdm.write(f"atlas subject {subject}: left out, its fit intersects itself")
            continue
        subjects.append(f"atlas{int(subject):02d}")
        for bone, vertices in placed.items():
            rows[bone].append(vertices @ to_frame[:3, :3].T + to_frame[:3, 3])
    faces = {"sacrum": template.sacrum.faces, "s1": template.body.faces, **{b: k[1] for b, k in hips.items()}}
    return PelvisFamily(subjects, {bone: np.stack(shapes) for bone, shapes in rows.items()}, faces)


def fit_sacrum(template: SacrumTemplate, vertices: NDArray, faces: NDArray) -> tuple[NDArray, NDArray]:
    """Template sacrum and S1 body drawn onto an atlas sacrum that ends at S3; the rest is carried along."""
    start = template.sacrum.vertices.astype(float)
    height = start[:, 2] - start[:, 2].max()
    follow = np.clip((height + _ATLAS_DEPTH_MM) / 10.0, 0.0, 1.0)
    covered = (follow > 0.5)[template.sacrum.faces].all(axis=1)
    used, part = np.unique(template.sacrum.faces[covered], return_inverse=True)
    part = part.reshape(-1, 3)
    target = Target(vertices, faces, n_samples=20_000)
    posed = affine_fit(rigid_search(start[used], part, target, pitches=(0, 30, 60)), part, target)
    linear, *_ = np.linalg.lstsq(np.c_[start[used], np.ones(len(used))], posed, rcond=None)
    whole = np.c_[start, np.ones(len(start))] @ linear
    body = np.c_[template.body.vertices.astype(float), np.ones(len(template.body.vertices))] @ linear
    fitted = nonrigid_fit(
        whole, template.sacrum.faces, target, stiffness=_STIFFNESS, iterations=8, weights=follow
    )
    carry = RBFInterpolator(whole, fitted - whole, neighbors=60, smoothing=1.0, kernel="thin_plate_spline")
    return fitted, body + carry(body)


def _s1_frame(body: Mesh, mirror: NDArray) -> NDArray:
    """4x4 local-to-world of an S1 body: origin its centroid, z its endplate's normal, x to the right."""
    endplate = (np.asarray(body.regions)[body.faces] == Region.SUPERIOR_ENDPLATE).all(axis=1)
    z = area_vectors(body)[endplate].sum(axis=0)
    z /= np.linalg.norm(z)
    across = (body.vertices - body.vertices[mirror]).astype(float)
    side = np.sign(across @ (across.T @ np.sign(across[:, 0])))
    x = (across * side[:, None]).sum(axis=0)
    x -= (x @ z) * z
    x /= np.linalg.norm(x)
    matrix = np.eye(4)
    matrix[:3, :3] = np.stack([x, np.cross(z, x), z], axis=1)
    matrix[:3, 3] = solid_centroid(body)
    return matrix


def _hip_subset(vertices: NDArray, faces: NDArray, n_faces: int = 2400) -> tuple[NDArray, NDArray]:
    """[S, V, 3] decimated hips in correspondence, and their closed faces.

    The mean of the family is closed and decimated; each vertex of the result rides on the triangle of the original
    it lies on, so that all subjects share it.
    """
    vertices = _mended(vertices, faces)
    mean = fill_holes(Mesh(_aligned(vertices).mean(axis=0), faces))
    small = decimate(mean, n_faces)
    surface = trimesh.Trimesh(mean.vertices, mean.faces, process=False)
    on_mean = small.vertices.astype(float)
    triangle, points = to_pyvista(surface).find_closest_cell(on_mean, return_closest_point=True)  # type: ignore[misc]
    weights = trimesh.triangles.points_to_barycentric(surface.triangles[triangle], points)
    return np.einsum("vk,svkd->svd", weights, vertices[:, mean.faces[triangle]]), small.faces


def _aligned(vertices: NDArray) -> NDArray:
    """[S, V, 3] shapes turned and moved rigidly onto the first."""
    centred = vertices - vertices.mean(axis=1, keepdims=True)
    u, _, vt = np.linalg.svd(np.einsum("svi,vj->sij", centred, centred[0]))
    u[:, :, 2] *= np.linalg.det(u @ vt)[:, None]
    return centred @ (u @ vt) + vertices[0].mean(axis=0)


def _mended(vertices: NDArray, faces: NDArray) -> NDArray:
    """[S, V, 3] shapes without the atlas's stray vertices.

    A vertex at the end of an edge more than three times as long as in the median subject takes the mean offset from
    the median shape of its sound neighbours instead of its own.
    """
    aligned = _aligned(vertices)
    median = np.median(aligned, axis=0)
    edges = np.unique(np.sort(faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1), axis=0)
    lengths = np.linalg.norm(aligned[:, edges[:, 0]] - aligned[:, edges[:, 1]], axis=2)
    usual = np.maximum(np.median(lengths, axis=0), 0.5)
    smooth = vertex_adjacency(faces, len(median))
    result = vertices.copy()
    for index in range(len(vertices)):
        sound = np.ones(len(median))
        sound[edges[lengths[index] > 3.0 * usual]] = 0.0
        to_subject = rigid_fit(median[sound > 0], vertices[index][sound > 0])
        expected = median @ to_subject[:3, :3].T + to_subject[:3, 3]
        offset, known = (vertices[index] - expected) * sound[:, None], sound.copy()
        while (known == 0).any():
            count = smooth @ known
            reached = (known == 0) & (count > 0)
            if not reached.any():
                break
            offset[reached] = (smooth @ (offset * known[:, None]))[reached] / count[reached, None]
            known[reached] = 1.0
        result[index] = np.where(sound[:, None] > 0, vertices[index], expected + offset)
    return result

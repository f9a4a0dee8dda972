"""How far a vertebra is from the true one: as placed, after rigid and after similarity alignment by closest points (the
published protocol, which knows the scale)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from mri2mesh.geometry.distances import point_to_surface
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.overlap import dice
from mri2mesh.geometry.sampling import sample_surface
from mri2mesh.geometry.transforms import apply, rigid_fit, similarity_fit
from mri2mesh.geometry.volume import Volume
from mri2mesh.geometry.voxelise import voxelise

ALIGNMENTS = ("as placed", "depth corrected", "rigid", "similarity")
_SAMPLES = 3000
_ALIGNED_BY = 1500
_ROUNDS = 40
_VOXEL_MM = 1.0


@dataclass(frozen=True)
class Score:
    """dice: of the volumes. assd, hd95: mm, both directions together and the larger of both. chamfer: mm, the mean
    distance of 3,000 points on each to the nearest of the other's, mean of both directions. along_mm, across_mm: how
    far the bone as a whole is off along the beam (+ away from the source) and across it."""

    dice: float
    assd: float
    hd95: float
    chamfer: float
    along_mm: float
    across_mm: float


def scores_of(found: Mesh, true: Mesh, beam: NDArray) -> dict[str, Score]:
    """By `ALIGNMENTS`; beam: [3] unit vector. Depth corrected: moved along the beam until both middles are as
    deep."""
    vertices = found.vertices.astype(np.float64)
    rng = np.random.default_rng(0)
    on_found, on_true = (sample_surface(mesh, _ALIGNED_BY, rng)[0] for mesh in (found, true))
    shift = on_found.mean(axis=0) - on_true.mean(axis=0)
    deeper = float(shift @ beam)
    across = float(np.linalg.norm(shift - deeper * beam))
    rigid = closest(on_found - shift, on_true, scale=False)
    similar = closest(apply(rigid, on_found - shift), on_true, scale=True)
    moved = {
        "as placed": vertices,
        "depth corrected": vertices - deeper * beam,
        "rigid": apply(rigid, vertices - shift),
        "similarity": apply(similar, apply(rigid, vertices - shift)),
    }
    return {
        name: Score(*_apart(Mesh(at.astype(np.float32), found.faces), true), deeper, across)
        for name, at in moved.items()
    }


def closest(points: NDArray, onto: NDArray, *, scale: bool) -> NDArray[np.float64]:
    """4x4 that lays points on others by closest points, both ways, from where they are."""
    tree, matrix = cKDTree(onto), np.eye(4)
    fit = similarity_fit if scale else rigid_fit
    for _ in range(_ROUNDS):
        moved = apply(matrix, points)
        there = cKDTree(moved).query(onto)[1]
        here = np.concatenate([points, points[there]])
        goal = np.concatenate([onto[tree.query(moved)[1]], onto])
        matrix = fit(here, goal)
    return matrix


def _apart(found: Mesh, true: Mesh) -> tuple[float, float, float, float]:
    rng = np.random.default_rng(0)
    points = [sample_surface(mesh, _SAMPLES, rng)[0] for mesh in (found, true)]
    distances = [point_to_surface(points[0], true), point_to_surface(points[1], found)]
    chamfer = np.mean(
        [cKDTree(points[1]).query(points[0])[0].mean(), cKDTree(points[0]).query(points[1])[0].mean()]
    )
    hd95 = max(float(np.percentile(apart, 95)) for apart in distances)
    return dice_of(found, true), float(np.mean(np.concatenate(distances))), hd95, float(chamfer)


def dice_of(found: Mesh, true: Mesh) -> float:
    """Of the volumes of two closed surfaces, on voxels of a millimetre."""
    both = np.concatenate([found.vertices, true.vertices])
    low, high = both.min(axis=0) - 1, both.max(axis=0) + 1
    size = np.ceil((high - low) / _VOXEL_MM).astype(int)
    matrix = np.diag([_VOXEL_MM] * 3 + [1.0])
    matrix[:3, 3] = low
    grid = Volume(np.zeros(size[::-1], np.uint8), matrix)
    one, other = voxelise(found, grid), voxelise(true, grid)
    return dice(one, other)

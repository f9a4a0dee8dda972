"""Do two solids run into each other, and how far."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mri2mesh.geometry.distances import signed_distance
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.sampling import sample_surface
from mri2mesh.geometry.volume import Volume
from mri2mesh.geometry.voxelise import voxelise

_MAX_VOXELS = 4_000_000


@dataclass(frozen=True)
class Interpenetration:
    """depth_mm: how deep the deepest point of either surface lies below the other; 0 when apart.
    overlap_mm3: volume the solids have in common."""

    depth_mm: float
    overlap_mm3: float


def penetration_depth(
    a: Mesh, b: Mesh, *, spacing_mm: float = 0.25, n_samples: int = 4_000
) -> Interpenetration:
    """How far two closed, outward meshes overlap.

    The depth is taken at all vertices and at n_samples points of each surface; the volume on a grid of
    spacing_mm over the common bounding box (coarser where that would be millions of voxels).
    """
    low = np.maximum(a.vertices.min(axis=0), b.vertices.min(axis=0)).astype(np.float64)
    high = np.minimum(a.vertices.max(axis=0), b.vertices.max(axis=0)).astype(np.float64)
    if (low >= high).any():
        return Interpenetration(0.0, 0.0)
    depth = max(_depth(a, b, low, high, n_samples), _depth(b, a, low, high, n_samples))
    return Interpenetration(depth, _overlap(a, b, low, high, spacing_mm))


def _depth(mesh: Mesh, other: Mesh, low: np.ndarray, high: np.ndarray, n_samples: int) -> float:
    points = sample_surface(mesh, n_samples, np.random.default_rng(0))[0]
    points = np.concatenate([mesh.vertices.astype(np.float64), points])
    points = points[((points >= low) & (points <= high)).all(axis=1)]
    return float(max(0.0, -signed_distance(points, other).min())) if len(points) else 0.0


def _overlap(a: Mesh, b: Mesh, low: np.ndarray, high: np.ndarray, spacing_mm: float) -> float:
    # Whole voxels across each side, each axis its own spacing: the voxels tile the common box exactly.
    finest = max(spacing_mm, float(np.cbrt((high - low).prod() / _MAX_VOXELS)))
    size = np.maximum(np.ceil((high - low) / finest), 1).astype(int)
    spacing = (high - low) / size
    ijk_to_ras = np.diag([*spacing, 1.0])
    ijk_to_ras[:3, 3] = low + spacing / 2
    grid = Volume(np.zeros(size[::-1], bool), ijk_to_ras)
    return float((voxelise(a, grid) & voxelise(b, grid)).sum() * spacing.prod())

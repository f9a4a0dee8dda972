"""Label maps painted from shapes whose surfaces are known."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from mri2mesh.anatomy.shape_models.file import read_shape_model
from mri2mesh.engines.segmentation.label_map import LabelMap
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.transforms import apply, rotation_about, translation
from mri2mesh.geometry.volume import Volume
from mri2mesh.geometry.voxelise import voxelise


def vertebra(level: str, height_mm: float, seed: int, pitch: float = 0.0) -> Mesh:
    """A random member of a level's shape model, so high up and turned so far about the left-right axis."""
    model = read_shape_model(level)
    rng = np.random.default_rng(seed)
    coefficients = 0.8 * model.sample(rng, 1.5)
    pose = translation([0.0, 0.0, height_mm]) @ rotation_about([1, 0, 0], pitch)
    return Mesh(apply(pose, model.vertices(coefficients)), model.faces, {"region": model.regions})


def label_map(
    surfaces: Mapping[int, Mesh],
    spacing: tuple[float, float, float] = (1.0, 1.0, 1.0),
    margin_mm: float = 6.0,
) -> LabelMap:
    """What a whole segmentation of these surfaces would be, voxel by voxel. spacing: along i, j, k, mm."""
    points = np.concatenate([mesh.vertices for mesh in surfaces.values()])
    low, high = points.min(axis=0) - margin_mm, points.max(axis=0) + margin_mm
    shape = np.ceil((high - low) / spacing).astype(int) + 1
    matrix = np.diag([*spacing, 1.0])
    matrix[:3, 3] = low
    grid = Volume(np.zeros(shape[::-1], np.uint8), matrix)
    labels = np.zeros(grid.array.shape, np.uint16)
    for label, mesh in surfaces.items():
        labels[voxelise(mesh, grid)] = label
    return of_array(labels, matrix)


def of_array(labels: NDArray, matrix: NDArray) -> LabelMap:
    return LabelMap(labels, matrix, labels=labels.astype(np.uint16))


def every(original: LabelMap, axis: int, step: int) -> LabelMap:
    """Drawn on every so many slices only."""
    labels = np.zeros_like(original.labels)
    taken = [slice(None)] * 3
    taken[2 - axis] = slice(step // 2, None, step)
    labels[tuple(taken)] = original.labels[tuple(taken)]
    return of_array(labels, original.ijk_to_ras)

"""Lumbar vertebrae of the package's family (`VertebraShapes`) as samples of a shape model for each level.

A level has three to eleven sources, too few to learn from alone. How subjects differ from the mean of their own level
is much the same for every lumbar level, so these differences are pooled (a within-group covariance), each with its
mirror image, about the mean of the level asked for.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mri2mesh.anatomy.measures import local_frame
from mri2mesh.anatomy.shape_models.statistics import aligned_rigidly, vertex_areas
from mri2mesh.anatomy.shapes import VertebraShapes
from mri2mesh.geometry.mesh import Mesh

LUMBAR = ("L1", "L2", "L3", "L4", "L5")
_MIRROR = np.array([-1.0, 1.0, 1.0])


def subject_of(name: str) -> str:
    """Whose vertebra a source is: ``"P001_L3"`` -> ``"P001"``."""
    return name.rsplit("_", 1)[0]


def sources_of(level: str, exclude: str | None = None) -> dict[str, NDArray]:
    """Subject -> vertices [V, 3] of one level in the sources' local frames, without one subject."""
    family = VertebraShapes.load()
    return {
        subject_of(name): family.vertices[row].astype(np.float64)
        for row, name in enumerate(family.names)
        if family.levels[row] == level and subject_of(name) != exclude
    }


def pooled_shapes(
    level: str, exclude: str | None = None
) -> tuple[NDArray, tuple[str, ...], NDArray, tuple[str, ...]]:
    """[S, V, 3] shapes of a level, the subject of each, [S] which are mirror images, and the level each comes from.

    exclude: a subject nothing of which is used, neither in the mean nor among the differences.
    """
    mean, _ = _level(level, exclude)
    shapes, subjects, mirrored, groups = [], [], [], []
    for other in LUMBAR:
        _, differences = _level(other, exclude)
        count = len(differences)
        if count < 2:
            continue  # one source says nothing of how subjects differ
        # Differences from a mean of so few are too small by this much.
        wider = np.sqrt(count / (count - 1))
        for subject, pair in differences.items():
            for image, difference in enumerate(pair):
                shapes.append(mean + wider * difference)
                subjects.append(subject)
                mirrored.append(bool(image))
                groups.append(other)
    return np.stack(shapes), tuple(subjects), np.array(mirrored), tuple(groups)


def _level(level: str, exclude: str | None) -> tuple[NDArray, dict[str, NDArray]]:
    """Symmetric mean [V, 3] of a level in its local frame, and of each subject the difference from it and its mirror
    image's [2, V, 3]."""
    family = VertebraShapes.load()
    own = sources_of(level, exclude)
    vertices = np.stack(list(own.values()))
    both = np.concatenate([vertices, vertices[:, family.mirror] * _MIRROR])
    aligned = aligned_rigidly(both, vertex_areas(vertices[0], family.faces), family.mirror)
    mean = aligned.mean(axis=0)
    to_local = np.linalg.inv(local_frame(Mesh(mean, family.faces, {"region": family.regions})))
    turned = (aligned - mean) @ to_local[:3, :3].T
    mean = mean @ to_local[:3, :3].T + to_local[:3, 3]
    return mean, {name: np.stack([turned[i], turned[i + len(own)]]) for i, name in enumerate(own)}

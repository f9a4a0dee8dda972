"""A family of ellipsoids in correspondence whose principal components are known on paper."""

from __future__ import annotations

import numpy as np
import trimesh

from mri2mesh.anatomy.shape_models.model import ShapeModel


def ball(subdivisions: int = 3, radius: float = 20.0) -> tuple[np.ndarray, np.ndarray]:
    """Vertices [V, 3] and outward faces [F, 3] of a sphere about the origin."""
    sphere = trimesh.creation.icosphere(subdivisions, radius)
    return np.asarray(sphere.vertices), np.asarray(sphere.faces)


def stretching_ball(stretches: tuple[float, ...] = (2.0, 1.0), n_subjects: int = 6) -> ShapeModel:
    """A ball whose modes stretch it along z, then along x, by these standard deviations in mm at the poles.

    Subject k has a mirror image (a shape that is stretched alike), so that both share its name.
    """
    vertices, faces = ball()
    axes = [2, 0][: len(stretches)]
    moves = np.zeros((len(axes), len(vertices), 3))
    for mode, (axis, stretch) in enumerate(zip(axes, stretches, strict=True)):
        moves[mode, :, axis] = stretch * vertices[:, axis] / 20.0
    lengths = np.linalg.norm(moves.reshape(len(axes), -1), axis=1)
    scores = np.random.default_rng(0).standard_normal((n_subjects, len(axes)))
    scores = np.linalg.qr(scores - scores.mean(axis=0))[0]  # uncorrelated, mean zero
    scores = np.concatenate([scores, scores])
    scores *= np.sqrt((len(scores) - 1) / (scores**2).sum(axis=0))  # variance one
    return ShapeModel(
        name="ball",
        mean=vertices,
        modes=(moves / lengths[:, None, None]).astype(np.float32),
        variances=lengths**2,
        faces=faces,
        part=np.zeros(len(faces), np.int64),
        part_names=("L3",),
        landmarks={"top": np.array([vertices[:, 2].argmax()]), "centre": np.arange(len(vertices))},
        scores=scores,
        subjects=tuple(f"s{k}" for k in range(n_subjects)) * 2,
        mirrored=np.arange(2 * n_subjects) >= n_subjects,
        attribution=({"name": "paper", "source": "geometry", "licence": "none"},),
        licence="CC0-1.0",
        frame="origin the centre of the ball",
    )

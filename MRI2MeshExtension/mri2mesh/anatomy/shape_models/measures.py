"""How good a shape model is: generalisation to whom it has not seen, and specificity (Davies 2002)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mri2mesh.anatomy.shape_models.model import ShapeModel
from mri2mesh.geometry.distances import SurfaceDistances, surface_distances
from mri2mesh.geometry.transforms import apply, rigid_fit

_SAMPLES = 6000
"""Points per surface for distances."""
_RANDOM_SHAPES = 200


@dataclass(frozen=True)
class Recovered:
    """A shape the model never saw, against what the model made of it. rms_mm: over corresponding vertices."""

    rms_mm: float
    distances: SurfaceDistances

    @classmethod
    def of(cls, model: ShapeModel, truth: NDArray, vertices: NDArray) -> Recovered:
        """truth, vertices: [V, 3] in one frame."""
        rms = float(np.sqrt(((truth - vertices) ** 2).sum(axis=1).mean()))
        a, b = model.surface(vertices), model.surface(truth)
        return cls(rms, surface_distances(a, b, n_samples=_SAMPLES))


def leave_one_out(
    without: Callable[[str], ShapeModel], shapes: Iterable[tuple[str, NDArray]]
) -> tuple[list[Recovered], list[Recovered]]:
    """Each shape [V, 3] projected onto the model without its subject, and the mean shape in its place, both after the
    rigid alignment that suits the mean best."""
    projected, mean = [], []
    for subject, vertices in shapes:
        model = without(subject)
        shape = apply(rigid_fit(vertices, model.mean), vertices)
        projected.append(Recovered.of(model, shape, model.vertices(model.project(shape))))
        mean.append(Recovered.of(model, shape, model.mean))
    return projected, mean


def specificity(model: ShapeModel, seed: int = 0) -> float:
    """Mean over random shapes of the vertex RMS distance to the nearest training shape, mm."""
    rng = np.random.default_rng(seed)
    random = np.stack([model.sample(rng) for _ in range(_RANDOM_SHAPES)]) * model.deviations
    known = model.scores * model.deviations
    # Modes are orthonormal, so distances between shapes are distances between coefficients in mm.
    distance = np.linalg.norm(random[:, None] - known[None], axis=2).min(axis=1)
    return float(distance.mean() / np.sqrt(len(model.mean)))

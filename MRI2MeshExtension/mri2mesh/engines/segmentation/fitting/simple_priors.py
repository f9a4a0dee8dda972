"""Priors of structures that have a template and no shape model: its proportions and wedging, and local modes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mri2mesh.anatomy.shape_models.model import ShapeModel
from mri2mesh.anatomy.templates import TemplateKind, template

SPREADS: dict[str, tuple[float, float, float, float, float]] = {
    "disc": (0.12, 0.12, 0.35, 0.25, 0.15),
    "sacrum": (0.10, 0.10, 0.12, 0.12, 0.08),
}
"""Standard deviations: width, depth and height as fractions, and how much the height changes, as a fraction, from the
middle to the front and to the side."""


def template_model(name: str, kind: TemplateKind) -> ShapeModel:
    """A disc or the body of S1 as a shape model of few modes."""
    mesh = template(kind)
    mean = mesh.vertices.astype(np.float64)
    moves = _moves(mean, SPREADS[kind])
    flat = moves.reshape(len(moves), -1)
    _, deviations, modes = np.linalg.svd(flat, full_matrices=False)
    return ShapeModel(
        name=name,
        mean=mean,
        modes=modes.reshape(moves.shape).astype(np.float32),
        variances=deviations**2,
        faces=mesh.faces,
        part=np.zeros(len(mesh.faces), np.int64),
        part_names=(name,),
        landmarks={},
        scores=np.zeros((0, len(moves))),
        subjects=(),
        mirrored=np.zeros(0, bool),
        attribution=(),
        licence="",
        frame="that of the template",
        regions=mesh.regions,
    )


def _moves(mean: NDArray, spreads: tuple[float, ...]) -> NDArray[np.float64]:
    """[5, V, 3] displacement of one standard deviation of each."""
    x, y, z = mean.T
    half_width, half_depth = np.ptp(x) / 2, np.ptp(y) / 2
    nothing = np.zeros_like(x)
    shapes = [
        (x, nothing, nothing),
        (nothing, y, nothing),
        (nothing, nothing, z),
        (nothing, nothing, z * y / half_depth),
        (nothing, nothing, z * x / half_width),
    ]
    return np.stack([sd * np.stack(shape, axis=1) for sd, shape in zip(spreads, shapes, strict=True)])

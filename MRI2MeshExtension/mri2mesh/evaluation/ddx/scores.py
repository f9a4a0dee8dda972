"""How far a reconstructed bone is from the true one: as placed, with its depth put right, after a similarity."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mri2mesh.anatomy.shape_models.model import ShapeModel
from mri2mesh.geometry.distances import point_to_surface
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.sampling import sample_surface
from mri2mesh.geometry.transforms import apply, rigid_fit, similarity_fit
from mri2mesh.geometry.xray_camera import XrayCamera

_SAMPLES = 5000


@dataclass(frozen=True)
class Score:
    """assd, hd95: mm, both directions together and the larger of both. along_mm: how far the bone as a whole is off
    along the beam, + away from the source; across_mm: across it."""

    assd: float
    hd95: float
    along_mm: float
    across_mm: float


def scores_of(vertices: NDArray, true: NDArray, faces: NDArray, camera: XrayCamera) -> dict[str, Score]:
    """Three scores of surfaces in correspondence [V, 3]: "as placed", "depth corrected", "similarity".

    Depth corrected: moved along the beam by the mean error there, nothing else. What is outside the film counts
    neither in place nor in the score.
    """
    seen = in_film(true, camera)
    beam = camera.axes_ras[2]
    shift = (vertices - true)[seen].mean(axis=0)
    deeper = float(shift @ beam)
    fitted = apply(similarity_fit(vertices[seen], true[seen]), vertices)
    placed = {"as placed": vertices, "depth corrected": vertices - deeper * beam, "similarity": fitted}
    across = float(np.linalg.norm(shift - deeper * beam))
    return {name: Score(*_apart(found, true, faces, seen), deeper, across) for name, found in placed.items()}


def mean_shape_scores(model: ShapeModel, true: NDArray, camera: XrayCamera) -> dict[str, Score]:
    """What the mean shape gives when the truth puts it in place: "true pose" and "similarity"."""
    seen = in_film(true, camera)
    placed = {
        "true pose": apply(rigid_fit(model.mean[seen], true[seen]), model.mean),
        "similarity": apply(similarity_fit(model.mean[seen], true[seen]), model.mean),
    }
    return {name: Score(*_apart(found, true, model.faces, seen), 0.0, 0.0) for name, found in placed.items()}


def in_film(vertices: NDArray, camera: XrayCamera) -> NDArray[np.bool_]:
    """[V] whether each vertex is projected onto the image."""
    pixel = camera.project(vertices)
    rows, columns = camera.size
    inside = (pixel >= -0.5) & (pixel <= np.array([columns, rows]) - 0.5)
    return np.asarray(inside.all(axis=1))


def _apart(vertices: NDArray, true: NDArray, faces: NDArray, seen: NDArray) -> tuple[float, float]:
    """ASSD and HD95 over the faces whose vertices are all in the film, to the whole of the other surface."""
    rng = np.random.default_rng(0)
    shown = faces[seen[faces].all(axis=1)]
    distances = []
    for one, other in ((vertices, true), (true, vertices)):
        points = sample_surface(_mesh(one, shown), _SAMPLES, rng)[0]
        distances.append(point_to_surface(points, _mesh(other, faces)))
    hd95 = max(float(np.percentile(apart, 95)) for apart in distances)
    return float(np.mean(np.concatenate(distances))), hd95


def _mesh(vertices: NDArray, faces: NDArray) -> Mesh:
    return Mesh(vertices.astype(np.float32), faces)

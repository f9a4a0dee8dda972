"""How a fitted surface compares with the truth, in shape and in pose, and what it has to be compared with."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from mri2mesh.anatomy.shape_models.model import ShapeModel
from mri2mesh.geometry.distances import SurfaceDistances, point_to_surface
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.sampling import sample_surface, vertex_normals
from mri2mesh.geometry.transforms import apply, rigid_fit, rigid_inverse, similarity_fit

SAMPLES = 8000
"""Points on either surface: mean distances of a millimetre are then known to about 0.01 mm."""


@dataclass(frozen=True)
class Truth:
    """model: everybody else's. vertices: [V, 3] mm RAS of the bone in the model's correspondence. shown: [V] which of
    them are in the first film: the rest counts for nothing."""

    subject: str
    model: ShapeModel
    vertices: NDArray[np.float64]
    shown: NDArray[np.bool_]


@dataclass(frozen=True)
class PoseError:
    """From the fitted bone to the truth's by corresponding vertices (Procrustes).

    in_plane_deg: the turn about the beam; out_of_plane_deg: the rest of it. across_mm, along_mm: the centre's shift
    across and along the beam.
    """

    in_plane_deg: float
    out_of_plane_deg: float
    across_mm: float
    along_mm: float


@dataclass(frozen=True)
class Baselines:
    """What a fit of a subject is seen beside. mean: the mean shape at the true pose. mean_similarity: and at the true
    size. floor: the model's own projection of the truth, the best that any fit of this model can do."""

    mean: SurfaceDistances
    mean_similarity: SurfaceDistances
    floor: SurfaceDistances


@dataclass(frozen=True)
class Stated:
    """What a fit says of its errors [V] mm, as `uncertainty.Uncertainty`. rays: [N, V, 3] unit vectors from the source
    of each view: along_beam is along that of them on which a vertex may have slid farthest."""

    total: NDArray
    along_beam: NDArray
    across: NDArray
    rays: NDArray


@dataclass(frozen=True)
class Outcome:
    """agreement: the worst view's. passed: whether all checks are (exit status 0). seconds: of processor time."""

    agreement: float
    passed: float
    seconds: float


@dataclass(frozen=True)
class Honesty:
    """How errors compare with what the fit says of them; the fields of `FitScore` of these names."""

    error_mm: float
    stated_mm: float
    normalised_along: float
    normalised_across: float
    rival_mm: float = 0.0


@dataclass(frozen=True)
class FitScore:
    """One fit. raw: as fitted, by the axes of the first view. rigid, similarity: after the alignment to the truth that
    is the best without and with a change of size. agreement: the worst view's, as `coarse_to_fine.Fit` has it.
    error_mm, stated_mm: of the vertices, as `vertex_errors` has them, and what the fit says they are; root mean squares
    over the vertices. normalised_along, normalised_across: error over stated standard deviation, likewise, along the
    beam and for an axis across it: 1 over many fits where the fit knows how far it can be trusted. rival_mm: what other
    poses add to the stated uncertainty.
    """

    condition: str
    subject: str
    raw_assd_mm: float
    raw_hd95_mm: float
    raw_hd_mm: float
    rigid_assd_mm: float
    similarity_assd_mm: float
    similarity_hd95_mm: float
    similarity_hd_mm: float
    mean_assd_mm: float
    mean_hd95_mm: float
    mean_similarity_assd_mm: float
    floor_assd_mm: float
    floor_hd95_mm: float
    in_plane_deg: float
    out_of_plane_deg: float
    across_mm: float
    along_mm: float
    error_mm: float
    stated_mm: float
    normalised_along: float
    normalised_across: float
    rival_mm: float
    agreement: float
    passed: float
    seconds: float


MEASURES = tuple(field.name for field in fields(FitScore) if field.name not in ("condition", "subject"))


def pose_error(fitted: NDArray, truth: NDArray, beam: NDArray) -> PoseError:
    """Of corresponding vertices [V, 3]; beam: [3] its direction."""
    turn = Rotation.from_matrix(rigid_fit(fitted, truth)[:3, :3]).as_rotvec(degrees=True)
    shift = truth.mean(0) - fitted.mean(0)
    in_plane, along = turn @ beam, shift @ beam
    return PoseError(
        float(abs(in_plane)),
        float(np.linalg.norm(turn - in_plane * beam)),
        float(np.linalg.norm(shift - along * beam)),
        float(abs(along)),
    )


def baselines_of(truth: Truth) -> Baselines:
    """The distances that do not depend on any image."""
    model, there, shown = truth.model, truth.vertices, truth.shown
    to_model = rigid_inverse(rigid_fit(model.mean[shown], there[shown]))
    nearest = model.vertices(model.project(apply(to_model, there)))

    def placed(align: Callable[[NDArray, NDArray], NDArray], shape: NDArray) -> SurfaceDistances:
        return distances(truth, apply(align(shape[shown], there[shown]), shape))

    return Baselines(
        placed(rigid_fit, model.mean), placed(similarity_fit, model.mean), placed(rigid_fit, nearest)
    )


def vertex_errors(truth: Truth, fitted: NDArray) -> NDArray[np.float64]:
    """[V, 3] mm from each vertex's place on the bone to the fitted one.

    How the whole bone is misplaced counts in all directions, what is left of it along the surface's normals alone: that
    corresponding points slide along the surface is no error of the surface.
    """
    there, shown = truth.vertices, truth.shown
    moved = apply(rigid_fit(there[shown], fitted[shown]), there)
    normals = vertex_normals(_mesh(moved, truth.model.faces))
    off = ((fitted - moved) * normals).sum(1, keepdims=True)
    return np.asarray(moved - there + off * normals)


def honesty(truth: Truth, fitted: NDArray, stated: Stated, rival_mm: float = 0.0) -> Honesty:
    """fitted: [V, 3] mm, patient RAS. stated: what the fit says of them. Over what is in the film."""
    shown = truth.shown
    error = vertex_errors(truth, fitted)[shown]
    along = np.abs((error * stated.rays[:, shown]).sum(2)).max(0)
    across = np.sqrt(np.maximum((error**2).sum(1) - along**2, 0) / 2)
    return Honesty(
        _rms(np.linalg.norm(error, axis=1)),
        _rms(stated.total[shown]),
        _rms(along / stated.along_beam[shown]),
        _rms(across / stated.across[shown]),
        rival_mm,
    )


def _rms(values: NDArray) -> float:
    return float(np.sqrt(np.mean(np.square(values, dtype=np.float64))))


def distances(truth: Truth, vertices: NDArray) -> SurfaceDistances:
    """Between a surface of the model's correspondence and the truth, over all parts together: from what is in the film
    of one to the whole of the other."""
    rng, faces = np.random.default_rng(0), truth.model.faces
    shown = faces[truth.shown[faces].all(axis=1)]
    both = []
    for one, other in ((vertices, truth.vertices), (truth.vertices, vertices)):
        points = sample_surface(_mesh(one, shown), SAMPLES, rng)[0]
        both.append(point_to_surface(points, _mesh(other, faces)))
    return SurfaceDistances(
        float(np.concatenate(both).mean()),
        max(float(np.percentile(apart, 95)) for apart in both),
        max(float(apart.max()) for apart in both),
    )


def _mesh(vertices: NDArray, faces: NDArray[np.int64]) -> Mesh:
    return Mesh(vertices.astype(np.float32), faces)


def score(
    condition: str,
    truth: Truth,
    baselines: Baselines,
    fitted: NDArray,
    beam: NDArray,
    honest: Honesty,
    outcome: Outcome,
) -> FitScore:
    """fitted: [V, 3] mm, patient RAS. beam: [3] the direction of the first view."""
    there, shown = truth.vertices, truth.shown

    def after(align: Callable[[NDArray, NDArray], NDArray]) -> SurfaceDistances:
        return distances(truth, apply(align(fitted[shown], there[shown]), fitted))

    raw, rigid, similar = distances(truth, fitted), after(rigid_fit), after(similarity_fit)
    pose = pose_error(fitted[shown], there[shown], beam)
    return FitScore(
        condition=condition,
        subject=truth.subject,
        raw_assd_mm=raw.assd,
        raw_hd95_mm=raw.hd95,
        raw_hd_mm=raw.hd,
        rigid_assd_mm=rigid.assd,
        similarity_assd_mm=similar.assd,
        similarity_hd95_mm=similar.hd95,
        similarity_hd_mm=similar.hd,
        mean_assd_mm=baselines.mean.assd,
        mean_hd95_mm=baselines.mean.hd95,
        mean_similarity_assd_mm=baselines.mean_similarity.assd,
        floor_assd_mm=baselines.floor.assd,
        floor_hd95_mm=baselines.floor.hd95,
        **vars(pose),
        **vars(honest),
        **vars(outcome),
    )


def summarise(scores: Iterable[FitScore]) -> dict[str, dict[str, float]]:
    """Measure -> its median, least, most and root mean square; under "n" how many fits."""
    rows = list(scores)
    result = {"n": {"count": float(len(rows))}}
    for name in MEASURES:
        values = [getattr(row, name) for row in rows]
        result[name] = {
            "median": float(np.median(values)),
            "least": float(np.min(values)),
            "most": float(np.max(values)),
            "rms": _rms(np.array(values)),
        }
    return result

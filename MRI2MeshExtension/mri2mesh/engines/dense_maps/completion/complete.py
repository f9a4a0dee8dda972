"""A closed bone from samples of its front and its back: pose and shape of a model, found robustly.

Samples know which point of the bone they are, so that no closest points are needed to begin with, and any start will
do. Residuals are weighed along the ray and across it apart: depth is what a film shows least. At the end residuals
across the surface count alone, for a predicted place errs along it. What no sample speaks for is the model's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from mri2mesh.anatomy.shape_models.model import ShapeModel
from mri2mesh.device import one_thread
from mri2mesh.engines.dense_maps.completion.correspondents import Anchors, PlaceFinder
from mri2mesh.engines.dense_maps.completion.held import HeldPoint
from mri2mesh.engines.dense_maps.completion.outlines import OutlineResiduals, Outlines
from mri2mesh.engines.dense_maps.points import SurfacePoints
from mri2mesh.errors import InputError
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.sampling import vertex_normals
from mri2mesh.geometry.transforms import apply, compose, rigid_fit

FEWEST_POINTS = 60
_ROUNDS = 12
_OUTLINE_ROUNDS = 8
_MOST_SAMPLES = 2500
_MEASURED_MM = 8.0
"""On the mean bone, a vertex with a sample this near is measured."""
_ALONG_SURFACE = 0.1
"""Weight of what lies along the surface against what lies across it, in the last rounds."""


@dataclass(frozen=True)
class Noise:
    """Standard deviations of a sample, mm. along: of depth. across: of which point of the bone it is. shift: of the
    whole bone's depth, which is not in the samples' scatter: how well the reference depth is known. independent:
    neighbouring pixels err alike, so that many samples count, however many there are. understated: what is stated of
    errors is so many times what these say, for a network errs in a whole bone's shape as well."""

    along: float = 3.0
    across: float = 3.0
    shift: float = 5.0
    independent: int = 400
    outline: float = 2.0
    independent_outline: int = 60
    understated: float = 1.0


def robust_pose(here: NDArray, there: NDArray, confidence: NDArray) -> NDArray[np.float64]:
    """4x4, rigid, of points [N, 3] to others; those that are far off are dropped little by little."""
    weight = confidence.copy()
    for _ in range(10):
        pose = rigid_fit(here, there, weight + 1e-9)
        apart = np.linalg.norm(apply(pose, here) - there, axis=1)
        spread = max(6.0, float(np.median(apart)))
        weight = confidence / (1 + (apart / spread) ** 2) ** 2
    return pose


def turn_deg(matrix: NDArray) -> float:
    """Angle of the turn in a similarity, degrees."""
    turn = matrix[:3, :3] / np.cbrt(np.linalg.det(matrix[:3, :3]))
    return float(np.degrees(np.arccos(np.clip((np.trace(turn) - 1) / 2, -1, 1))))


@dataclass(frozen=True)
class Completion:
    """vertices: [V, 3] RAS mm in the model's topology. matrix: 4x4 of the pose (with scale, where it was free).
    coefficients: [M]. measured: [V] bool, whether samples speak for the vertex; the others are completed by the model.
    uncertainty_mm: [V] standard deviation along one axis, without the shift along the beam. shift_sd_mm: of that shift,
    common to all. apart_mm: median distance of the samples from where the finished surface has them.
    """

    vertices: NDArray[np.float64]
    matrix: NDArray[np.float64]
    coefficients: NDArray[np.float64]
    measured: NDArray[np.bool_]
    uncertainty_mm: NDArray[np.float64]
    shift_sd_mm: float
    apart_mm: float


@one_thread()  # what is rendered at once is small: several threads wait for each other
def complete(
    model: ShapeModel,
    canonical: NDArray,
    samples: SurfacePoints,
    *,
    noise: Noise | None = None,
    scale: bool = False,
    outlines: Outlines | None = None,
    held: Sequence[HeldPoint] = (),
    start: NDArray | None = None,
    seed: int = 0,
) -> Completion:
    """The model laid on the samples of one bone, or of several that move as one.

    model: of these bones; with local modes where samples are dense. canonical: [V, 3] the place of each of its
    vertices, in the coordinates of `SurfacePoints.places`. scale: also find a uniform scale, where millimetres are
    unknown. outlines: of the model's parts in the film, to which the surface is drawn at the end. held: what is
    known of points of the bone besides. start: 4x4, the pose to begin with where that is known better than by samples.

    Raises InputError where there are too few samples to tell a pose.
    """
    noise = noise or Noise()
    if len(samples) < FEWEST_POINTS:
        raise InputError(f"{len(samples)} pixels of this bone are in the film: too few to place it")
    if len(samples) > _MOST_SAMPLES:
        rng = np.random.default_rng(seed)
        samples = samples.some(np.sort(rng.choice(len(samples), _MOST_SAMPLES, replace=False)))
    anchors = PlaceFinder(canonical, model.faces).find(samples.places)
    system = _System(model, samples, anchors, noise, scale, held, start)
    for turn in range(_ROUNDS):
        system.step(shape=turn >= 3, across_surface=turn >= _ROUNDS // 2)
    for turn in range(_OUTLINE_ROUNDS if outlines is not None else 0):
        # From far away to near: what another bone's edge is mistaken for has to be let go.
        system.step(shape=True, across_surface=True, outlines=outlines, reach=max(1.0, 4.0 / (1 + turn)))
    near = cKDTree(samples.places).query(canonical)[0]
    return Completion(
        apply(system.pose, system.shape()),
        system.pose,
        system.b,
        near < _MEASURED_MM,
        noise.understated * system.uncertainty(),
        noise.shift,
        system.apart(),
    )


class _System:
    """Gauss-Newton on pose and coefficients."""

    def __init__(
        self,
        model: ShapeModel,
        samples: SurfacePoints,
        anchors: Anchors,
        noise: Noise,
        scale: bool,
        held: Sequence[HeldPoint] = (),
        start: NDArray | None = None,
    ) -> None:
        self.model, self.samples, self.anchors, self.noise, self.scale = model, samples, anchors, noise, scale
        self.held = held
        self.moves = model.modes.astype(np.float64) * model.deviations[:, None, None]
        # [3, N * M]: one product with a matrix turns them all.
        self.anchored = np.ascontiguousarray(anchors.on(self.moves).transpose(2, 1, 0)).reshape(3, -1)
        self.b = np.zeros(len(model.modes))
        if start is None:
            start = robust_pose(anchors.on(model.mean), samples.points, samples.confidence)
        self.pose = np.asarray(start, dtype=np.float64)
        self.hessian = np.eye(6 + scale + len(self.b))

    def shape(self) -> NDArray[np.float64]:
        """[V, 3] in the model's frame."""
        return self.model.mean + np.tensordot(self.b, self.moves, axes=1)

    def step(
        self,
        *,
        shape: bool,
        across_surface: bool,
        outlines: Outlines | None = None,
        reach: float = 1.0,
    ) -> None:
        """One step; shape: coefficients too. across_surface: residuals mostly across the surface. outlines: drawn to
        as well, from up to so many times as far."""
        samples, noise = self.samples, self.noise
        vertices = self.shape()
        here = apply(self.pose, self.anchors.on(vertices))
        offset = samples.points - here
        metric = _ray_metric(samples.rays, noise)
        if across_surface:
            normals = vertex_normals(Mesh(vertices.astype(np.float32), self.model.faces)) @ _turn(self.pose).T
            metric = _surface_metric(self.anchors.on(normals), samples.rays, noise)
        squared = np.einsum("ni,nij,nj->n", offset, metric, offset)
        robust = samples.confidence / (1 + squared / 9.0) ** 2  # Geman and McClure, at three deviations
        metric = metric * (robust * min(1.0, noise.independent / len(samples)))[:, None, None]
        jacobian = self._jacobian(here, shape)
        weighted = (metric @ jacobian).reshape(offset.size, -1)
        hessian = weighted.T @ jacobian.reshape(offset.size, -1)
        gradient = weighted.T @ offset.ravel()
        for point in self.held:
            more = self._held_terms(point, vertices, here.mean(axis=0), shape)
            hessian, gradient = hessian + more[0], gradient + more[1]
        if outlines is not None:
            found = outlines.residuals(apply(self.pose, vertices))
            if len(found.rows):
                more = self._outline_terms(found, vertices, here.mean(axis=0), reach)
                hessian, gradient = hessian + more[0], gradient + more[1]
        n_pose = 6 + self.scale
        if shape:
            hessian[n_pose:, n_pose:] += np.eye(len(self.b))
            gradient[n_pose:] -= self.b
        step = np.linalg.solve(hessian + 1e-9 * np.eye(len(hessian)), gradient)
        self.pose = _moved(step[:n_pose], here.mean(axis=0)) @ self.pose
        if shape:
            self.b = self.b + step[n_pose:]
            self.hessian = hessian

    def _jacobian(self, here: NDArray, shape: bool) -> NDArray[np.float64]:
        """[N, 3, 6 or 7 and M] how anchored points move with turn, shift, size and coefficients."""
        columns = _pose_columns(here, here.mean(axis=0), self.scale)
        if not shape:
            return columns
        moved = (self.pose[:3, :3] @ self.anchored).reshape(3, len(here), -1).transpose(1, 0, 2)
        return np.concatenate([columns, moved], axis=2)

    def _held_terms(
        self, point: HeldPoint, vertices: NDArray, centre: NDArray, shape: bool
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        here = apply(self.pose, point.of(vertices)[None])
        columns = _pose_columns(here, centre, self.scale)[0]
        if shape:
            columns = np.concatenate([columns, self.pose[:3, :3] @ point.of(self.moves).T], axis=1)
        weighted = columns.T @ point.information
        return weighted @ columns, weighted @ (point.place - here[0])

    def _outline_terms(
        self, found: OutlineResiduals, vertices: NDArray, centre: NDArray, reach: float
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        noise = self.noise
        points = apply(self.pose, vertices[found.rows])
        moved = np.einsum("ij,mnj->nim", self.pose[:3, :3], self.moves[:, found.rows])
        columns = np.concatenate([_pose_columns(points, centre, self.scale), moved], axis=2)
        jacobian = np.einsum("ni,nip->np", found.direction, columns)
        squared = (found.outside_mm / (reach * noise.outline)) ** 2
        weight = min(1.0, noise.independent_outline / len(points)) / (1 + squared / 9.0) ** 2
        weight = weight / noise.outline**2
        weighted = weight[:, None] * jacobian
        return weighted.T @ jacobian, -weighted.T @ found.outside_mm

    def apart(self) -> float:
        """mm, the median over the samples."""
        here = apply(self.pose, self.anchors.on(self.shape()))
        return float(np.median(np.linalg.norm(self.samples.points - here, axis=1)))

    def uncertainty(self) -> NDArray[np.float64]:
        """[V] root mean square over directions of the posterior's standard deviation, mm."""
        covariance = np.linalg.inv(self.hessian + 1e-9 * np.eye(len(self.hessian)))
        root = np.linalg.cholesky((covariance + covariance.T) / 2 + 1e-12 * np.eye(len(covariance)))
        here = apply(self.pose, self.shape())
        centre = apply(self.pose, self.anchors.on(self.shape())).mean(axis=0)
        pose = _pose_columns(here, centre, self.scale) @ root[: 6 + self.scale]
        n_pose = 6 + self.scale
        moved = np.einsum("ij,mvj,mp->vip", self.pose[:3, :3], self.moves, root[n_pose:], optimize=True)
        return np.asarray(np.sqrt(((pose + moved) ** 2).sum(axis=(1, 2)) / 3))


def _ray_metric(rays: NDArray, noise: Noise) -> NDArray[np.float64]:
    along = rays[:, :, None] * rays[:, None, :]
    return np.asarray(along / noise.along**2 + (np.eye(3) - along) / noise.across**2)


def _surface_metric(normals: NDArray, rays: NDArray, noise: Noise) -> NDArray[np.float64]:
    """Across the surface a sample errs by its depth alone, as steeply as the ray meets the surface."""
    normals = normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
    outer = normals[:, :, None] * normals[:, None, :]
    cosine = np.abs((normals * rays).sum(1))
    across = 1 / ((noise.along * cosine) ** 2 + 1.0)  # at least 1 mm: pixels and shape
    along = _ALONG_SURFACE / noise.across**2
    return np.asarray(outer * across[:, None, None] + (np.eye(3) - outer) * along)


def _turn(pose: NDArray) -> NDArray[np.float64]:
    return np.asarray(pose[:3, :3] / np.cbrt(np.linalg.det(pose[:3, :3])))


def _pose_columns(points: NDArray, centre: NDArray, scaled: bool) -> NDArray[np.float64]:
    arm = points - centre
    turn = -np.cross(arm[:, None, :], np.eye(3)[None]).transpose(0, 2, 1)
    columns = [turn, np.broadcast_to(np.eye(3), turn.shape)]
    if scaled:
        columns.append(arm[:, :, None])
    return np.concatenate(columns, axis=2)


def _moved(step: NDArray, centre: NDArray) -> NDArray[np.float64]:
    linear = Rotation.from_rotvec(step[:3]).as_matrix() * (np.exp(step[6]) if len(step) > 6 else 1.0)
    return compose(linear, centre + step[3:6] - linear @ centre)

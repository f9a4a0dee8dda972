"""Surfaces of diseased vertebrae: a `Deformity` applied to one vertebra in its own frame, topology and
regions kept."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mri2mesh.anatomy.discs import Endplate
from mri2mesh.anatomy.regions import Region
from mri2mesh.anatomy.spine_plan import Deformity
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.repair import remove_self_intersections

_RIM_REACH_MM = 3.0


def deform(mesh: Mesh, deformity: Deformity, rng: np.random.Generator) -> Mesh:
    """The vertebra with everything in ``deformity``. rng: which way osteophytes grow."""
    if deformity == Deformity():
        return mesh
    body = _Body.of(mesh)
    vertices = mesh.vertices.astype(np.float64)
    vertices = _grow_rims(vertices, body, deformity.osteophytes_mm, rng)
    vertices = _lose_height(vertices, body, deformity.wedge, deformity.biconcave)
    vertices = _shift_arch(vertices, body, deformity.arch_shift_mm)
    vertices = _broaden_transverse(vertices, mesh, body, deformity.transverse_scale)
    return remove_self_intersections(mesh.with_vertices(vertices))


class _Body:
    """The box of the vertebral body: half width and depth of its endplates, their heights, its posterior
    wall."""

    def __init__(self, upper: Endplate, lower: Endplate) -> None:
        points = np.concatenate([upper.points, lower.points])
        self.centre = (points.min(0) + points.max(0))[:2] / 2
        self.half = np.ptp(points, axis=0)[:2] / 2
        self.top, self.bottom = float(upper.centre[2]), float(lower.centre[2])
        self.back = float(points[:, 1].min())

    @classmethod
    def of(cls, mesh: Mesh) -> _Body:
        return cls(Endplate.of(mesh, Region.SUPERIOR_ENDPLATE), Endplate.of(mesh, Region.INFERIOR_ENDPLATE))

    def radial(self, vertices: NDArray) -> NDArray[np.float64]:
        """[V, 2] position in the transverse plane where the outline of the endplates is about the unit
        circle."""
        return (vertices[:, :2] - self.centre) / self.half

    def ahead(self, vertices: NDArray) -> NDArray[np.float64]:
        """0 at and behind the posterior wall, 1 at the front."""
        return np.clip((vertices[:, 1] - self.back) / (2 * self.half[1]), 0, 1)


def _smooth(t: NDArray) -> NDArray[np.float64]:
    t = np.clip(t, 0, 1)
    return np.asarray(t * t * (3 - 2 * t))


def _lose_height(vertices: NDArray, body: _Body, wedge: float, biconcave: float) -> NDArray:
    height = body.top - body.bottom
    up = np.clip((vertices[:, 2] - body.bottom) / height, -0.2, 1.2)
    sunken = wedge * height * body.ahead(vertices) * (0.85 * up - 0.15 * (1 - up))
    inside = np.exp(-1.5 * (body.radial(vertices) ** 2).sum(1) ** 1.5)
    sunken = sunken + biconcave * height * inside * (np.clip(up, 0, 1) - 0.5) * _smooth(
        body.ahead(vertices) * 6
    )
    out = vertices.copy()
    out[:, 2] -= sunken
    return out


def _grow_rims(
    vertices: NDArray, body: _Body, sizes_mm: tuple[float, float], rng: np.random.Generator
) -> NDArray:
    """Rim vertices move outward, mostly in front and at the sides, by an amount that varies around the
    rim."""
    radial = body.radial(vertices)
    radius = np.hypot(*radial.T)
    angle = np.arctan2(radial[:, 1], radial[:, 0])
    out = vertices.copy()
    for size, height, side in zip(sizes_mm, (body.top, body.bottom), (1.0, -1.0), strict=True):
        phases, weights = rng.uniform(0, 2 * np.pi, 4), rng.uniform(0.1, 0.5, 4)
        around = 0.55 + sum(
            w * np.cos((k + 1) * angle + p) for k, (w, p) in enumerate(zip(weights, phases, strict=True))
        )
        around = np.clip(around, 0, 1) * _smooth((np.sin(angle) + 0.6) / 0.8)
        inside_out = body.back + 1.0 < vertices[:, 1]
        near = (
            np.exp(-0.5 * ((vertices[:, 2] - height) / _RIM_REACH_MM) ** 2)
            * _smooth((radius - 0.7) / 0.3)
            * inside_out
        )
        growth = size * around * near
        direction = radial / np.maximum(radius, 1e-6)[:, None]
        out[:, :2] += growth[:, None] * direction
        out[:, 2] += side * 0.15 * growth
    return out


def _shift_arch(vertices: NDArray, body: _Body, shift_mm: float) -> NDArray:
    """The lamina, lower facets and spinous process stay behind; pedicles and upper facets go with the
    body."""
    middle = (body.top + body.bottom) / 2
    behind = _smooth((body.back - 4.0 - vertices[:, 1]) / 12.0)
    low = _smooth((middle + 4.0 - vertices[:, 2]) / 14.0)
    far = _smooth((body.back - 20.0 - vertices[:, 1]) / 10.0)
    out = vertices.copy()
    out[:, 1] -= shift_mm * behind * np.maximum(low, far)
    return out


def _broaden_transverse(vertices: NDArray, mesh: Mesh, body: _Body, scale: float) -> NDArray:
    if scale == 1.0:
        return vertices
    out = vertices.copy()
    regions = np.asarray(mesh.regions)
    for region in (Region.TRANSVERSE_LEFT, Region.TRANSVERSE_RIGHT):
        tip = vertices[regions == region]
        if not len(tip):
            continue
        root, height = np.abs(tip[:, 0]).min(), tip[:, 2].mean()
        side = np.sign(tip[:, 0].mean())
        part = _smooth((side * vertices[:, 0] - root) / 8.0)
        out[:, 0] += side * part * 0.5 * (scale - 1) * np.maximum(side * vertices[:, 0] - root, 0)
        out[:, 2] += part * ((scale - 1) * (vertices[:, 2] - height) - 4.0 * (scale - 1))
    return out

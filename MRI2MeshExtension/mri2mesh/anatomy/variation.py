"""Bounded random variation of a vertebra that keeps it a vertebra: proportions, processes, smooth bumps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags, eye
from scipy.sparse.linalg import eigsh, splu
from scipy.spatial.transform import Rotation

from mri2mesh.anatomy.regions import Region

_PROCESSES = {
    Region.SPINOUS: (9.0, 4.0, 0.12),
    Region.TRANSVERSE_LEFT: (9.0, 7.0, 0.14),
    Region.TRANSVERSE_RIGHT: (9.0, 7.0, 0.14),
    Region.FACET_SUPERIOR_LEFT: (5.0, 5.0, 0.08),
    Region.FACET_SUPERIOR_RIGHT: (5.0, 5.0, 0.08),
    Region.FACET_INFERIOR_LEFT: (5.0, 5.0, 0.08),
    Region.FACET_INFERIOR_RIGHT: (5.0, 5.0, 0.08),
}
"""Standard deviations: tilt up or down and swing left or right in degrees, length as a fraction."""

_PROPORTION_SD = 0.045
"""Standard deviation of width, depth and height against each other, as a fraction."""
_SIZE_SD = 0.06
_WEDGE_SD_DEGREES = 2.0
"""Standard deviation of the angle between the endplates, beside what the sources bring."""
_BUMP_MM = 0.45
"""Root mean square of the smooth displacement along each axis."""
_N_MODES = 28

_Amount = Callable[..., Any]
"""(standard deviation, size) -> bounded random numbers."""


def graph_laplacian(faces: NDArray, n_vertices: int) -> csr_matrix:
    """Degree minus adjacency of the mesh's edges."""
    edges = np.unique(np.sort(faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1), axis=0)
    i, j = np.concatenate([edges, edges[:, ::-1]]).T
    adjacency = csr_matrix((np.ones(len(i)), (i, j)), shape=(n_vertices, n_vertices))
    return csr_matrix(diags(np.asarray(adjacency.sum(axis=1)).ravel()) - adjacency)


class ShapeVariation:
    """Random variation for one topology. faces [F, 3], regions [V]."""

    def __init__(self, faces: NDArray, regions: NDArray) -> None:
        laplacian = graph_laplacian(faces, len(regions))
        soften = splu((eye(len(regions)) + 8.0 * laplacian).tocsc())
        self.regions = regions
        self.processes = [(soften.solve((regions == part).astype(float)), *spread)
                          for part, spread in _PROCESSES.items()]  # fmt: skip
        values, vectors = eigsh(laplacian, k=_N_MODES + 1, sigma=-1e-4, v0=np.ones(len(regions)))
        order = np.argsort(values)[1:]
        falloff = 1.0 / (1.0 + values[order] / values[order[_N_MODES // 4]])
        modes = vectors[:, order] * falloff
        self.bumps = modes / np.sqrt((modes**2).sum(axis=1).mean())

    def vary(self, vertices: NDArray, rng: np.random.Generator, variability: float = 1.0) -> NDArray:
        """[V, 3] a random variant of a vertebra in its local frame; variability 0 returns it unchanged."""
        amount = _bounded(rng, variability)
        result = self._processes_moved(vertices.astype(float), amount)
        proportions = np.exp(amount(_SIZE_SD) + amount(_PROPORTION_SD, 3))
        result = result * proportions
        wedge = np.deg2rad(amount(_WEDGE_SD_DEGREES))
        depth = np.clip(result[:, 1], -20.0, 20.0)
        result[:, 2] *= 1.0 + wedge * depth / 25.0
        return result + self.bumps @ amount(_BUMP_MM, (self.bumps.shape[1], 3))

    def _processes_moved(self, vertices: NDArray, amount: _Amount) -> NDArray:
        result = vertices.copy()
        for weight, tilt_sd, swing_sd, length_sd in self.processes:
            tip = np.average(vertices, axis=0, weights=np.clip(weight - 0.5, 0, None))
            root = np.average(vertices, axis=0, weights=np.clip(0.25 - np.abs(weight - 0.35), 0, None))
            axis = (tip - root) / np.linalg.norm(tip - root)
            sideways = np.array(
                [axis[1], -axis[0], 0.0]
            )  # horizontal and across the process: turning about it tilts
            sideways /= max(np.linalg.norm(sideways), 1e-6)
            turn = Rotation.from_rotvec(np.deg2rad(amount(tilt_sd)) * sideways)
            turn = turn * Rotation.from_rotvec([0, 0, np.deg2rad(amount(swing_sd))])
            arm = vertices - root
            longer = arm + np.clip(arm @ axis, 0, None)[:, None] * axis * amount(length_sd)
            result += weight[:, None] * (turn.apply(longer) - arm)
        return result


def _bounded(rng: np.random.Generator, variability: float) -> _Amount:
    """A draw of normal numbers of a given standard deviation, never beyond two of them."""

    def amount(sd: float, size: int | tuple[int, ...] | None = None) -> Any:
        return variability * sd * np.clip(rng.standard_normal(size), -2.0, 2.0)

    return amount

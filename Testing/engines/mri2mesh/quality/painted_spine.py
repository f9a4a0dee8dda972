"""A lumbar spine painted into an image, so that every surface is known exactly and no network has to run."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from scipy import ndimage
from scipy.spatial import cKDTree

from mri2mesh.anatomy.regions import body_of
from mri2mesh.anatomy.semantic import Semantic
from mri2mesh.anatomy.spine_model import LumbarSpineModel, SpineOptions, SpineSample
from mri2mesh.anatomy.structures import STRUCTURES
from mri2mesh.engines.mri2mesh.localisation.evidence import Evidence
from mri2mesh.engines.mri2mesh.networks.localiser import SPACING_MM, Heat
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.volume import Volume
from mri2mesh.geometry.voxelise import voxelise
from mri2mesh.imaging.volumes.resampling import average_slices
from mri2mesh.reconstruction import ReconstructedStructure

NAMES = ("L1", "L1-L2", "L2", "L2-L3", "L3", "L3-L4", "L4", "L4-L5", "L5", "L5-S1", "S1")
"""From head to foot, as the engine returns them."""

SIGNAL = {
    Semantic.BACKGROUND: 0.3,
    Semantic.BODY: 0.5,
    Semantic.DISC: 0.75,
    Semantic.SACRUM: 0.5,
    Semantic.POSTERIOR: 0.45,
    Semantic.CANAL: 1.0,
}
CORTEX = 0.08
MARGIN_MM = 16
HALF_WIDTH_MM = 32


@dataclass(frozen=True)
class PaintedSpine:
    """The true surfaces, the image in slices of 4 mm, and what a localiser that makes no mistake sees."""

    structures: dict[str, ReconstructedStructure]
    volume: Volume
    evidence: Evidence

    def with_meshes(
        self, changed: dict[str, Mesh], names: tuple[str, ...] = NAMES
    ) -> list[ReconstructedStructure]:
        """Some of the structures, with other surfaces in the place of the true ones."""
        return [replace(self.structures[name], mesh=changed.get(name, self.mesh(name))) for name in names]

    def mesh(self, name: str) -> Mesh:
        return self.structures[name].mesh


@lru_cache(maxsize=1)
def paint(seed: int = 5) -> PaintedSpine:
    """A spine of nearly average posture without findings; the same seed gives the same."""
    rng = np.random.default_rng(seed)
    spine = LumbarSpineModel.load().sample(rng, SpineOptions("L1", spread=0.5, findings={}))
    grid = _grid(spine)
    labels, cortex = _labels(spine, grid)
    signal = np.array([SIGNAL[tissue] for tissue in Semantic], np.float32)[labels]
    signal[cortex] = CORTEX
    signal = ndimage.gaussian_filter(signal, 0.6) + rng.normal(0, 0.03, signal.shape).astype(np.float32)
    ones = {name: np.ones(len(spine.structures[name].vertices), np.float32) for name in NAMES}
    structures = {
        name: ReconstructedStructure(STRUCTURES[name], spine.structures[name], ones[name], ones[name])
        for name in NAMES
    }
    return PaintedSpine(structures, average_slices(grid.with_array(signal), "x", 4), _evidence(labels, grid))


def _grid(spine: SpineSample) -> Volume:
    """1 mm along RAS around the bodies and the canal, a multiple of the localiser's voxels in each direction."""
    points = np.concatenate([spine.structures[name].vertices for name in NAMES])
    low = np.floor(points.min(axis=0)) - MARGIN_MM
    shape = 4 * np.ceil((points.max(axis=0) + MARGIN_MM - low) / 4).astype(int)
    low[0], shape[0] = np.round(np.median(points[:, 0])) - HALF_WIDTH_MM, 2 * HALF_WIDTH_MM
    matrix = np.eye(4)
    matrix[:3, 3] = low
    return Volume(np.zeros(shape[::-1], np.uint8), matrix)


def _labels(spine: SpineSample, grid: Volume) -> tuple[np.ndarray, np.ndarray]:
    """[K, J, I] `Semantic`, and where bone is cortex: its outer millimetre."""
    labels, cortex = np.zeros(grid.array.shape, np.uint8), np.zeros(grid.array.shape, bool)
    low, high = spine.canal.centreline.min(0)[2] - 5, spine.canal.centreline.max(0)[2] + 5
    points = grid.ras_from_ijk(np.argwhere(np.ones(grid.array.shape, bool))[:, ::-1])
    tree = cKDTree(spine.canal.centreline)
    away, nearest = tree.query(points, distance_upper_bound=float(spine.canal.radius.max()))
    in_canal = np.isfinite(away) & (points[:, 2] > low) & (points[:, 2] < high)
    in_canal[in_canal] &= away[in_canal] < spine.canal.radius[nearest[in_canal]]
    labels[in_canal.reshape(labels.shape)] = Semantic.CANAL
    for name in (*NAMES, "sacrum"):
        mesh = spine.structures[name]
        solid = voxelise(mesh, grid)
        if "-" in name:
            labels[solid] = Semantic.DISC
            continue
        cortex |= solid & ~ndimage.binary_erosion(solid)
        labels[solid] = Semantic.SACRUM if name in ("S1", "sacrum") else Semantic.POSTERIOR
        if name not in ("S1", "sacrum"):
            labels[voxelise(body_of(mesh), grid)] = Semantic.BODY
    return labels, cortex


def _evidence(labels: np.ndarray, grid: Volume) -> Evidence:
    """Shares of the tissues in each of the localiser's voxels."""
    x, y, z = (int(mm) for mm in SPACING_MM)
    k, j, i = labels.shape
    shares = np.stack(
        [(labels == tissue).reshape(k // z, z, j // y, y, i // x, x).mean((1, 3, 5)) for tissue in Semantic]
    ).astype(np.float32)
    matrix = np.diag([*SPACING_MM, 1.0])
    matrix[:3, 3] = grid.ijk_to_ras[:3, 3] + (np.array(SPACING_MM) - 1) / 2
    heat = np.zeros((len(Heat), *shares.shape[1:]), np.float32)
    return Evidence(shares, heat, np.ones(shares.shape[1:], bool), matrix)

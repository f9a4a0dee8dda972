"""How a scanner samples the body: voxels with a profile on an anisotropic grid, and back onto the fine
grid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mri2mesh.synthesis.mr.fields import Matrix, linear_matrix

SIGMA_PER_FWHM = 1 / np.sqrt(8 * np.log(2))


@dataclass(frozen=True)
class AxisSampling:
    """Samples along one axis, in voxels of the fine grid.

    centres: [n] positions, evenly spaced. width: full width at half maximum of the profile. profile: "box"
    (with flanks a fifth of the width) or "gaussian".
    """

    centres: NDArray[np.float64]
    width: float
    profile: str

    def matrix(self, n_fine: int) -> Matrix:
        """[n, n_fine] weights, rows summing to 1; beyond the grid the edge value goes on."""
        # Every fine voxel is taken as a little ramp, not a point: narrow profiles stay smooth in position.
        reach = int(np.ceil(1.5 * self.width + 2))
        fine = np.arange(-reach, n_fine + reach)
        distance = np.abs(fine[None, :] - self.centres[:, None])
        if self.profile == "box":
            flank = max(0.5, 0.1 * self.width)
            weights = np.clip((self.width / 2 + flank - distance) / (2 * flank), 0, 1)
        else:
            sigma = max(self.width * SIGMA_PER_FWHM, 0.5)  # also hides the steps of the label map
            weights = np.exp(-0.5 * (distance / sigma) ** 2)
        weights /= weights.sum(axis=1, keepdims=True)
        folded = weights[:, reach : reach + n_fine].copy()
        folded[:, 0] += weights[:, :reach].sum(axis=1)
        folded[:, -1] += weights[:, reach + n_fine :].sum(axis=1)
        return folded.astype(np.float32)

    def back(self, n_fine: int) -> Matrix:
        """[n_fine, n] weights of linear interpolation back; zero more than half a step outside the
        samples."""
        step = self.centres[1] - self.centres[0] if len(self.centres) > 1 else 1.0
        positions = (np.arange(n_fine) - self.centres[0]) / step
        matrix = linear_matrix(positions, len(self.centres))
        matrix[(positions < -0.5) | (positions > len(self.centres) - 0.5)] = 0
        return matrix


@dataclass(frozen=True)
class Protocol:
    """What is acquired, mm on a 1 mm grid. axis: array axis across the slices (0 axial, 1 coronal, 2
    sagittal)."""

    axis: int
    thickness: float
    gap: float
    in_plane: tuple[float, float]
    profile: str

    @property
    def name(self) -> str:
        """In words."""
        plane = ("axial", "coronal", "sagittal")[self.axis]
        pixel = f"{self.in_plane[0]:.2f} x {self.in_plane[1]:.2f} mm"
        return f"{plane} {self.thickness:.1f}+{self.gap:.1f} mm, {pixel}"


def random_protocol(rng: np.random.Generator) -> Protocol:
    """Mostly sagittal slices of 1 to 6 mm, in-plane 0.4 to 1.5 mm; some coronal, axial or isotropic."""
    axis = int(rng.choice([2, 1, 0], p=[0.88, 0.05, 0.07]))
    isotropic = rng.random() < 0.12
    thickness = float(rng.uniform(0.8, 1.5) if isotropic else np.clip(rng.normal(3.8, 1.0), 1.0, 6.0))
    gap = 0.0 if isotropic or rng.random() < 0.2 else float(thickness * rng.uniform(0.0, 0.25))
    plane = float(np.exp(rng.uniform(np.log(0.4), np.log(1.5))))
    if isotropic:
        plane = thickness
    ratio = 1.0 if rng.random() < 0.5 else float(rng.uniform(0.75, 1.33))
    in_plane = (float(np.clip(plane * ratio, 0.4, 1.5)), float(np.clip(plane / ratio, 0.4, 1.5)))
    return Protocol(axis, thickness, gap, in_plane, "box" if rng.random() < 0.6 else "gaussian")


def samplings(
    protocol: Protocol, shape: tuple[int, ...], rng: np.random.Generator, cover: float = 1.0
) -> list[AxisSampling]:
    """Sampling of each array axis (k, j, i), at random phase; cover < 1 leaves a border of the grid
    without data."""
    planes = iter(protocol.in_plane)
    result = []
    for axis, n in enumerate(shape):
        across = axis == protocol.axis
        step = protocol.thickness + protocol.gap if across else next(planes)
        # In plane the reconstructed pixel is often finer than what was acquired.
        width = protocol.thickness if across else step * rng.uniform(1.0, 1.5)
        extent = n * (cover if rng.random() < 0.5 else 1.0)
        count = max(2, int(extent / step))
        spare = n - count * step
        before = spare * rng.random() if cover < 1 else spare / 2 + (rng.random() - 0.5) * step
        centres = (before + step * (np.arange(count) + 0.5) - 0.5).astype(np.float64)
        profile = protocol.profile if across else "gaussian"
        result.append(AxisSampling(centres, float(width), profile))
    return result

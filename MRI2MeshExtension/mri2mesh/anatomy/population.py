"""How lumbar spines differ in posture, spacing and size: a Gaussian model of a CT population.

Learned from body-centre and pedicle landmarks of about 2,000 CT scans (VID, Meng et al.; CC BY-SA 4.0) by
`building.build_spine_model`. Patients lay supine, as they do in an MR scanner.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from mri2mesh.anatomy.structures import VERTEBRA_LEVELS

LEVEL_FEATURES = ("tilt", "roll", "yaw", "width", "depth")
"""Features of a vertebra: rotations in degrees about +x (anterior edge up), +y, +z (applied in that order, world RAS),
and in mm the distance between the pedicles and the distance from between the pedicles to the body centre."""
STEP_FEATURES = ("spacing", "shear_x", "shear_y")
"""Features of a neighbouring pair, mm: distance of the body centres, and the sideways part of the step from the upper
to the lower centre in the frame midway between the two vertebrae."""
FEATURES = tuple(f"{level} {name}" for level in VERTEBRA_LEVELS for name in LEVEL_FEATURES) + tuple(
    f"{level} {name}" for level in VERTEBRA_LEVELS[:-1] for name in STEP_FEATURES
)
_N = len(VERTEBRA_LEVELS)
_ORIGIN = VERTEBRA_LEVELS.index("L3")


@dataclass(frozen=True)
class SpinePosture:
    """One spine without shapes: T7 to L5 from head to foot, world RAS, mm, origin at the centre of L3.

    angles: [11, 3] degrees (tilt, roll, yaw). centres: [11, 3]. widths: [11] between the pedicles.
    depths: [11] from between the pedicles to the body centre.
    """

    angles: NDArray[np.float64]
    centres: NDArray[np.float64]
    widths: NDArray[np.float64]
    depths: NDArray[np.float64]

    @property
    def rotations(self) -> NDArray[np.float64]:
        """[11, 3, 3]; columns are the axes (right, anterior, superior) of each vertebra."""
        return rotations_from_angles(self.angles)

    @property
    def spacings(self) -> NDArray[np.float64]:
        """[10] distances of neighbouring body centres."""
        return np.linalg.norm(np.diff(self.centres, axis=0), axis=1)

    @property
    def lordosis(self) -> float:
        """Degrees between the midplanes of L1 and L5 in the sagittal plane; positive is lordotic."""
        return float(self.angles[VERTEBRA_LEVELS.index("L1"), 0] - self.angles[-1, 0])


def rotations_from_angles(angles: NDArray) -> NDArray[np.float64]:
    """[..., 3] (tilt, roll, yaw) in degrees to [..., 3, 3]: R = Rx(tilt) Ry(roll) Rz(yaw)."""
    angles = np.asarray(angles, dtype=np.float64)
    return (
        Rotation.from_euler("XYZ", angles.reshape(-1, 3), degrees=True).as_matrix().reshape(*angles.shape, 3)
    )


def features_from_posture(posture: SpinePosture) -> NDArray[np.float64]:
    """[85] in the order of `FEATURES`; values may be NaN where a level was not seen."""
    per_level = np.column_stack([posture.angles, posture.widths, posture.depths])
    steps = -np.diff(posture.centres, axis=0)
    between = rotations_from_angles((posture.angles[:-1] + posture.angles[1:]) / 2)
    local = np.einsum("nji,nj->ni", between, steps)
    per_step = np.column_stack([np.linalg.norm(steps, axis=1), local[:, :2]])
    return np.concatenate([per_level.ravel(), per_step.ravel()])


def posture_from_features(features: NDArray) -> SpinePosture:
    """The inverse of `features_from_posture`, up to the place of L3."""
    per_level = features[: _N * 5].reshape(_N, 5)
    spacing, shear = features[_N * 5 :].reshape(_N - 1, 3)[:, 0], features[_N * 5 :].reshape(_N - 1, 3)[:, 1:]
    shear = shear * np.minimum(1, 0.5 * spacing / np.maximum(np.linalg.norm(shear, axis=1), 1e-9))[:, None]
    local = np.column_stack([shear, np.sqrt(spacing**2 - (shear**2).sum(1))])
    between = rotations_from_angles((per_level[:-1, :3] + per_level[1:, :3]) / 2)
    centres = np.concatenate([np.zeros((1, 3)), -np.cumsum(np.einsum("nij,nj->ni", between, local), axis=0)])
    return SpinePosture(per_level[:, :3], centres - centres[_ORIGIN], per_level[:, 3], per_level[:, 4])


@dataclass(frozen=True)
class SpinePopulation:
    """mean: [85]; modes: [K, 85], each scaled by its standard deviation; residual: [85] SD of what no mode
    holds."""

    mean: NDArray[np.float64]
    modes: NDArray[np.float64]
    residual: NDArray[np.float64]

    @classmethod
    def load(cls) -> SpinePopulation:
        """The population shipped with the package."""
        with (files("mri2mesh.anatomy") / "data" / "spine_population.npz").open("rb") as stream:
            data = np.load(stream)
            return cls(*(data[name].astype(np.float64) for name in ("mean", "modes", "residual")))

    @cached_property
    def mean_posture(self) -> SpinePosture:
        """The average spine."""
        return posture_from_features(self.mean)

    def sample(self, rng: np.random.Generator, spread: float = 1.0) -> SpinePosture:
        """One random spine; `spread` scales the deviation from the mean. Deviations stop at 3 SD of each
        mode."""
        scores = np.clip(rng.standard_normal(len(self.modes)), -3, 3)
        noise = np.clip(rng.standard_normal(len(self.mean)), -2, 2) * self.residual
        return posture_from_features(self.mean + spread * (scores @ self.modes + noise))

"""Lower lumbar spines to stand on a sacrum: drawn from the lumbar spine model once, then used for many films."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mri2mesh.anatomy.discs import Endplate
from mri2mesh.anatomy.regions import Region
from mri2mesh.anatomy.shapes import VertebraShapes
from mri2mesh.anatomy.spine_model import LumbarSpineModel, SpineOptions

LEVELS = ("L2", "L3", "L4", "L5")


@dataclass(frozen=True)
class LowerSpines:
    """vertices: [N, 4, V, 3] mm of `LEVELS` in the frame of the sacral endplate of N spines: origin its centre, z its
    normal upwards, x to the patient's right. faces: [F, 3] of each vertebra."""

    vertices: NDArray[np.float32]
    faces: NDArray[np.int64]

    def on(self, endplate: NDArray, rng: np.random.Generator) -> NDArray[np.float32]:
        """[4, V, 3] one of the spines upon the sacral endplate [E, 3], as wide as that, turned a little."""
        placed = endplate_frame(endplate, endplate.mean(axis=0))
        size = float(np.clip(np.ptp((endplate - placed[:3, 3]) @ placed[:3, 0]) / 48.0, 0.8, 1.25))
        size *= float(np.exp(0.03 * rng.standard_normal()))
        spine = self.vertices[rng.integers(len(self.vertices))].astype(np.float64) * size
        spine = spine @ placed[:3, :3].T + placed[:3, 3]
        return spine.astype(np.float32)

    def save(self, path: Path) -> None:
        np.savez_compressed(path, vertices=self.vertices.astype(np.float16), faces=self.faces)

    @classmethod
    def load(cls, path: Path) -> LowerSpines:
        with np.load(path, allow_pickle=False) as stored:
            return cls(stored["vertices"].astype(np.float32), stored["faces"].astype(np.int64))


def endplate_frame(points: NDArray, centre: NDArray, right: NDArray | None = None) -> NDArray[np.float64]:
    """4x4 of an endplate's points [E, 3]: z the normal of their plane, upwards; x towards right (patient's +x)."""
    normal = np.linalg.svd(points - points.mean(axis=0), full_matrices=False)[2][-1]
    normal = normal * np.sign(normal[2])
    across = np.array([1.0, 0.0, 0.0]) if right is None else right
    across = across - (across @ normal) * normal
    across /= np.linalg.norm(across)
    frame = np.eye(4)
    frame[:3, :3] = np.stack([across, np.cross(normal, across), normal], axis=1)
    frame[:3, 3] = centre
    return frame


def draw_spines(count: int, seed: int) -> LowerSpines:
    """Spines with the sizes, spacing, lordosis and findings of the spine model; several seconds each."""
    model, faces = LumbarSpineModel.load(), VertebraShapes.load().faces
    spines = []
    for number in range(count):
        sample = model.sample(np.random.default_rng([seed, number]), SpineOptions(top=LEVELS[0]))
        up = sample.frames["S1"][:3, 2]
        plate = Endplate.of(sample.structures["S1"], Region.SUPERIOR_ENDPLATE, up)
        frame = endplate_frame(plate.points, plate.points.mean(axis=0), sample.frames["S1"][:3, 0])
        back = np.linalg.inv(frame)
        spines.append([sample.structures[level].vertices @ back[:3, :3].T + back[:3, 3] for level in LEVELS])
    return LowerSpines(np.array(spines, np.float32), faces)

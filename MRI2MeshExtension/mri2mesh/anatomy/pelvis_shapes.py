"""A family of sacra with their S1 bodies and hips, and random members of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from mri2mesh.anatomy import storage
from mri2mesh.geometry.checks import self_intersections
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.repair import remove_self_intersections

_BLENDED = 3
_SIZE_SD = 0.04
_TRIES = 3


@dataclass(frozen=True)
class Pelvis:
    """Closed surfaces of one pelvis in the local frame of S1: origin the centroid of the S1 body, +z the normal of
    its endplate, +x the patient's right. ``s1`` has the topology and regions of the "sacrum" template and coincides
    with the sacrum where it is not cut off it."""

    sacrum: Mesh
    s1: Mesh
    left_hip: Mesh
    right_hip: Mesh


class PelvisShapes:
    """Sources in correspondence. vertices: bone -> [S, V, 3] mm in each subject's S1 frame."""

    def __init__(self, stored: dict[str, NDArray]) -> None:
        bones = ("sacrum", "s1", "left_hip", "right_hip")
        self.subjects = [str(subject) for subject in stored["subjects"]]
        self.vertices = {bone: storage.unpack(stored[f"{bone}_vertices"]) for bone in bones}
        self.faces = {bone: stored[f"{bone}_faces"].astype(np.int64) for bone in bones}
        self.s1_regions = stored["s1_regions"]

    @classmethod
    def load(cls) -> PelvisShapes:
        """The shipped family; read once."""
        return _load()

    def sample(self, rng: np.random.Generator, variability: float = 1.0) -> Pelvis:
        """A random blend of a few subjects, slightly stretched; variability scales the stretch (0: none)."""
        for _ in range(_TRIES):
            chosen = rng.choice(len(self.subjects), size=min(_BLENDED, len(self.subjects)), replace=False)
            shares = rng.dirichlet(np.full(len(chosen), 0.8))
            stretch = np.exp(variability * _SIZE_SD * np.clip(rng.standard_normal(3), -2, 2))
            bones = {bone: self._blended(bone, chosen, shares) * stretch for bone in self.faces}
            sacrum = Mesh(bones["sacrum"], self.faces["sacrum"])
            s1 = Mesh(bones["s1"], self.faces["s1"], {"region": self.s1_regions})
            if self_intersections(sacrum) == 0 and self_intersections(s1) == 0:
                break
        hips = (Mesh(bones[hip], self.faces[hip]) for hip in ("left_hip", "right_hip"))
        return Pelvis(remove_self_intersections(sacrum), remove_self_intersections(s1), *hips)

    def _blended(self, bone: str, chosen: NDArray, shares: NDArray) -> NDArray:
        return np.tensordot(shares, self.vertices[bone][chosen].astype(np.float64), axes=1)


@lru_cache(maxsize=1)
def _load() -> PelvisShapes:
    return PelvisShapes(storage.read("pelves"))

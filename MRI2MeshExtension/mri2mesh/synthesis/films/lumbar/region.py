"""One trunk as it stands, sits or lies before the detector: shapes vary on, ribs are added, the whole is turned."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from mri2mesh.anatomy.lumbar_region import VERTEBRAE
from mri2mesh.anatomy.regions import Region
from mri2mesh.anatomy.structures import VERTEBRA_LEVELS
from mri2mesh.synthesis.films.lumbar.parts import TrunkParts, trunk_parts
from mri2mesh.synthesis.films.lumbar.ribs import RIBBED, draw_ribs
from mri2mesh.synthesis.films.lumbar.trunks import TOP, Trunks
from mri2mesh.synthesis.films.variation import deformed

ANCHORS = ("centre", "pedicle left", "pedicle right", "front", "spinous")
"""Of each of `VERTEBRAE`, in this order, among the anchors of a film."""
_LEVELS = VERTEBRA_LEVELS[VERTEBRA_LEVELS.index(TOP) :]


@dataclass(frozen=True)
class LumbarRegion:
    """vertices: [V, 3] RAS mm of all bones and ribs, as `TrunkParts` counts them. anchors: [7, 5, 3] RAS mm,
    `ANCHORS` of each of `VERTEBRAE`."""

    vertices: NDArray[np.float32]
    anchors: NDArray[np.float64]

    @property
    def middle(self) -> NDArray[np.float64]:
        """[3] the centre of L3's body."""
        return np.asarray(self.anchors[VERTEBRAE.index("L3"), 0])


class LumbarMaker:
    """Draws lumbar regions from a store of trunks."""

    def __init__(self, trunks: Trunks) -> None:
        self.trunks = trunks
        self.parts: TrunkParts = trunk_parts()

    def draw(
        self, rng: np.random.Generator, number: int | None = None, strength: float = 0.7
    ) -> LumbarRegion:
        """One region. number: of the trunk (default: any). strength: of the smooth deformation of all its bones
        together; 0 leaves shapes and sizes as they are."""
        row = int(rng.integers(len(self.trunks.vertices))) if number is None else number
        bones = self.trunks.vertices[row]
        frames = dict(zip(_LEVELS, self.trunks.frames[row], strict=True))
        everything = np.concatenate([bones, draw_ribs({level: frames[level] for level in RIBBED}, rng)])
        if strength > 0:
            everything = deformed(everything, rng, strength).astype(np.float32)
        tilt = rng.normal(0, [4.0, 3.0, 4.0]) * (2.0 if rng.random() < 0.1 else 1.0)
        turn = Rotation.from_euler("xyz", tilt, degrees=True).as_matrix()
        vertices = (everything @ turn.T).astype(np.float32)
        return LumbarRegion(vertices, anchors(vertices, self.parts))


def anchors(vertices: NDArray, parts: TrunkParts) -> NDArray[np.float64]:
    """[7, 5, 3] of all vertices of a region."""
    found = np.empty((len(VERTEBRAE), len(ANCHORS), 3))
    for row, level in enumerate(VERTEBRAE):
        own = vertices[parts.rows[level]].astype(np.float64)

        def mean_of(*regions: Region, own: NDArray = own) -> NDArray:
            return np.asarray(own[np.isin(parts.regions, regions)].mean(axis=0))

        body = own[np.isin(parts.regions, [Region.BODY])]
        centre = (mean_of(Region.SUPERIOR_ENDPLATE) + mean_of(Region.INFERIOR_ENDPLATE)) / 2
        pedicles = [mean_of(Region.PEDICLE_LEFT), mean_of(Region.PEDICLE_RIGHT)]
        forwards = centre - (pedicles[0] + pedicles[1]) / 2
        forwards /= np.linalg.norm(forwards)
        front = centre + forwards * ((body - centre) @ forwards).max()
        found[row] = [centre, *pedicles, front, mean_of(Region.SPINOUS)]
    return found

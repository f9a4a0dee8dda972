"""The vertebral canal of a spine."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from mri2mesh.anatomy.regions import Region
from mri2mesh.geometry.mesh import Mesh


@dataclass(frozen=True)
class Canal:
    """The vertebral canal: centreline [P, 3] from head to foot, world RAS mm, and radius [P] of the
    inscribed tube, mm."""

    centreline: NDArray[np.float32]
    radius: NDArray[np.float32]


def canal_of(local: dict[str, Mesh], frames: dict[str, NDArray], levels: tuple[str, ...]) -> Canal:
    """Between the posterior wall and the lamina of every vertebra, and behind S1; a spline with a point
    every 3 mm or so."""
    centres, radii = [], []
    for level in levels:
        mesh = local[level]
        regions, v = np.asarray(mesh.regions), mesh.vertices
        middle = np.abs(v[:, 0]) < 6
        wall = v[middle & np.isin(regions, (Region.SUPERIOR_ENDPLATE, Region.INFERIOR_ENDPLATE)), 1].min()
        arch = v[middle & np.isin(regions, (Region.LAMINA, Region.SPINOUS)), 1].max()
        half_width = (
            abs(v[regions == Region.PEDICLE_LEFT, 0]).min() + abs(v[regions == Region.PEDICLE_RIGHT, 0]).min()
        ) / 2
        depth = np.clip(wall - arch, 11.0, 22.0)
        centres.append((frames[level] @ [0.0, wall - depth / 2, 0.0, 1.0])[:3])
        radii.append(np.clip(min(depth / 2, half_width), 5.0, 11.0))
    s1 = local["S1"].vertices
    for z, radius in ((0.0, 7.0), (-25.0, 5.0)):
        centres.append((frames["S1"] @ [0.0, s1[:, 1].min() - radius - 1.0, z, 1.0])[:3])
        radii.append(radius)
    points = np.array(centres)
    along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    fine = np.linspace(0.0, along[-1], int(along[-1] / 3.0))
    line = CubicSpline(along, points)(fine)
    return Canal(line.astype(np.float32), np.interp(fine, along, radii).astype(np.float32))

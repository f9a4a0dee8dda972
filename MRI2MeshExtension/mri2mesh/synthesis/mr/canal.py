"""The spinal canal: epidural fat, dural sac, cord and cauda equina, and the fat and roots of the foramina."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mri2mesh.anatomy.spine_model import SpineSample
from mri2mesh.synthesis.mr.canvas import Canvas
from mri2mesh.synthesis.mr.spine_access import body_centre, discs_of
from mri2mesh.synthesis.mr.tissues import Tissue

MOST_FAT_IN_FRONT = 0.7
"""Of the canal's radius at S1: below L4 the sac leaves the bodies' back walls, and epidural fat lies between."""

Course = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]


def canal_course(spine: SpineSample, z: NDArray) -> Course:
    """At heights z [K]: the canal's centre x and y, its radius (mm), and the cosine of its sagittal tilt."""
    points, radius = spine.canal.centreline, spine.canal.radius
    order = np.argsort(points[:, 2])
    points, radius = points[order], np.asarray(radius)[order]
    x, y, r = (np.interp(z, points[:, 2], values) for values in (points[:, 0], points[:, 1], radius))
    slope = np.interp(
        z, points[:, 2], np.gradient(points[:, 1], points[:, 2] + 1e-6 * np.arange(len(points)))
    )
    return (
        x.astype(np.float32),
        y.astype(np.float32),
        r.astype(np.float32),
        (1 / np.hypot(1, slope)).astype(np.float32),
    )


def paint_canal(
    canvas: Canvas, spine: SpineSample, rng: np.random.Generator, stenosis: dict[str, float]
) -> None:
    """Paint the canal; discs and bones go over it later. stenosis: per disc, the fraction by which the sac
    narrows."""
    points, radius = spine.canal.centreline, spine.canal.radius
    reach = float(np.max(radius)) + 4
    window = canvas.window(points.min(axis=0) - reach, points.max(axis=0) + reach, 0.0)
    if window is None:
        return
    tissues = canvas.tissues[window]
    x, y, z = canvas.axes(window)
    in_canal = (z >= points[:, 2].min()) & (z <= points[:, 2].max())
    cx, cy, r, cosine = canal_course(spine, z)
    across = (x[None, :] - cx[:, None])[:, None, :]
    along = ((y[None, :] - cy[:, None]) * cosine[:, None])[:, :, None]
    r3 = np.where(in_canal, r, 0.01)[:, None, None]

    flavum = (
        (across**2 + along**2 < (r3 + rng.uniform(2, 4)) ** 2)
        & (along < -0.15 * r3)
        & in_canal[:, None, None]
    )
    tissues[flavum] = Tissue.LIGAMENTUM_FLAVUM
    width = rng.uniform(1.0, 1.2)  # the canal is wider than deep
    tissues[(across / width) ** 2 + along**2 < r3**2] = Tissue.FAT_EPIDURAL

    size, forward = _dural_sac(spine, z, rng, stenosis)
    sac = size * r
    centre = forward * r
    depth = along - centre[:, None, None]
    sac3 = np.maximum(sac, 0.01)[:, None, None]
    in_sac = (across / width) ** 2 + depth**2 < sac3**2
    tissues[in_sac] = Tissue.CSF

    conus = body_centre(spine, "L1")[2] + rng.uniform(-25, 25)
    taper = np.clip((z - conus) / 25.0, 0, 1) ** 0.6
    cord = (taper * rng.uniform(3.8, 5.0)).astype(np.float32)[:, None, None]
    tissues[in_sac & ((across / 1.2) ** 2 + (depth + 0.5) ** 2 < cord**2)] = Tissue.CORD
    _cauda_equina(tissues, (x, y), (cx, cy + centre / cosine, sac, cosine), z < conus + 12, rng)


def _dural_sac(
    spine: SpineSample, z: NDArray, rng: np.random.Generator, stenosis: dict[str, float]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Radius of the sac and its anterior shift, both as a fraction of the canal's radius, at each height."""
    end = body_centre(spine, "S1")[2] - rng.uniform(5, 40)
    size = rng.uniform(0.8, 0.97) * np.clip((z - end) / rng.uniform(10, 40), 0, 1) ** 0.5
    for name, amount in stenosis.items():
        size = size * (1 - amount * np.exp(-(((z - spine.frames[name][2, 3]) / rng.uniform(3, 7)) ** 2)))
    forward = np.clip(0.9 - size, 0, 1) * rng.uniform(-0.5, 0.9)
    fat = rng.uniform(0, MOST_FAT_IN_FRONT) * _towards_sacrum(spine, z)
    size = size * (1 - 0.5 * fat)
    forward = np.maximum(forward - fat, np.minimum(size - 0.97, forward))
    return size.astype(np.float32), forward.astype(np.float32)


def _towards_sacrum(spine: SpineSample, z: NDArray) -> NDArray[np.float64]:
    """[K] 0 down to the middle of L4, 1 from that of S1 on."""
    upper, lower = (body_centre(spine, name)[2] for name in ("L4", "S1"))
    return np.asarray(np.clip((upper - z) / (upper - lower), 0, 1), dtype=np.float64)


def _cauda_equina(
    tissues: NDArray[np.uint8],
    axes: tuple[NDArray, NDArray],
    course: tuple[NDArray, NDArray, NDArray, NDArray],
    here: NDArray[np.bool_],
    rng: np.random.Generator,
) -> None:
    """Strands: each keeps an angle and a relative distance from the middle of the sac, mostly behind, and
    wavers."""
    (x, y), (cx, cy, sac, cosine) = axes, course
    levels = np.flatnonzero(here & (sac > 2.5))
    if not len(levels) or rng.random() < 0.1:
        return
    for _ in range(int(rng.integers(8, 40))):
        angle = rng.normal(-np.pi / 2, 0.75) + 0.25 * np.sin(
            levels / rng.uniform(15, 60) + rng.uniform(0, 6.3)
        )
        distance = (sac[levels] - 1.0) * rng.uniform(0.2, 0.95)
        i = np.rint(cx[levels] + distance * np.cos(angle) - x[0]).astype(int)
        j = np.rint(cy[levels] + distance * np.sin(angle) / cosine[levels] - y[0]).astype(int)
        valid = (i >= 0) & (i < len(x)) & (j >= 0) & (j < len(y))
        k, j, i = levels[valid], j[valid], i[valid]
        inside = tissues[k, j, i] == Tissue.CSF
        tissues[k[inside], j[inside], i[inside]] = Tissue.CAUDA_EQUINA


def paint_foramina(canvas: Canvas, spine: SpineSample, rng: np.random.Generator) -> None:
    """Fat beside the canal at the height of each disc, with the nerve root in it. Bones go over it later."""
    for name in discs_of(spine):
        frame = spine.frames[name]
        z = np.array([frame[2, 3] + rng.uniform(2, 6)])
        cx, cy, r, _ = canal_course(spine, z)
        for side in (-1, 1):
            centre = np.array([cx[0] + side * (r[0] + rng.uniform(3, 7)), cy[0] + rng.uniform(0, 3), z[0]])
            radii = np.array([rng.uniform(5, 9), rng.uniform(4.5, 7.5), rng.uniform(7, 11)])
            window = canvas.window(centre - radii, centre + radii, 0.0)
            if window is None:
                continue
            tissues = canvas.tissues[window]
            dx, dy, dz = (
                (axis - c) / radius
                for axis, c, radius in zip(canvas.axes(window), centre, radii, strict=True)
            )
            squares = dx[None, None, :] ** 2 + dy[None, :, None] ** 2 + dz[:, None, None] ** 2
            tissues[squares < 1] = Tissue.FAT_INTERNAL
            root = rng.uniform(1.2, 3.0) / radii
            drop = dz[:, None, None] - 0.3
            section = (dy[None, :, None] / root[1]) ** 2 + (drop / root[2]) ** 2
            tissues[(section < 1) & (squares < 1)] = Tissue.NERVE_ROOT

"""Landmarks found once on each mean surface, by the definitions of anatomy; every shape of the model then has them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mri2mesh.anatomy.hip_joints import acetabulum, femoral_head
from mri2mesh.anatomy.regions import Region
from mri2mesh.geometry.transforms import apply, rotation_about

Landmarks = dict[str, NDArray[np.int64]]


def pelvis_landmarks(mean: NDArray, hips: dict[str, NDArray], sacrum: NDArray) -> Landmarks:
    """Landmarks of a pelvis in RAS, midline at x = 0 [V, 3]: hips by side -> vertex indices, sacrum: vertex indices.

    Up and forward are meant with the anterior pelvic plane (both ASIS and the pubic tubercles) vertical: found first
    as the pelvis lies, then again with it turned about x by its tilt.
    """
    found: Landmarks = {}
    for _ in range(2):
        if found:
            asis, pubis = (
                np.mean([mean[found[f"{name}_{side}"]].mean(axis=0) for side in hips], axis=0)
                for name in ("asis", "pubic_tubercle")
            )
            tilt = np.degrees(np.arctan2(asis[1] - pubis[1], asis[2] - pubis[2]))
            mean = apply(rotation_about((1, 0, 0), tilt), mean)
        for side, hip in hips.items():
            for name, group in _hip_landmarks(mean, hip).items():
                found[f"{name}_{side}"] = group
    x, y, z = mean[sacrum].T
    middle = np.abs(x - np.median(x)) < 6.0
    upper = z > np.quantile(z, 0.5)
    found["pubic_symphysis_superior"] = np.concatenate(
        [found[f"pubic_symphysis_superior_{side}"] for side in hips]
    )
    found["sacral_promontory"] = sacrum[_top(np.where(middle & upper, y, -np.inf))]
    return found


def _hip_landmarks(mean: NDArray, hip: NDArray) -> Landmarks:
    x, y, z = mean[hip].T
    across = np.abs(x)  # from the midline
    centre, _, on = acetabulum(mean[hip], np.sign(np.median(x)))
    rim = balanced(mean[hip], on, centre)
    above = z > centre[2]
    below = z < centre[2]
    medial = below & (across < across[below].min() + 5.0)  # the symphyseal surface of the pubis
    body = below & (across > 15.0) & (across < 40.0)
    behind = y < centre[1]
    near = (z < centre[2] + 10.0) & (z > centre[2] - 30.0)
    return {
        "asis": hip[_top(np.where(above, y, -np.inf))],
        "psis": hip[_top(np.where(above, -y, -np.inf))],
        "iliac_crest_superior": hip[_top(z)],
        "pubic_symphysis_superior": hip[_top(np.where(medial, z, -np.inf))],
        "pubic_tubercle": hip[_top(np.where(body, y + 0.7 * z, -np.inf))],
        "ischial_spine": hip[_top(np.where(behind & near, -across - 0.3 * y, -np.inf))],
        "ischial_tuberosity_inferior": hip[_top(-z)],
        "acetabulum_centre": hip[rim],
    }


def balanced(points: NDArray, chosen: NDArray, centre: NDArray, size: int = 24) -> NDArray[np.int64]:
    """Up to so many of the chosen vertices, evenly weighted, whose mean comes nearest to a centre: greedily."""
    picked: list[int] = []
    total = np.zeros(3)
    left = list(chosen)
    best, best_error = [int(chosen[0])], np.inf
    for count in range(1, min(size, len(chosen)) + 1):
        means = (total + points[left]) / count
        index = int(np.linalg.norm(means - centre, axis=1).argmin())
        picked.append(int(left.pop(index)))
        total = points[picked].sum(axis=0)
        error = float(np.linalg.norm(total / count - centre))
        if error < best_error:
            best, best_error = list(picked), error
    return np.array(best, dtype=np.int64)


def femur_landmarks(mean: NDArray, femur: NDArray, side: str) -> Landmarks:
    """Landmarks of one upright femur in RAS; femur: vertex indices into mean [V, 3]."""
    points = mean[femur]
    lateral = (-1.0 if side == "left" else 1.0) * points[:, 0]
    y, z = points[:, 1], points[:, 2]
    bottom, top = z.min(), z.max()
    length = top - bottom
    centre, _, on = femoral_head(points)
    distal = z < bottom + 0.12 * length
    proximal = z > top - 0.25 * length
    trochanter = proximal & (lateral > lateral[proximal].max() - 0.35 * np.ptp(lateral[proximal]))
    middle = np.median(lateral[distal])
    return {
        f"femoral_head_centre_{side}": femur[balanced(points, on, centre)],
        f"greater_trochanter_{side}": femur[_top(np.where(trochanter, z, -np.inf))],
        f"lesser_trochanter_{side}": femur[
            _top(np.where(_between(z, top, length, 0.12, 0.24), -y - 0.5 * lateral, -np.inf))
        ],
        f"medial_epicondyle_{side}": femur[_top(np.where(distal, -lateral, -np.inf))],
        f"lateral_epicondyle_{side}": femur[_top(np.where(distal, lateral, -np.inf))],
        f"medial_condyle_distal_{side}": femur[_top(np.where(distal & (lateral < middle), -z, -np.inf))],
        f"lateral_condyle_distal_{side}": femur[_top(np.where(distal & (lateral > middle), -z, -np.inf))],
    }


def _between(z: NDArray, top: float, length: float, first: float, last: float) -> NDArray[np.bool_]:
    """[V] vertices between these shares of the length below the top."""
    return (z < top - first * length) & (z > top - last * length)


def vertebra_landmarks(mean: NDArray, regions: NDArray) -> Landmarks:
    """Landmarks of a vertebra in its local frame, by its regions: centres of regions and tips of processes."""
    regions = np.asarray(regions)

    def of(region: Region) -> NDArray[np.int64]:
        return np.flatnonzero(regions == region)

    def tip(region: Region, direction: tuple[float, float, float]) -> NDArray[np.int64]:
        group = of(region)
        return group[_top(mean[group] @ np.array(direction))]

    return {
        "superior_endplate_centre": of(Region.SUPERIOR_ENDPLATE),
        "inferior_endplate_centre": of(Region.INFERIOR_ENDPLATE),
        "pedicle_left": of(Region.PEDICLE_LEFT),
        "pedicle_right": of(Region.PEDICLE_RIGHT),
        "spinous_process_tip": tip(Region.SPINOUS, (0, -1, 0)),
        "transverse_process_tip_left": tip(Region.TRANSVERSE_LEFT, (-1, 0, 0)),
        "transverse_process_tip_right": tip(Region.TRANSVERSE_RIGHT, (1, 0, 0)),
    }


def _top(values: NDArray, count: int = 1) -> NDArray[np.int64]:
    """Where the largest values are."""
    return np.argsort(values)[::-1][:count]

"""Landmarks found once on each mean surface, by the definitions of anatomy; every shape of the model then has them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

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
    centre, rim = acetabulum(mean[hip])
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


def acetabulum(hip: NDArray) -> tuple[NDArray, NDArray]:
    """Centre [3] of the hip joint, and vertices on the articular surface in opposite pairs whose mean it is.

    hip: [V, 3] one hip in RAS. The joint's sphere is the one of 20 to 32 mm radius, touching the bone from its lateral
    side, on which most vertices lie: sought on a grid, then fitted.
    """
    low, high = hip.min(axis=0), hip.max(axis=0)
    side = np.sign(np.median(hip[:, 0]))
    # Hip joint centres lie a third up the hip bone's height and near the middle of its depth.
    guess = np.array([np.median(hip[:, 0]), (low[1] + high[1]) / 2, low[2] + 0.37 * (high[2] - low[2])])
    best, best_count, best_radius = guess, -1, 25.0
    for dx in np.arange(-20, 31, 4.0):
        for dy in np.arange(-24, 25, 4.0):
            for dz in np.arange(-24, 25, 4.0):
                centre = guess + [side * dx, dy, dz]
                distance = np.linalg.norm(hip - centre, axis=1)
                for radius in (22.0, 24.0, 26.0, 28.0, 30.0):
                    if (distance < radius - 3.0).sum() > 4:
                        continue  # a joint is empty
                    count = int((np.abs(distance - radius) < 2.0).sum())
                    if count > best_count:
                        best, best_count, best_radius = centre, count, radius
    for _ in range(10):
        distance = np.linalg.norm(hip - best, axis=1)
        on = np.abs(distance - best_radius) < 2.0
        best, best_radius = sphere(hip[on])
    distance = np.linalg.norm(hip - best, axis=1)
    on = np.flatnonzero(np.abs(distance - best_radius) < 2.5)
    return best, balanced(hip, on, best)


def sphere(points: NDArray) -> tuple[NDArray[np.float64], float]:
    """Centre [3] and radius of the sphere through points [N, 3], algebraic least squares."""
    system = np.c_[2 * points, np.ones(len(points))]
    solution = np.linalg.lstsq(system, (points**2).sum(axis=1), rcond=None)[0]
    return solution[:3], float(np.sqrt(solution[3] + solution[:3] @ solution[:3]))


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
    centre, on = femoral_head(points)
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


def femoral_head(points: NDArray) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Centre [3] of the head of an upright femur [V, 3] and the vertices on its sphere."""
    top, length = points[:, 2].max(), np.ptp(points[:, 2])
    shaft = points[np.abs(points[:, 2] - top + length / 2) < 0.1 * length].mean(axis=0)
    medial = np.sign(points[points[:, 2] > top - 0.03 * length][:, 0].mean() - shaft[0])
    near = points[:, 2] > top - 0.15 * length
    inner = points[
        near & (medial * (points[:, 0] - shaft[0]) > 0.5 * np.max(medial * (points[near, 0] - shaft[0])))
    ]
    centre, radius = sphere(inner)
    for _ in range(20):
        on = np.abs(np.linalg.norm(points - centre, axis=1) - radius) < 1.5
        centre, radius = sphere(points[on])
    return centre, np.flatnonzero(np.abs(np.linalg.norm(points - centre, axis=1) - radius) < 1.5)


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

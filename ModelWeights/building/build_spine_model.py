"""Learn the population of lumbar spines from landmarks:
``python -m building.build_spine_model --data DATA/training --out spine_population.npz``.

Input: ``vertebra_landmarks/landmarks.csv.gz`` (VID, CC BY-SA 4.0): body centre and left and right pedicle
points, LPS mm. The pedicle points carry no level; each belongs to the body whose height along the spine it
matches.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import logging
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from mri2mesh.anatomy.population import FEATURES, SpinePosture, features_from_posture
from mri2mesh.anatomy.structures import VERTEBRA_LEVELS
from mri2mesh.geometry.coordinates import flip_ras_lps

logger = logging.getLogger(__name__)

L5_PEDICLE_ELEVATION_DEG = -12.0
"""Angle from the midplane of L5 to the line pedicles -> body centre. No landmark lies below L5, so its tilt
cannot come from the centre curve; T12 to L4 lie between -12 and -16 degrees and rise by about one degree per
level."""
KEPT_VARIANCE = 0.97
PLAUSIBLE_MM = {"width": (15.0, 68.0), "depth": (12.0, 40.0), "spacing": (16.0, 48.0)}
MAX_ROBUST_DEVIATIONS = 6.0

Scan = dict[str, NDArray[np.float64]]
"""Level -> [3, 3]: body centre, left and right pedicle, RAS mm."""


def read_scans(path: Path) -> Iterator[tuple[Scan, bool]]:
    """Every scan as (landmarks by level, whether it is usable): matched one to one, right is right, no sixth
    lumbar."""
    rows: dict[str, list[dict[str, str]]] = defaultdict(list)
    with gzip.open(path, "rt", newline="") as stream:
        for row in csv.DictReader(stream):
            rows[row["scan"]].append(row)
    for scan in rows.values():
        yield _associate(scan)


def _associate(rows: list[dict[str, str]]) -> tuple[Scan, bool]:
    def points(kind: str) -> NDArray[np.float64]:
        found = [[float(r[f"{axis}_lps_mm"]) for axis in "xyz"] for r in rows if r["landmark"] == kind]
        return flip_ras_lps(np.array(found, dtype=np.float64).reshape(-1, 3))

    levels = [r["level"] for r in rows if r["landmark"] == "body"]
    bodies, left, right = points("body"), points("left"), points("right")
    if len(bodies) < 3 or len(left) < len(bodies) or len(right) < len(bodies) or "L6" in levels:
        return {}, False
    expected = bodies + [0.0, -23.0, 4.0]
    sides = []
    for side in (left, right):
        cost = np.linalg.norm(expected[:, None, 1:] - side[None, :, 1:], axis=2)
        chosen = linear_sum_assignment(cost)[1]
        sides.append(side[chosen])
    usable = bool((sides[1][:, 0] - sides[0][:, 0] > 10).all() and (np.diff(bodies[:, 2]) < -10).all())
    scan = {level: np.stack([b, lt, rt]) for level, b, lt, rt in zip(levels, bodies, *sides, strict=True)}
    return scan, usable


def posture_of(scan: Scan) -> SpinePosture:
    """Frames, sizes and centres of T7 to L5, NaN where not seen.

    Tilt and roll follow the tangent of the curve of body centres (central difference), yaw the line of the
    pedicles. For L5 they follow the pedicles, the elevation of which is corrected by that of the subject's
    own L2 to L4.
    """
    names = list(scan)
    all_centres = np.array([scan[name][0] for name in names])
    n = len(VERTEBRA_LEVELS)
    angles, centres = np.full((n, 3), np.nan), np.full((n, 3), np.nan)
    widths, depths, elevations = np.full(n, np.nan), np.full(n, np.nan), np.full(n, np.nan)
    for i, level in enumerate(VERTEBRA_LEVELS):
        if level not in scan:
            continue
        body, left, right = scan[level]
        axis, forward = right - left, body - (left + right) / 2
        centres[i], widths[i], depths[i] = body, np.linalg.norm(axis), np.linalg.norm(forward)
        elevations[i] = np.degrees(np.arctan2(forward[2], forward[1]))
        k = names.index(level)
        if 0 < k < len(names) - 1:
            up = all_centres[k - 1] - all_centres[k + 1]
            angles[i, :2] = _tilt_and_roll(up)
            angles[i, 2] = _yaw(axis, angles[i, 0], angles[i, 1])
    elevation = (elevations - angles[:, 0])[[-4, -3, -2]].mean()
    if np.isfinite(elevation) and "L5" in scan:
        usual = np.mean([-16.3, -15.0, -12.3])
        angles[-1, 0] = elevations[-1] - L5_PEDICLE_ELEVATION_DEG - 0.7 * (elevation - usual)
        axis = scan["L5"][2] - scan["L5"][1]
        angles[-1, 1] = -np.degrees(np.arctan2(axis[2], axis[0]))
        angles[-1, 2] = _yaw(axis, angles[-1, 0], angles[-1, 1])
    return SpinePosture(angles, centres, widths, depths)


def _tilt_and_roll(up: NDArray) -> tuple[float, float]:
    up = up / np.linalg.norm(up)
    return np.degrees(np.arctan2(-up[1], up[2])), np.degrees(np.arcsin(up[0]))


def _yaw(axis: NDArray, tilt: float, roll: float) -> float:
    t, r = np.radians([tilt, roll])
    x = np.array([np.cos(r), np.sin(t) * np.sin(r), -np.cos(t) * np.sin(r)])
    y = np.array([0.0, np.cos(t), np.sin(t)])
    return float(np.degrees(np.arctan2(axis @ y, axis @ x)))


def clean(features: NDArray) -> NDArray:
    """Scans ([N, 85]) with all of L1 to L5 and nothing beyond what a spine can be."""
    column = {name: i for i, name in enumerate(FEATURES)}
    lumbar = [column[f"L{k} {name}"] for k in range(1, 6) for name in ("width", "depth")]
    keep = np.isfinite(features[:, lumbar]).all(1)
    for name, (low, high) in PLAUSIBLE_MM.items():
        values = features[:, [i for f, i in column.items() if f.endswith(" " + name)]]
        keep &= ~((values < low) | (values > high)).any(1)
    middle = np.nanmedian(features[keep], axis=0)
    spread = 1.4826 * np.nanmedian(np.abs(features[keep] - middle), axis=0)
    keep &= ~(np.abs(features - middle) > MAX_ROBUST_DEVIATIONS * spread).any(1)
    return features[keep]


def fit_gaussian(features: NDArray, iterations: int = 40) -> tuple[NDArray, NDArray]:
    """Mean [D] and covariance [D, D] of data with gaps (NaN), by expectation maximisation."""
    mean, covariance = np.nanmean(features, 0), np.diag(np.nanvar(features, 0))
    patterns: dict[bytes, list[int]] = defaultdict(list)
    for i, row in enumerate(np.isnan(features)):
        patterns[row.tobytes()].append(i)
    for _ in range(iterations):
        total, scatter = np.zeros_like(mean), np.zeros_like(covariance)
        for rows in patterns.values():
            block = features[rows]
            missing = np.isnan(block[0])
            seen = ~missing
            filled = block.copy()
            if missing.any():
                gain = np.linalg.solve(covariance[np.ix_(seen, seen)], covariance[np.ix_(seen, missing)]).T
                filled[:, missing] = mean[missing] + (block[:, seen] - mean[seen]) @ gain.T
                extra = covariance[np.ix_(missing, missing)] - gain @ covariance[np.ix_(seen, missing)]
                scatter[np.ix_(missing, missing)] += len(rows) * extra
            total += filled.sum(0)
            scatter += (filled - mean).T @ (filled - mean)
        shift = total / len(features) - mean
        covariance = scatter / len(features) - np.outer(shift, shift)
        covariance = (covariance + covariance.T) / 2 + 1e-6 * np.diag(np.diag(covariance))
        mean = mean + shift
    return mean, covariance


def build(data: Path) -> dict[str, NDArray]:
    """Arrays of ``spine_population.npz`` from the folder ``training``."""
    scans = [scan for scan, usable in read_scans(data / "vertebra_landmarks" / "landmarks.csv.gz") if usable]
    raw = np.array([features_from_posture(posture_of(scan)) for scan in scans])
    features = clean(raw)
    logger.info("%d usable scans, %d complete and plausible", len(scans), len(features))
    mean, covariance = fit_gaussian(features)
    scale = np.sqrt(np.diag(covariance))
    values, vectors = np.linalg.eigh(covariance / np.outer(scale, scale))
    values, vectors = values[::-1], vectors[:, ::-1]
    kept = int(np.searchsorted(np.cumsum(values) / values.sum(), KEPT_VARIANCE)) + 1
    modes = (vectors[:, :kept] * np.sqrt(values[:kept])).T * scale
    residual = np.sqrt(np.maximum(np.diag(covariance) - (modes**2).sum(0), 0))
    residual[[i for i, name in enumerate(FEATURES) if name.endswith(("tilt", "roll", "yaw"))]] = (
        0  # reading noise
    )
    return {
        "mean": mean.astype(np.float32),
        "modes": modes.astype(np.float32),
        "residual": residual.astype(np.float32),
        "scans": np.array(len(features), dtype=np.int32),
    }


def main() -> None:
    """Command line."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the folder training/")
    parser.add_argument("--out", type=Path, required=True, help="spine_population.npz")
    arguments = parser.parse_args()
    arrays = build(arguments.data)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(arguments.out, allow_pickle=False, **arrays)
    logger.info("%s: %d modes, %d bytes", arguments.out, len(arrays["modes"]), arguments.out.stat().st_size)


if __name__ == "__main__":
    main()

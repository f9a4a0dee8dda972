"""How far measures of reconstructed synthetic exams are from those of the truth, beside what was said of them.

    python Testing/benchmarks/errors_of_measures.py SHARED/data/training --exams 7 --cache DIR

Every exam is made from training data by a seed that no training uses, reconstructed by the MR engine as it is, and
measured on the surfaces found and on the true ones. For each reach of the surfaces' errors that is tried (`measures.
uncertainty`), the standard deviations that follow are compared with the errors: their ratio, the share of errors within
one and two of them, and the likelihood, by which the reach is chosen. About two minutes an exam, kept in the cache.
"""

from __future__ import annotations

import argparse
import pickle
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / name) for name in ("MRI2MeshExtension", "ModelWeights")]

from mri2mesh.measures.definitions import DEFINITIONS  # noqa: E402
from mri2mesh.measures.stage import MIN_SUPPORT, take  # noqa: E402
from mri2mesh.measures.uncertainty import uncertainties  # noqa: E402

REACHES_MM = (3.0, 5.0, 7.0, 10.0, 14.0, 20.0, 30.0, 50.0)
FIRST_SEED = 900_100_000
OUTLIER_MM_OR_DEG = 15.0
"""A larger error is a vertebra taken for another, of which no uncertainty of a surface speaks."""


def exam(number: int, data: Path, cache: Path | None) -> dict[str, Any]:
    """``result`` and ``truth`` of one exam, from the cache where it is there."""
    path = None if cache is None else cache / f"syn{number:02d}.pkl"
    if path is not None and path.is_file():
        with path.open("rb") as file:
            return dict(pickle.load(file))
    from mri2mesh.engines.mri2mesh.deformation.models import load_models
    from mri2mesh.engines.mri2mesh.engine import reconstruct_with
    from mri2mesh.synthesis.mr.case import Profile, make_case

    case = make_case(FIRST_SEED + number, data, Profile())
    made = {"result": reconstruct_with(case.image, load_models("cpu")), "truth": dict(case.spine.structures)}
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(pickle.dumps(made))
    return made


def compare(found: dict[str, Any]) -> list[dict[str, Any]]:
    """For each measure of an exam that is seen: its error, and its standard deviation by reach."""
    structures = {item.name: item for item in found["result"].structures}
    own = {name: item.mesh for name, item in structures.items() if name in found["truth"]}
    true = {(one.key, one.place, one.side): one for one in take({n: found["truth"][n] for n in own})}
    vertices = {name: mesh.vertices.astype(np.float64) for name, mesh in own.items()}
    truth = {name: found["truth"][name].vertices.astype(np.float64) for name in own}
    spread = {name: structures[name].uncertainty_mm for name in own}
    chosen = []
    for one in take(own):
        other = true.get((one.key, one.place, one.side))
        if one.missing or other is None or other.missing:
            continue
        if min(p.least_of(structures[p.structure].support) for p in one.points) < MIN_SUPPORT:
            continue
        value = float(one.formula(*[p.of(vertices[p.structure]) for p in one.points]))
        right = float(other.formula(*[p.of(truth[p.structure]) for p in other.points]))
        chosen.append((one, value - right))
    by_reach = {
        reach: uncertainties([one for one, _ in chosen], vertices, spread, reach) for reach in REACHES_MM
    }
    return [
        {"key": one.key, "error": error, **{reach: by_reach[reach][number] for reach in REACHES_MM}}
        for number, (one, error) in enumerate(chosen)
    ]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("--exams", type=int, default=7)
    parser.add_argument("--cache", type=Path)
    arguments = parser.parse_args()
    rows = []
    for number in range(arguments.exams):
        rows += compare(exam(number, arguments.data, arguments.cache))
        print(f"exam {number}: {len(rows)} measures so far", flush=True)
    rows = [row for row in rows if np.isfinite(row["error"]) and np.isfinite(row[REACHES_MM[0]])]
    kept = [row for row in rows if abs(row["error"]) < OUTLIER_MM_OR_DEG]
    print(f"{len(kept)} measures, {len(rows) - len(kept)} left out as another vertebra's")
    print("reach  sd/rms  within 1 sd  within 2 sd  log likelihood a measure")
    error = np.array([row["error"] for row in kept])
    for reach in REACHES_MM:
        sd = np.maximum([row[reach] for row in kept], 0.05)
        z = np.abs(error) / sd
        fit = np.mean(-0.5 * z**2 - np.log(sd))
        ratio = np.sqrt(np.mean(sd**2) / np.mean(error**2))
        print(f"{reach:5.0f} {ratio:7.2f} {(z < 1).mean():10.2f} {(z < 2).mean():12.2f} {fit:18.2f}")
    groups = defaultdict(list)
    for row in kept:
        groups[row["key"]].append(row)
    reaches = " ".join(f"{reach:5.0f}" for reach in REACHES_MM)
    print(f"measure                      n  median error  rms error   sd at reach {reaches}")
    for key in DEFINITIONS:
        if group := groups.get(key):
            errors = np.array([row["error"] for row in group])
            spread = " ".join(f"{np.sqrt(np.mean([row[r] ** 2 for row in group])):5.2f}" for r in REACHES_MM)
            rms = np.sqrt(np.mean(errors**2))
            print(f"{key:26} {len(group):3d} {np.median(errors):+12.2f} {rms:10.2f}              {spread}")


if __name__ == "__main__":
    main()

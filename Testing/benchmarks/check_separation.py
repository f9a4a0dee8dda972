"""Do the checks tell good surfaces from bad ones? The figures behind their limits.

    PYTHONPATH=MRI2MeshExtension:Testing python Testing/benchmarks/check_separation.py --data DATA [--count 8]
    PYTHONPATH=MRI2MeshExtension:Testing python Testing/benchmarks/check_separation.py --exams FOLDER

With `--data` (the training data) synthetic exams are made and reconstructed. Every surface within 2 mm of the truth
(ASSD) and at least 65% in view is then made wrong in each way of `wrong_surfaces`, and the table says for how many of
them each check fails; the row "as it is" says how many good ones it fails. Limits were chosen from these tables.
With `--exams` (images with labels) nothing is made wrong: the table says for how many good and bad surfaces, by their
distance from the labels, a check of their own fails. Labelled exams are measured on, never fitted to.
"""

from __future__ import annotations

import argparse
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from engines.mri2mesh.quality.wrong_surfaces import arches_in_front, grown, mirrored, moved, stretched_up
from mri2mesh.engines.mri2mesh.deformation.models import load_models
from mri2mesh.engines.mri2mesh.engine import reconstruct_with
from mri2mesh.engines.mri2mesh.localisation.evidence import locate_tissues
from mri2mesh.engines.mri2mesh.quality.checks import check_reconstruction
from mri2mesh.errors import ReconstructionRefused
from mri2mesh.evaluation.lumbar_mri.exams import read_exams
from mri2mesh.evaluation.lumbar_mri.scores import comparable
from mri2mesh.geometry.distances import surface_distances
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.volume import Volume
from mri2mesh.reconstruction import ReconstructedStructure
from mri2mesh.synthesis.mr.case import make_case

FIRST_SEED = 900_100_000
"""Far from the seeds of training."""
GOOD_MM, BAD_MM = 2.0, 3.0
SAME_MM = 15.0
"""Most that the centres of a surface and of its truth may be apart to be the same vertebra."""

WRONG: dict[str, Callable[[Mesh], Mesh]] = {
    "as it is": lambda mesh: mesh,
    "4 mm up": lambda mesh: moved(mesh, up=4),
    "4 mm down": lambda mesh: moved(mesh, up=-4),
    "4 mm forwards": lambda mesh: moved(mesh, forwards=4),
    "4 mm backwards": lambda mesh: moved(mesh, forwards=-4),
    "4 mm to the right": lambda mesh: moved(mesh, right=4),
    "8 mm to the right": lambda mesh: moved(mesh, right=8),
    "grown by 3 mm": lambda mesh: grown(mesh, 3),
    "shrunk by 3 mm": lambda mesh: grown(mesh, -3),
    "merged, 9 mm higher": lambda mesh: stretched_up(mesh, 9),
    "merged, 5 mm higher": lambda mesh: stretched_up(mesh, 5),
    "arches in front": arches_in_front,
    "mirrored": mirrored,
}


@dataclass(frozen=True)
class Exam:
    """An image, and its true surfaces by name."""

    name: str
    image: Volume
    truth: dict[str, Mesh]


def synthetic(data: Path, count: int) -> Iterator[Exam]:
    for number in range(count):
        case = make_case(FIRST_SEED + number, data)
        names = [name for name in case.spine.structures if name != "sacrum"]
        yield Exam(
            f"synthetic {number}",
            case.image,
            {name: comparable(name, case.spine.structures[name]) for name in names},
        )


def labelled(folder: Path) -> Iterator[Exam]:
    for exam in read_exams(folder):
        yield Exam(exam.name, exam.image, {name: exam.surface(name) for name in exam.values})


def error_mm(item: ReconstructedStructure, truth: dict[str, Mesh]) -> float | None:
    """ASSD from the true surface of its kind that is nearest; None where there is none."""
    mesh = comparable(item.name, item.mesh)

    def apart(name: str) -> float:
        return float(np.linalg.norm(truth[name].vertices.mean(axis=0) - mesh.vertices.mean(axis=0)))

    alike = [name for name in truth if ("-" in name, name == "S1") == ("-" in item.name, item.name == "S1")]
    nearest = min(alike, key=apart, default=None)
    if nearest is None or apart(nearest) > SAME_MM:
        return None
    return surface_distances(mesh, truth[nearest], n_samples=1500).assd


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--data", type=Path, help="the training data: synthetic exams")
    source.add_argument("--exams", type=Path, help="a folder of labelled exams")
    parser.add_argument("--count", type=int, default=8, help="number of synthetic exams")
    options = parser.parse_args()
    models = load_models("cpu")
    tried: Counter[tuple[str, str]] = Counter()
    failed: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for exam in synthetic(options.data, options.count) if options.data else labelled(options.exams):
        print(exam.name, flush=True)
        try:
            structures = reconstruct_with(exam.image, models).structures
        except ReconstructionRefused:
            continue
        evidence = locate_tissues(exam.image, models.localiser, models.device)
        for item in structures:
            error = error_mm(item, exam.truth)
            if error is None or item.structure.kind == "sacrum":
                continue
            for way in _ways(item, error, bool(options.data)):
                changed = replace(item, mesh=WRONG.get(way, WRONG["as it is"])(item.mesh))
                around = [changed if other is item else other for other in structures]
                names = {
                    check.name
                    for check in check_reconstruction(around, exam.image, evidence)
                    if not check.passed and check.structure == item.name
                }
                if options.data and "field of view" in names:
                    continue
                tried[item.structure.kind, way] += 1
                failed[item.structure.kind, way].update(names | ({"any"} if names else set()))
    _print(tried, failed)


def _ways(item: ReconstructedStructure, error: float, make_wrong: bool) -> list[str]:
    if not make_wrong:
        return [
            f"within {GOOD_MM} mm" if error < GOOD_MM else f"{BAD_MM} mm off" if error > BAD_MM else "between"
        ]
    of_bones = {"arches in front", "mirrored"} if item.structure.kind == "disc" else set()
    return [way for way in WRONG if way not in of_bones] if error < GOOD_MM else []


def _print(tried: Counter[tuple[str, str]], failed: dict[tuple[str, str], Counter[str]]) -> None:
    """Share of the surfaces for which each check failed, a row for each kind and way of being wrong."""
    checks = sorted({name for found in failed.values() for name in found} - {"any"})
    print(" | ".join(["surfaces", "n", "any check", *checks]))
    for which, count in tried.items():
        shares = [f"{failed[which][name] / count:.2f}" for name in ("any", *checks)]
        print(" | ".join([" ".join(which), str(count), *shares]))


if __name__ == "__main__":
    main()

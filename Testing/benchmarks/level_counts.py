"""How often the levels are named rightly where exams are cut from below.

    python Testing/benchmarks/level_counts.py EXAMS

EXAMS is a folder of labelled exams, as for ``mri2mesh evaluate lumbar-mri``. Each is cut at several heights below the
centres of L5, L4 and L3, so that the sacrum is seen in part or not at all, and found anew. Printed are how many images
the engine says it is certain of, and how many of those are wrong; and of its guesses how many are right, the
probability that it states on average, and how many would be right if the lowest body were always called L5.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mri2mesh.anatomy.structures import BELOW
from mri2mesh.engines.mri2mesh.deformation.models import Models, load_models
from mri2mesh.engines.mri2mesh.localisation.levels import name_levels
from mri2mesh.engines.mri2mesh.localisation.spine import find_spine
from mri2mesh.errors import ReconstructionRefused
from mri2mesh.evaluation.lumbar_mri.exams import Exam, read_exams
from mri2mesh.geometry.volume import Volume

CUTS = {"L5": (60, 45, 30, 17, 8, 0), "L4": (17, 8, 0), "L3": (17, 8, 0)}
"""Heights, mm below the centre of a body, at which the image is made to end."""
NEAR_MM = 12.0
"""Distance up to which a body that was found is the labelled one."""


@dataclass(frozen=True)
class Outcome:
    """One cut image. cut: as ``"L5 - 17 mm"``. truth, called: names of the lowest body that was found. stated: the
    probability of that name, 1 where the engine is certain."""

    exam: str
    cut: str
    truth: str
    called: str
    certain: bool
    stated: float


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("exams", type=Path)
    options = parser.parse_args()
    models = load_models("cpu")
    outcomes = []
    for exam in read_exams(options.exams):
        of_exam = list(cut_and_count(exam, models))
        outcomes += of_exam
        for one in of_exam:
            if one.truth != one.called:
                sure = "certain" if one.certain else f"{100 * one.stated:.0f}%"
                print(f"{one.exam}, {one.cut}: {one.truth} called {one.called} ({sure})", flush=True)
        print(f"{exam.name}: {len(of_exam)} images", flush=True)
    print(table(outcomes))


def cut_and_count(exam: Exam, models: Models) -> Iterator[Outcome]:
    centres = body_centres(exam)
    for level, heights in CUTS.items():
        for height in heights:
            image = without_below(exam.image, centres[level][2] - height)
            if image is None:
                continue
            try:
                spine = find_spine(image, models.localiser, models.device)
            except ReconstructionRefused:
                continue
            found = name_levels(spine, image)
            place = spine.chain.bodies[0].centre
            truth = min(centres, key=lambda name: float(np.linalg.norm(centres[name] - place)))
            if np.linalg.norm(centres[truth] - place) > NEAR_MM:
                truth = "none of the labelled"
            stated = 1.0 if found.count.certain else found.count.probabilities[found.count.lowest]
            cut = f"{level} - {height} mm"
            yield Outcome(exam.name, cut, truth, found.count.lowest, found.count.certain, stated)


def body_centres(exam: Exam) -> dict[str, NDArray[np.float64]]:
    """Centres of the labelled bodies, RAS mm; where discs are labelled, half way between them."""
    labelled = {}
    for name, value in exam.values.items():
        kji = np.argwhere(exam.labels.array == value)
        labelled[name] = exam.labels.ras_from_ijk(kji.mean(axis=0)[::-1])
    discs = {name.split("-")[0]: centre for name, centre in labelled.items() if "-" in name}
    between = {BELOW[name]: (discs[name] + discs[BELOW[name]]) / 2 for name in discs if BELOW[name] in discs}
    return {name: centre for name, centre in labelled.items() if "-" not in name} | between


def without_below(image: Volume, height: float) -> Volume | None:
    """An image whose slices along k go upwards, without what lies below a height (RAS mm); None where it ends above."""
    k = int(np.ceil((height - image.ijk_to_ras[2, 3]) / image.ijk_to_ras[2, 2]))
    if k <= 0:
        return None
    matrix = image.ijk_to_ras.copy()
    matrix[:3, 3] += matrix[:3, 2] * k
    return Volume(np.ascontiguousarray(image.array[k:]), matrix)


def table(outcomes: list[Outcome]) -> str:
    certain = [one for one in outcomes if one.certain]
    guessed = [one for one in outcomes if not one.certain]
    wrong = sum(one.truth != one.called for one in certain)
    lines = [
        f"{len(outcomes)} images: certain {len(certain)}, of which wrong {wrong}; guessed {len(guessed)}"
    ]
    for lowest in ("L5", "L4", "L3", "S1", None):
        rows = [one for one in guessed if lowest in (one.truth, None)]
        if rows:
            right = np.mean([one.truth == one.called for one in rows])
            stated = np.mean([one.stated for one in rows])
            always = np.mean([one.truth == "L5" for one in rows])
            lines.append(
                f"  lowest {lowest or 'any'}: n {len(rows)}, right {100 * right:.0f}%, stated {100 * stated:.0f}%,"
                f" right if always L5 {100 * always:.0f}%"
            )
    return "\n".join(lines)


if __name__ == "__main__":
    main()

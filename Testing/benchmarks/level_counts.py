"""How often the levels are named rightly where exams are cut from below.

    python Testing/benchmarks/level_counts.py EXAMS

EXAMS is a folder of labelled exams, as for ``mri2mesh evaluate lumbar-mri``, or of simulated ones (*.npz, as
``mri2mesh evaluate simulated-mri`` makes and reads). Each is taken as it is and cut at several heights below the
centres of L5, L4 and L3, so that the sacrum is seen in part or not at all, and found anew. Printed are how many images
the engine says it is certain of, and how many of those are wrong; and of its guesses how many are right, the
probability that it states on average, and how many would be right if the lowest body were always called L5; and how
many chains pass over a body, or have two where one is.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
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
from mri2mesh.synthesis.mr.case import SyntheticCase
from mri2mesh.synthesis.mr.targets import centres as centres_of_case

CUTS = {"L5": (60, 45, 30, 17, 8, 0), "L4": (17, 8, 0), "L3": (17, 8, 0)}
"""Heights, mm below the centre of a body, at which the image is made to end."""
NEAR_MM = 12.0
"""Distance up to which a body that was found is the labelled one."""


@dataclass(frozen=True)
class Outcome:
    """One cut image. cut: as ``"L5 - 17 mm"``. truth, called: names of the lowest body that was found. stated: the
    probability of that name, 1 where the engine is certain. chain_is_whole: each body found is the next true one above
    the one before."""

    exam: str
    cut: str
    truth: str
    called: str
    certain: bool
    stated: float
    chain_is_whole: bool


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("exams", type=Path)
    options = parser.parse_args()
    models = load_models("cpu")
    outcomes = []
    for name, image, centres in exams_of(options.exams):
        of_exam = list(cut_and_count(name, image, centres, models))
        outcomes += of_exam
        for one in of_exam:
            if one.truth != one.called or not one.chain_is_whole:
                sure = "certain" if one.certain else f"{100 * one.stated:.0f}%"
                chain = "" if one.chain_is_whole else ", a body passed over or twice"
                print(f"{one.exam}, {one.cut}: {one.truth} called {one.called} ({sure}){chain}", flush=True)
        print(f"{name}: {len(of_exam)} images", flush=True)
    print(table(outcomes))


def exams_of(folder: Path) -> Iterator[tuple[str, Volume, dict[str, NDArray[np.float64]]]]:
    """Name, image and centres of the bodies, RAS mm."""
    simulated = sorted(folder.glob("*.npz"))
    for path in simulated:
        case = SyntheticCase.load(path)
        seen = {c.name: c.position for c in centres_of_case(case.spine, case.image) if c.in_view}
        yield path.stem, case.image, {name: place for name, place in seen.items() if "-" not in name}
    if not simulated:
        for exam in read_exams(folder):
            yield exam.name, exam.image, body_centres(exam)


def cut_and_count(
    name: str, whole: Volume, centres: dict[str, NDArray[np.float64]], models: Models
) -> Iterator[Outcome]:
    images: dict[str, Volume | None] = {"as it is": whole}
    for level, heights in CUTS.items():
        if level in centres:
            for height in heights:
                images[f"{level} - {height} mm"] = without_below(whole, centres[level][2] - height)
    for cut, image in images.items():
        if image is None:
            continue
        try:
            spine = find_spine(image, models.localiser, models.device)
        except ReconstructionRefused:
            continue
        found = name_levels(spine, image)
        names = [nearest(body.centre, centres) for body in spine.chain.bodies]
        stated = 1.0 if found.count.certain else found.count.probabilities[found.count.lowest]
        in_order = all(BELOW.get(upper or "") == lower for lower, upper in pairwise(names) if upper and lower)
        yield Outcome(
            name,
            cut,
            names[0] or "none of the labelled",
            found.count.lowest,
            found.count.certain,
            stated,
            in_order,
        )


def nearest(place: NDArray[np.float64], centres: dict[str, NDArray[np.float64]]) -> str | None:
    """Name of the body that lies here; None where there is none within NEAR_MM."""
    name = min(centres, key=lambda each: float(np.linalg.norm(centres[each] - place)))
    return name if np.linalg.norm(centres[name] - place) <= NEAR_MM else None


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
        f"{len(outcomes)} images: certain {len(certain)}, of which wrong {wrong}; guessed {len(guessed)};"
        f" chains that pass over a body or have one twice {sum(not one.chain_is_whole for one in outcomes)}"
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

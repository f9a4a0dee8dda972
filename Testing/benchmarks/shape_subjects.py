"""How the error of a vertebra falls with the number of subjects that its shape model has learned from.

    python Testing/benchmarks/shape_subjects.py [--draws 2]

Of L1, which eleven subjects have: each is left out in turn; models of so many of the others, drawn at random, with all
their lumbar vertebrae, are laid on it in point correspondence. Printed are the mean shape and the nearest shape of the
model, its own modes alone and with the local ones that fits have, after rigid and after similarity alignment: what any
network could reach at most that ends in such a model. Last comes what a power law through the means predicts.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import curve_fit

from mri2mesh.anatomy.shape_models.file import read_shape_model
from mri2mesh.anatomy.shape_models.local_modes import flexible
from mri2mesh.anatomy.shape_models.model import ShapeModel
from mri2mesh.geometry.distances import point_to_surface
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.sampling import sample_surface
from mri2mesh.geometry.transforms import apply, rigid_fit, similarity_fit

LEVEL, COUNTS, AHEAD = "L1", (2, 3, 4, 6, 8, 10), (20, 40, 100, 400)
_SAMPLES = 2000


def of_subjects(model: ShapeModel, kept: set[str]) -> ShapeModel:
    """The model without anybody else."""
    for name in dict.fromkeys(model.subjects):
        if name not in kept and name in model.subjects:  # with others the last of a level goes too
            model = model.without(name)
    return model


def assd(found: NDArray, true: NDArray, faces: NDArray) -> tuple[float, float]:
    """Mean and larger 95th percentile of the distances between two surfaces, mm."""
    rng = np.random.default_rng(0)
    one, other = (Mesh(vertices.astype(np.float32), faces) for vertices in (found, true))
    apart = [
        point_to_surface(sample_surface(here, _SAMPLES, rng)[0], there)
        for here, there in ((one, other), (other, one))
    ]
    return float(np.concatenate(apart).mean()), max(float(np.percentile(d, 95)) for d in apart)


def errors(model: ShapeModel, true: NDArray) -> dict[str, tuple[float, float]]:
    """ASSD and HD95 of a vertebra [V, 3] by what stands for it."""
    found = {}
    for alignment, fit in (("rigid", rigid_fit), ("similarity", similarity_fit)):
        found[f"mean shape, {alignment}"] = assd(apply(fit(model.mean, true), model.mean), true, model.faces)
    for name, own in (("own modes", model), ("with local modes", flexible(model))):
        there = apply(rigid_fit(true, own.mean), true)
        found[f"nearest shape, {name}"] = assd(own.vertices(own.project(there)), there, own.faces)
    return found


def predicted(counts: NDArray, values: NDArray) -> Callable[[NDArray], NDArray]:
    """The power law a + b n^-c through means, none of a, b, c negative."""

    def law(n: NDArray, a: float, b: float, c: float) -> NDArray:
        return np.asarray(a + b * np.asarray(n, float) ** -c)

    best = curve_fit(law, counts, values, p0=(values[-1] / 2, values[0], 0.5), bounds=(0, [9.0, 9.0, 2.0]))[0]
    return lambda n: law(n, *best)


def main(draws: int) -> None:
    whole = read_shape_model(LEVEL)
    own = [
        (name, row)
        for row, (name, group) in enumerate(zip(whole.subjects, whole.groups, strict=True))
        if group == LEVEL and not whole.mirrored[row]
    ]
    people = [name for name, _ in own]
    shapes = whole.vertices(whole.scores[[row for _, row in own]])
    rows: dict[int, list[dict[str, tuple[float, float]]]] = {count: [] for count in COUNTS}
    for number, (name, true) in enumerate(zip(people, shapes, strict=True)):
        others = [one for one in people if one != name]
        for count in COUNTS:
            for draw in range(draws if count < len(others) else 1):
                rng = np.random.default_rng([number, count, draw])
                kept = set(rng.choice(others, count, replace=False))
                # The mean of 87 people has no L1 but stands in its other levels' means: it never counts.
                rows[count].append(errors(of_subjects(whole, kept), true))
        print(f"{number + 1} of {len(people)} subjects", flush=True)
    print("| what stands for the vertebra | " + " | ".join(f"{n} subjects" for n in COUNTS) + " | predicted for "
          + ", ".join(str(n) for n in AHEAD) + " |")  # fmt: skip
    print("|---" * (len(COUNTS) + 2) + "|")
    for what in rows[COUNTS[0]][0]:
        means = np.array([np.mean([one[what] for one in rows[count]], axis=0) for count in COUNTS])
        ahead = predicted(np.array(COUNTS, float), means[:, 0])(np.array(AHEAD))
        cells = [f"{mean:.2f} / {far:.2f}" for mean, far in means]
        print(
            f"| {what} | " + " | ".join(cells) + " | " + ", ".join(f"{value:.2f}" for value in ahead) + " |"
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--draws", type=int, default=2, help="random choices of subjects (default: 2)")
    main(parser.parse_args().draws)

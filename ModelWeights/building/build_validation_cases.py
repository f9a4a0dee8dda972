"""Synthetic cases of a subject that no network learns from:
``python -m building.build_validation_cases --data DATA/training --out FOLDER``.

The vertebrae of ``totalseg_s0224`` (TotalSegmentator data set, CC BY 4.0) are brought into the template's topology and
made into spines, which ``mri2mesh train --validation FOLDER`` measures on. The subject is not in the shipped family.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from building.anatomy.family import Fit, fit_source
from building.anatomy.sources import Source
from mri2mesh.anatomy import storage
from mri2mesh.anatomy.measures import body_size
from mri2mesh.anatomy.pelvis_shapes import PelvisShapes
from mri2mesh.anatomy.population import SpinePopulation
from mri2mesh.anatomy.shapes import VertebraShapes
from mri2mesh.anatomy.spine_model import LumbarSpineModel, SpineOptions
from mri2mesh.anatomy.structures import STRUCTURES, VERTEBRA_LEVELS
from mri2mesh.anatomy.templates import template
from mri2mesh.geometry.isosurface import surface_from_labels
from mri2mesh.imaging.volumes.reading import read_volume
from mri2mesh.synthesis.mr.case import Profile, make_case

SUBJECT = "totalseg_s0224"
LEVELS = VERTEBRA_LEVELS[3:]
"""T10 to L5, those that the label map shows whole."""

CONTRASTS = ("T2", "T1", "T1 gradient echo", "random")
FIRST_SEED = 77_000_000
"""Far from the seeds of training cases."""


def subject_sources(data: Path) -> Iterator[Source]:
    """The vertebrae of the subject's label map, as surfaces."""
    labels = read_volume(data / SUBJECT / "vertebrae_T10-L5_labels.nii.gz")
    for level in LEVELS:
        mask = labels.with_array((labels.array == STRUCTURES[level].label).astype(np.uint8))
        mesh = surface_from_labels(mask, largest=True)
        yield Source("s0224", level, SUBJECT, mesh.vertices.astype(np.float64), mesh.faces)


def family_of(fits: list[Fit]) -> VertebraShapes:
    """A family of these vertebrae alone, sizes halfway to the shipped family's as everywhere."""
    shipped = VertebraShapes.load()
    return VertebraShapes(
        {
            "vertices": storage.pack(np.stack([fit.mesh.vertices for fit in fits])),
            "levels": np.array([fit.source.level for fit in fits]),
            "names": np.array([fit.source.name for fit in fits]),
            "faces": shipped.faces,
            "regions": shipped.regions,
            "mirror": shipped.mirror,
            "sizes": np.array([body_size(fit.mesh) for fit in fits], np.float32),
            "frequency": np.ones(len(fits), np.float32),
            "typical_sizes": np.stack([shipped.typical_size[level] for level in VERTEBRA_LEVELS]),
        }
    )


def main() -> None:
    """Fit, then make the cases; says how well each vertebra was fitted."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="the folder training/")
    parser.add_argument("--out", type=Path, required=True, help="folder for the cases")
    parser.add_argument("--n-cases", type=int, default=12)
    options = parser.parse_args()
    fits = [fit_source(source) for source in subject_sources(options.data)]
    for fit in fits:
        size = " x ".join(f"{side:.1f}" for side in body_size(fit.mesh))
        print(f"{fit.source.name}: {fit.assd_mm:.2f} mm from its source, body {size} mm", flush=True)
    model = LumbarSpineModel(SpinePopulation.load(), family_of(fits), PelvisShapes.load(), template("disc"))
    options.out.mkdir(parents=True, exist_ok=True)
    for n in range(options.n_cases):
        profile = Profile(contrast=CONTRASTS[n % len(CONTRASTS)], spine=SpineOptions(top="T10"))
        make_case(FIRST_SEED + n, options.data, profile, model).save(options.out / f"s0224_{n:02d}.npz")


if __name__ == "__main__":
    main()

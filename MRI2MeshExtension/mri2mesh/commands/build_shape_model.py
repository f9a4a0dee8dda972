"""Build a shape model from a folder of segmentations or surfaces, one subject a file; every fit can use it."""

from __future__ import annotations

import argparse
from pathlib import Path

NAME = "build-shape-model"
HELP = "a shape model of one's own subjects, from segmentations or surfaces"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "folder", type=Path, metavar="DIR", help="folder of label maps or surfaces, one subject a file"
    )
    parser.add_argument("--bone", required=True, metavar="BONE", help="as L1, hip_left, femur_right")
    parser.add_argument("--out", type=Path, required=True, metavar="MODEL", help="folder for the model")
    parser.add_argument(
        "--numbering", metavar="NAME", help="whose numbers the labels have, as for reconstruct"
    )
    parser.add_argument("--segments", metavar="1=L5,2=L4", help="what single labels are, as for reconstruct")
    parser.add_argument("--licence", default="not stated", help="of the model, kept in its file")


def run(options: argparse.Namespace) -> int:
    from mri2mesh.atomic import check_writable
    from mri2mesh.engines.segmentation.declaration import NUMBERINGS
    from mri2mesh.engines.segmentation.fitting.priors import MODEL_OF
    from mri2mesh.errors import InputError

    if options.bone not in MODEL_OF:
        raise InputError(
            f"--bone {options.bone}: there is no template of it; use one of {', '.join(MODEL_OF)}"
        )
    if options.numbering is not None and options.numbering not in NUMBERINGS:
        raise InputError(f"--numbering must be one of {', '.join(NUMBERINGS)}")
    check_writable(options.out)

    from mri2mesh.shape_building.build import build

    built = build(
        options.folder,
        options.bone,
        options.out,
        numbering=options.numbering,
        segments=tuple(options.segments.split(",")) if options.segments else (),
        licence=options.licence,
    )
    report = built.report
    left_out, mean = (report["generalisation"][key] for key in ("left_out_projected", "left_out_mean_shape"))
    print(
        f"{report['bone']}: {report['subjects']} subjects, {report['modes']} modes; 90% of the variance in "
        f"{report['modes_for_90_percent']} modes, 95% in {report['modes_for_95_percent']}"
    )
    print(
        f"generalisation: left-out subjects {left_out['assd_mm']:.2f} mm ASSD (the mean shape {mean['assd_mm']:.2f}); "
        f"specificity {report['specificity_mm']:.2f} mm"
    )
    print(
        f"written to {options.out}; `mri2mesh weights import {options.out}` makes every fit of this bone use it"
    )
    return 0

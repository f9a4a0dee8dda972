"""The engine `segmentation` on a label map, whole and thinned out."""

from __future__ import annotations

import argparse
from pathlib import Path

NAME = "segmentation"
HELP = "surfaces from a label map, whole and thinned out, beside marching cubes"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("labels", type=Path, metavar="LABELS", help="label map that is drawn on every slice")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="write every score here")
    parser.add_argument(
        "--numbering", metavar="NAME", help="whose numbers the labels have, as for reconstruct"
    )
    parser.add_argument("--segments", metavar="1=L5,2=L4", help="what single labels are, as for reconstruct")
    parser.add_argument(
        "--every", type=int, default=4, metavar="N", help="of the sparse run: every N-th slice (default: 4)"
    )
    parser.add_argument(
        "--axis", choices=("i", "j", "k"), help="the slices' axis (default: that of the largest spacing)"
    )


def run(options: argparse.Namespace) -> int:
    from mri2mesh.atomic import check_writable
    from mri2mesh.engines.segmentation.declaration import NUMBERINGS
    from mri2mesh.errors import InputError

    if options.every < 2:
        raise InputError(f"--every {options.every}: give 2 or more")
    if options.numbering is not None and options.numbering not in NUMBERINGS:
        raise InputError(f"--numbering must be one of {', '.join(NUMBERINGS)}")
    check_writable(options.out)

    from mri2mesh.evaluation.segmentation.evaluate import evaluate

    evaluate(
        options.labels,
        options.out,
        numbering=options.numbering,
        segments=tuple((options.segments or "").split(",")) if options.segments else (),
        every=options.every,
        axis=None if options.axis is None else "ijk".index(options.axis),
    )
    return 0

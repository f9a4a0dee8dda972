"""The engine `mri2mesh` on lumbar MRI with labelled bodies, beside the baselines."""

from __future__ import annotations

import argparse
from pathlib import Path

from mri2mesh.commands.evaluate.options import add_device, add_weights, check_exams

NAME = "lumbar-mri"
HELP = "the mri2mesh engine on lumbar MRI with labelled bodies"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, metavar="DIR", help="folder of the labelled exams")
    parser.add_argument("--out", type=Path, metavar="DIR", help="also write the numbers and pictures here")
    parser.add_argument("--limit", type=int, metavar="N", help="only the first N exams")
    parser.add_argument("--no-baselines", action="store_true", help="leave the baselines out")
    parser.add_argument("--no-thick", action="store_true", help="leave out the variant with 4 mm slices")
    add_weights(parser)
    add_device(parser)


def run(options: argparse.Namespace) -> int:
    check_exams(options, "exams")

    from mri2mesh.evaluation.lumbar_mri.evaluate import evaluate

    evaluate(
        options.folder,
        options.out,
        limit=options.limit,
        baselines=not options.no_baselines,
        thick=not options.no_thick,
        device=options.device,
        weights_dir=options.weights,
    )
    return 0

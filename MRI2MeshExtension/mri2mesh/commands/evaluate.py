"""Measure the engine against labelled exams and print accuracy per exam and in all, beside the baselines."""

from __future__ import annotations

import argparse
from pathlib import Path

NAME = "evaluate"
HELP = "measure accuracy on labelled exams"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "benchmark", choices=["lumbar-mri"], help="what DIR holds: lumbar MRI with labelled bodies"
    )
    parser.add_argument("folder", type=Path, metavar="DIR", help="folder of the labelled exams")
    parser.add_argument("--out", type=Path, metavar="DIR", help="also write the numbers and pictures here")
    parser.add_argument("--limit", type=int, metavar="N", help="only the first N exams")
    parser.add_argument("--no-baselines", action="store_true", help="leave the baselines out")
    parser.add_argument("--no-thick", action="store_true", help="leave out the variant with 4 mm slices")
    parser.add_argument(
        "--weights", type=Path, metavar="DIR", help="folder of weights to use instead of the shipped"
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps (default: auto)")


def run(options: argparse.Namespace) -> int:
    from mri2mesh.commands.output import check_writable
    from mri2mesh.errors import InputError

    if not options.folder.is_dir():
        raise InputError(f"{options.folder} is not a folder of exams")
    if options.limit is not None and options.limit < 1:
        raise InputError(f"--limit {options.limit}: at least one exam is needed")
    if options.out is not None:
        check_writable(options.out)

    from mri2mesh.evaluation.lumbar_mri import evaluate

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

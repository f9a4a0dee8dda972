"""The engine `ddx` on simulated films of left-out subjects."""

from __future__ import annotations

import argparse
from pathlib import Path

from mri2mesh.commands.evaluate.options import add_weights, check_count, check_training_data

NAME = "ddx"
HELP = "pelvis and femora from one simulated film of left-out subjects"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("data", type=Path, metavar="DIR", help="folder of training data")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="write every score here")
    parser.add_argument(
        "--cases", type=Path, metavar="DIR", help="where shapes for films are kept (default: OUT)"
    )
    parser.add_argument(
        "--films", type=int, default=16, metavar="N", help="how many films of each condition (default: 16)"
    )
    parser.add_argument(
        "--conditions",
        nargs="+",
        default=("standard",),
        metavar="NAME",
        help="such as 'tilt 10' or 'distance 0.9'; a wrong name lists the right ones (default: standard)",
    )
    parser.add_argument(
        "--labelled", action="store_true", help="instead: films of labelled CT volumes, by another simulator"
    )
    add_weights(parser)


def run(options: argparse.Namespace) -> int:
    from mri2mesh.atomic import check_writable

    check_training_data(options.data)
    check_count("--films", options.films, "film")
    check_writable(options.out)

    if options.labelled:
        from mri2mesh.evaluation.ddx.labelled import evaluate_labelled

        evaluate_labelled(options.data, options.out, films=options.films, weights_dir=options.weights)
        return 0
    from mri2mesh.evaluation.ddx.evaluate import evaluate

    cases = options.cases or options.out
    evaluate(
        options.data,
        cases,
        options.out,
        films=options.films,
        conditions=options.conditions,
        weights_dir=options.weights,
    )
    return 0

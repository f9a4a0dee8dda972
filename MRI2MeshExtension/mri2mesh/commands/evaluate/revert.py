"""The engine `revert` on simulated films of left-out subjects, and on real front views."""

from __future__ import annotations

import argparse
from pathlib import Path

from mri2mesh.commands.evaluate.options import add_weights, check_count

NAME = "revert"
HELP = "lumbar vertebrae from one simulated film of a left-out subject"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="write every score here")
    parser.add_argument(
        "--cases", type=Path, metavar="DIR", help="where the left-out spines are kept (default: OUT)"
    )
    parser.add_argument(
        "--films", type=int, default=4, metavar="N", help="how many films of each view (default: 4)"
    )
    parser.add_argument(
        "--conditions",
        nargs="+",
        default=("standard",),
        metavar="NAME",
        help="such as 'tools' or 'turned 10'; a wrong name lists the right ones (default: standard)",
    )
    parser.add_argument(
        "--labels",
        type=Path,
        metavar="FILE",
        help="instead: films of one labelled person (VerSe's numbers), by another simulator",
    )
    parser.add_argument("--alone", action="store_true", help="of --labels: each vertebra alone in its film")
    parser.add_argument(
        "--pictures", type=Path, metavar="DIR", help="instead: real front views with a mask per body"
    )
    parser.add_argument(
        "--points", type=Path, metavar="DIR",
        help="beside it the published network of points: the folder that `train revert --what points` wrote",
    )  # fmt: skip
    parser.add_argument("--refined", action="store_true", help="also after the X-ray fit to the same film")
    add_weights(parser)


def run(options: argparse.Namespace) -> int:
    from mri2mesh.atomic import check_writable

    check_count("--films", options.films, "film")
    check_writable(options.out)

    from mri2mesh.evaluation.revert.conditions import evaluate_conditions, evaluate_labels
    from mri2mesh.evaluation.revert.pictures import evaluate_pictures

    if options.pictures is not None:
        evaluate_pictures(options.pictures, options.out, weights_dir=options.weights)
    elif options.labels is not None:
        evaluate_labels(
            options.labels,
            options.out,
            films=options.films,
            alone=options.alone,
            weights_dir=options.weights,
            refined=options.refined,
            points_dir=options.points,
        )
    else:
        evaluate_conditions(
            options.conditions,
            options.cases or options.out,
            options.out,
            films=options.films,
            weights_dir=options.weights,
            refined=options.refined,
            points_dir=options.points,
        )
    return 0

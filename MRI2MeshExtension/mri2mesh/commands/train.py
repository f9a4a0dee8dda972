"""Train one part of an engine, for a given time, on any device; a run that was stopped is taken up with --resume."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

NAME = "train"
HELP = "train or fine-tune a network"
RENDERED = ("mri2mesh-surfaces", "mri2mesh-fine-tune")
"""Parts that learn from rendered images."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "part", metavar="ENGINE-PART", help="what to train; a wrong name lists the right ones"
    )
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder of training data; revert needs none")
    parser.add_argument(
        "--pairs",
        type=Path,
        metavar="DIR",
        help="of revert: radiographs with surfaces to learn from, as `mri2mesh synthesise revert` writes them",
    )
    parser.add_argument(
        "--space", default="LPS", help="of --pairs: LPS (default) or RAS, of surfaces that do not say"
    )
    parser.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="folder for checkpoints and weights"
    )
    parser.add_argument("--minutes", type=float, default=60.0, help="stop after this time (default: 60)")
    parser.add_argument("--resume", action="store_true", help="go on from the last checkpoint in --out")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps (default: auto)")
    parser.add_argument(
        "--supervision", default="rendering", help="of surfaces: rendering or chamfer (default: rendering)"
    )
    parser.add_argument(
        "--base-width", type=int, default=16, metavar="N", help="channels of the encoder (default: 16)"
    )
    parser.add_argument(
        "--start-from", type=Path, metavar="DIR", help="folder of weights of the same part to begin with"
    )
    parser.add_argument("--batch", type=int, metavar="N", help="examples a step (default: the part's own)")
    parser.add_argument("--steps", type=int, metavar="N", help="stop after N steps as well")
    parser.add_argument(
        "--localiser",
        type=Path,
        metavar="DIR",
        help="folder of localiser weights whose view surfaces learn from too",
    )
    parser.add_argument(
        "--schedule-steps",
        type=int,
        metavar="N",
        help="steps over which the learning rate falls (default: by part)",
    )
    parser.add_argument(
        "--learning-rate", type=float, metavar="X", help="at the start (default: the part's own)"
    )
    parser.add_argument(
        "--validation",
        type=Path,
        metavar="DIR",
        help="folder of synthetic cases to be measured on as training goes on, in OUT/validation.csv",
    )
    parser.add_argument(
        "--cases", type=Path, metavar="DIR", help="where synthetic cases are kept (default: OUT/cases)"
    )
    parser.add_argument(
        "--n-cases", type=int, default=400, metavar="N", help="synthetic cases to make (default: 400)"
    )
    parser.add_argument(
        "--workers", type=int, default=1, metavar="N", help="processes that make cases (default: 1)"
    )
    parser.add_argument(
        "--loss",
        default="independent",
        help="of ddx, for depth: independent, dependent or single (default: independent)",
    )
    parser.add_argument(
        "--centred", action="store_true", help="of ddx: take the mean difference of all depths off first"
    )
    parser.add_argument(
        "--absolute",
        type=float,
        metavar="WEIGHT",
        help="of ddx: weight of the mean absolute error of depth beside --loss; 0: as published (default: 20)",
    )
    parser.add_argument(
        "--films",
        type=int,
        default=2000,
        metavar="N",
        help="of ddx and revert: films kept at a time (default: 2000)",
    )
    parser.add_argument(
        "--pixels",
        type=int,
        metavar="N",
        help="of ddx and revert: side of what the network sees, a multiple of 32",
    )
    parser.add_argument(
        "--what",
        default="points",
        help="of revert: points (the published network), levels (dense maps of whole films) or maps (of one vertebra); "
        "default: points",
    )
    parser.add_argument(
        "--films-elsewhere",
        action="store_true",
        help="of revert: make no films, another run makes those in --cases",
    )
    parser.add_argument("--seed", type=int, default=0, help="the same seed gives the same run (default: 0)")


def _prepare_renderer(device: str) -> None:
    """The first run on a computer compiles for a minute: better shown than wondered at."""
    from mri2mesh.commands.progress import ProgressBar
    from mri2mesh.device import choose_device
    from mri2mesh.rendering.prepare import prepare

    with ProgressBar() as progress:
        prepare(progress, device=choose_device(device), only=("soft images",))


def run(options: argparse.Namespace) -> int:
    from mri2mesh.atomic import check_writable
    from mri2mesh.errors import InputError

    if options.data is None and options.part != "revert":
        raise InputError("--data is needed: the folder of training data")
    if options.data is not None and not options.data.is_dir():
        raise InputError(f"{options.data} is not a folder of training data")
    if options.minutes <= 0:
        raise InputError(f"--minutes {options.minutes:g}: the time must be positive")
    if options.pairs is not None and options.part != "revert":
        raise InputError("--pairs is for revert alone: leave it out")
    pairs = _pairs(options)
    check_writable(options.out)

    if options.part == "revert":
        from mri2mesh.engines.revert.training.run import RevertTrainOptions, train_revert

        train_revert(_chosen(options, RevertTrainOptions), pairs)
        return 0
    if options.part == "ddx":
        from mri2mesh.engines.ddx.training.run import DdxTrainOptions, train_ddx

        train_ddx(_chosen(options, DdxTrainOptions))
        return 0
    from mri2mesh.engines.mri2mesh.training.run import TrainOptions, train

    if options.part in RENDERED:
        _prepare_renderer(options.device)
    train(options.part, _chosen(options, TrainOptions))
    return 0


def _pairs(options: argparse.Namespace) -> Any:
    """The paired data that were asked for, or None. Raises InputError where they are not as they should be."""
    if options.pairs is None:
        return None
    from mri2mesh.datasets.revert import read_revert

    return read_revert(options.pairs, options.space)


def _chosen(options: argparse.Namespace, kind: Any) -> Any:
    """The options of one kind of training; what was not asked for is its own default."""
    given = {name: value for name, value in vars(options).items() if name in kind.__dataclass_fields__}
    return kind(**{name: value for name, value in given.items() if value is not None})

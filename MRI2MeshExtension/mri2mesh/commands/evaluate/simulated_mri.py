"""The engine `mri2mesh` on simulated MRI, where the whole vertebra is known."""

from __future__ import annotations

import argparse
from pathlib import Path

from mri2mesh.commands.evaluate.options import add_device, add_weights, check_count, check_exams

NAME = "simulated-mri"
HELP = "the mri2mesh engine on simulated MRI: also arches, facets and processes"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, metavar="DIR", help="folder of simulated exams (*.npz)")
    parser.add_argument("--out", type=Path, metavar="DIR", help="also write the table here")
    parser.add_argument("--limit", type=int, metavar="N", help="only the first N exams")
    parser.add_argument("--thick-only", action="store_true", help="only with 4 mm slices, not as they are")
    parser.add_argument(
        "--kinds",
        nargs="+",
        metavar="NAME",
        help="instead: exams of these kinds, each apart, made in DIR from --data where they are missing, such as"
        " fracture, scoliosis or 'cut below'; a wrong name lists the right ones",
    )
    parser.add_argument("--data", type=Path, metavar="DIR", help="of --kinds: folder of training data")
    parser.add_argument(
        "--each", type=int, default=3, metavar="N", help="of --kinds: so many exams of each (default: 3)"
    )
    add_weights(parser)
    add_device(parser)


def run(options: argparse.Namespace) -> int:
    if options.kinds is not None:
        return _run_kinds(options)
    check_exams(options, "simulated exams")

    from mri2mesh.evaluation.simulated_mri.evaluate import evaluate

    evaluate(
        options.folder,
        options.out,
        limit=options.limit,
        thick_only=options.thick_only,
        device=options.device,
        weights_dir=options.weights,
    )
    return 0


def _run_kinds(options: argparse.Namespace) -> int:
    from mri2mesh.atomic import check_writable
    from mri2mesh.errors import InputError

    if options.data is None or not options.data.is_dir():
        raise InputError("--kinds needs --data, the folder of training data that exams are made from")
    check_count("--each", options.each, "exam")
    check_writable(options.folder)
    if options.out is not None:
        check_writable(options.out)

    from mri2mesh.evaluation.simulated_mri.evaluate import evaluate_kinds

    evaluate_kinds(
        options.folder,
        options.kinds,
        options.data,
        each=options.each,
        out=options.out,
        device=options.device,
        weights_dir=options.weights,
    )
    return 0

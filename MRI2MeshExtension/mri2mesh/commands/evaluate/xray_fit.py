"""The engine `xray-fit` on simulated radiographs of left-out subjects."""

from __future__ import annotations

import argparse
from pathlib import Path

from mri2mesh.commands.evaluate.options import check_count, check_training_data

NAME = "xray-fit"
HELP = "fits to simulated radiographs of left-out subjects"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "data",
        type=Path,
        nargs="?",
        metavar="DIR",
        help="folder of training data, for films of whole regions",
    )
    parser.add_argument(
        "--anatomy", default="pelvis", help="pelvis, femur_left, femur_right or L1 to L5 (default: pelvis)"
    )
    parser.add_argument(
        "--conditions",
        nargs="+",
        metavar="NAME",
        help="views and field; a wrong name lists the right ones (default: two-views)",
    )
    parser.add_argument(
        "--subjects", type=int, default=2, metavar="N", help="so many, spread evenly over all (default: 2)"
    )
    parser.add_argument("--all-subjects", action="store_true", help="every subject")
    parser.add_argument(
        "--alone", action="store_true", help="the bone alone in the picture, as vertebrae always are"
    )
    parser.add_argument(
        "--foreign",
        choices=("atlas", "limb"),
        help="pelves of the atlas fitted with the joint model, or the joint model's with the atlas",
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="write every run and the summary here")
    parser.add_argument(
        "--cases", type=Path, metavar="DIR", help="where shapes for films are kept (default: OUT)"
    )
    parser.add_argument("--seed", type=int, default=0, help="the same seed gives the same cases (default: 0)")
    parser.add_argument("--device", default="cpu", help="cpu or cuda (default: cpu)")


def run(options: argparse.Namespace) -> int:
    from mri2mesh.atomic import check_writable
    from mri2mesh.errors import InputError

    check_count("--subjects", options.subjects, "subject")
    if options.data is not None:
        check_training_data(options.data)
    cases = options.cases or options.out
    if options.data is not None and cases is None:
        raise InputError("give --out or --cases: shapes for films are made there")
    if options.out is not None:
        check_writable(options.out)

    from mri2mesh.evaluation.xray_fit.evaluate import evaluate

    def anatomy_files() -> tuple[Path, Path]:
        from mri2mesh.engines.ddx.training.run import prepared_anatomy

        return prepared_anatomy(options.data, cases, 0)

    evaluate(
        options.anatomy,
        options.conditions,
        None if options.all_subjects else options.subjects,
        options.out,
        anatomy_files=None if options.data is None else anatomy_files,
        alone=options.alone,
        foreign=options.foreign,
        seed=options.seed,
        device=options.device,
    )
    return 0

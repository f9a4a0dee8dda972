"""Measure the engines: on labelled exams, beside the baselines, or on simulated radiographs of unseen subjects."""

from __future__ import annotations

import argparse
from pathlib import Path

NAME = "evaluate"
HELP = "measure accuracy on labelled exams or simulated radiographs"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    benchmarks = parser.add_subparsers(dest="benchmark", required=True, metavar="BENCHMARK")
    _add_lumbar_mri(
        benchmarks.add_parser("lumbar-mri", help="the mri2mesh engine on lumbar MRI with labelled bodies")
    )
    _add_simulated_mri(
        benchmarks.add_parser(
            "simulated-mri", help="the mri2mesh engine on simulated MRI: also arches, facets and processes"
        )
    )
    _add_xray_fit(
        benchmarks.add_parser("xray-fit", help="fits to simulated radiographs of left-out subjects")
    )
    _add_ddx(
        benchmarks.add_parser("ddx", help="pelvis and femora from one simulated film of left-out subjects")
    )
    _add_revert(
        benchmarks.add_parser("revert", help="lumbar vertebrae from one simulated film of a left-out subject")
    )
    _add_segmentation(
        benchmarks.add_parser(
            "segmentation", help="surfaces from a label map, whole and thinned out, beside marching cubes"
        )
    )
    _add_export(
        benchmarks.add_parser(
            "export", help="files of finished results read back by other libraries, and quality of elements"
        )
    )


def _add_export(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("results", type=Path, nargs="+", metavar="DIR", help="result folders")
    parser.add_argument("--out", type=Path, metavar="DIR", help="also write both tables here")
    parser.add_argument(
        "--structures", default="", metavar="NAMES", help="such as L3,femur_left (default: the first bone)"
    )
    parser.add_argument(
        "--edge-length", type=float, default=2.0, metavar="MM", help="of the elements (default: 2)"
    )


def _add_segmentation(parser: argparse.ArgumentParser) -> None:
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


def _add_ddx(parser: argparse.ArgumentParser) -> None:
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
    parser.add_argument(
        "--weights", type=Path, metavar="DIR", help="folder of weights to use instead of the shipped"
    )


def _add_revert(parser: argparse.ArgumentParser) -> None:
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
    parser.add_argument(
        "--weights", type=Path, metavar="DIR", help="folder of weights to use instead of the shipped"
    )


def _add_lumbar_mri(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, metavar="DIR", help="folder of the labelled exams")
    parser.add_argument("--out", type=Path, metavar="DIR", help="also write the numbers and pictures here")
    parser.add_argument("--limit", type=int, metavar="N", help="only the first N exams")
    parser.add_argument("--no-baselines", action="store_true", help="leave the baselines out")
    parser.add_argument("--no-thick", action="store_true", help="leave out the variant with 4 mm slices")
    parser.add_argument(
        "--weights", type=Path, metavar="DIR", help="folder of weights to use instead of the shipped"
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps (default: auto)")


def _add_simulated_mri(parser: argparse.ArgumentParser) -> None:
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
    parser.add_argument(
        "--weights", type=Path, metavar="DIR", help="folder of weights to use instead of the shipped"
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps (default: auto)")


def _add_xray_fit(parser: argparse.ArgumentParser) -> None:
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
    return {
        "lumbar-mri": _run_lumbar_mri,
        "simulated-mri": _run_simulated_mri,
        "xray-fit": _run_xray_fit,
        "ddx": _run_ddx,
        "export": _run_export,
        "revert": _run_revert,
        "segmentation": _run_segmentation,
    }[options.benchmark](options)


def _check_exams(options: argparse.Namespace, what: str) -> None:
    """Raises InputError before anything is loaded: a folder, a limit or an output that cannot be."""
    from mri2mesh.atomic import check_writable
    from mri2mesh.errors import InputError

    if not options.folder.is_dir():
        raise InputError(f"{options.folder} is not a folder of {what}")
    if options.limit is not None and options.limit < 1:
        raise InputError(f"--limit {options.limit}: at least one exam is needed")
    if options.out is not None:
        check_writable(options.out)


def _run_simulated_mri(options: argparse.Namespace) -> int:
    if options.kinds is not None:
        return _run_kinds(options)
    _check_exams(options, "simulated exams")

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
    if options.each < 1:
        raise InputError(f"--each {options.each}: at least one exam is needed")
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


def _run_segmentation(options: argparse.Namespace) -> int:
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


def _run_revert(options: argparse.Namespace) -> int:
    from mri2mesh.atomic import check_writable
    from mri2mesh.errors import InputError

    if options.films < 1:
        raise InputError(f"--films {options.films}: at least one film is needed")
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


def _run_ddx(options: argparse.Namespace) -> int:
    from mri2mesh.atomic import check_writable
    from mri2mesh.errors import InputError

    if not options.data.is_dir():
        raise InputError(f"{options.data} is not a folder of training data")
    if options.films < 1:
        raise InputError(f"--films {options.films}: at least one film is needed")
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


def _run_lumbar_mri(options: argparse.Namespace) -> int:
    _check_exams(options, "exams")

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


def _run_xray_fit(options: argparse.Namespace) -> int:
    from mri2mesh.atomic import check_writable
    from mri2mesh.errors import InputError

    if options.subjects < 1:
        raise InputError(f"--subjects {options.subjects}: at least one subject is needed")
    if options.data is not None and not options.data.is_dir():
        raise InputError(f"{options.data} is not a folder of training data")
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


def _run_export(options: argparse.Namespace) -> int:
    from mri2mesh.atomic import check_writable
    from mri2mesh.evaluation.exports.evaluate import evaluate

    if options.out is not None:
        check_writable(options.out)
    names = [name.strip() for name in options.structures.split(",") if name.strip()]
    trips, meshes = evaluate(options.results, names, options.edge_length, options.out)
    good = all(trip.passed for trip in trips) and all(not mesh.inverted for mesh in meshes)
    return 0 if good else 1

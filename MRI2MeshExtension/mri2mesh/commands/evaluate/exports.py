"""Files of finished results, read back by other libraries."""

from __future__ import annotations

import argparse
from pathlib import Path

NAME = "export"
HELP = "files of finished results read back by other libraries, and quality of elements"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("results", type=Path, nargs="+", metavar="DIR", help="result folders")
    parser.add_argument("--out", type=Path, metavar="DIR", help="also write both tables here")
    parser.add_argument(
        "--structures", default="", metavar="NAMES", help="such as L3,femur_left (default: the first bone)"
    )
    parser.add_argument(
        "--edge-length", type=float, default=2.0, metavar="MM", help="of the elements (default: 2)"
    )


def run(options: argparse.Namespace) -> int:
    from mri2mesh.atomic import check_writable
    from mri2mesh.evaluation.exports.evaluate import evaluate

    if options.out is not None:
        check_writable(options.out)
    names = [name.strip() for name in options.structures.split(",") if name.strip()]
    trips, meshes = evaluate(options.results, names, options.edge_length, options.out)
    good = all(trip.passed for trip in trips) and all(not mesh.inverted for mesh in meshes)
    return 0 if good else 1

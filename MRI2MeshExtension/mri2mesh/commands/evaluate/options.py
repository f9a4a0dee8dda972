"""Options that several benchmarks share, and what is wrong with them found before anything is loaded."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_weights(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--weights", type=Path, metavar="DIR", help="folder of weights to use instead of the shipped"
    )


def add_device(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps (default: auto)")


def check_exams(options: argparse.Namespace, what: str) -> None:
    """Raises InputError for a folder of exams, a limit or an output that cannot be."""
    from mri2mesh.atomic import check_writable
    from mri2mesh.errors import InputError

    if not options.folder.is_dir():
        raise InputError(f"{options.folder} is not a folder of {what}")
    if options.limit is not None and options.limit < 1:
        raise InputError(f"--limit {options.limit}: at least one exam is needed")
    if options.out is not None:
        check_writable(options.out)

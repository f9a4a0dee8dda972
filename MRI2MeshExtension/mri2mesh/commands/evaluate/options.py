"""Options that several benchmarks share, and what is wrong with them found before anything is loaded."""

from __future__ import annotations

import argparse
from pathlib import Path

from mri2mesh.errors import InputError


def add_weights(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--weights", type=Path, metavar="DIR", help="folder of weights to use instead of the shipped"
    )


def add_device(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps (default: auto)")


def check_exams(options: argparse.Namespace, what: str) -> None:
    """Raises InputError for a folder of exams, a limit or an output that cannot be."""
    from mri2mesh.atomic import check_writable

    if not options.folder.is_dir():
        raise InputError(f"{options.folder} is not a folder of {what}")
    if options.limit is not None:
        check_count("--limit", options.limit, "exam")
    if options.out is not None:
        check_writable(options.out)


def check_count(option: str, count: int, what: str) -> None:
    """Raises InputError where nothing would be measured."""
    if count < 1:
        raise InputError(f"{option} {count}: at least one {what} is needed")


def check_training_data(folder: Path) -> None:
    """Raises InputError for what is not a folder."""
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder of training data")

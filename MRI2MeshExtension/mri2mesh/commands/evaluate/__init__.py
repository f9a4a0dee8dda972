"""Measure the engines: on labelled exams, beside the baselines, or on simulated radiographs of unseen subjects."""

from __future__ import annotations

import argparse

from mri2mesh.commands.evaluate import (
    ddx,
    exports,
    lumbar_mri,
    revert,
    segmentation,
    simulated_mri,
    xray_fit,
)

NAME = "evaluate"
HELP = "measure accuracy on labelled exams or simulated radiographs"
_BENCHMARKS = (lumbar_mri, simulated_mri, xray_fit, ddx, revert, segmentation, exports)
"""Modules like those of commands: ``NAME``, ``HELP``, ``add_arguments(parser)``, ``run(options) -> exit status``."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    benchmarks = parser.add_subparsers(dest="benchmark", required=True, metavar="BENCHMARK")
    for benchmark in _BENCHMARKS:
        added = benchmarks.add_parser(benchmark.NAME, help=benchmark.HELP, description=benchmark.__doc__)
        benchmark.add_arguments(added)
        added.set_defaults(run_benchmark=benchmark.run)


def run(options: argparse.Namespace) -> int:
    return int(options.run_benchmark(options))

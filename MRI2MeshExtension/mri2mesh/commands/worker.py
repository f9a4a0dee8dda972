"""Run reconstructions for another program, as 3D Slicer: JSON lines on standard input and output, one job after the
other, ended by the end of the input."""

from __future__ import annotations

import argparse
import faulthandler
import os
import tempfile
from pathlib import Path

NAME = "worker"
HELP = "run jobs for another program"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--temporary",
        type=Path,
        metavar="DIR",
        help="folder for temporary files, removed at the end (default: a new one)",
    )


def run(options: argparse.Namespace) -> int:
    from mri2mesh.process_tree import lead_own_group
    from mri2mesh.worker.channel import Channel
    from mri2mesh.worker.loop import Worker

    lead_own_group()
    channel = Channel()
    faulthandler.enable()  # a crash in compiled code says on standard error what it was
    temporary = options.temporary or Path(tempfile.mkdtemp(prefix="mri2mesh-worker-"))
    temporary.mkdir(parents=True, exist_ok=True)
    tempfile.tempdir = os.environ["TMPDIR"] = str(temporary)
    Worker(channel, temporary).serve()
    return 0

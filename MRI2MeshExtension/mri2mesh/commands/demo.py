"""Reconstruct the lumbar MRI that ships with the library: surfaces, label maps, a scene for 3D Slicer and a report.
Needs no network."""

from __future__ import annotations

import argparse
import sys
from importlib.util import find_spec
from pathlib import Path

from mri2mesh.commands.reconstruct import reconstruct_and_summarise
from mri2mesh.request import Request

NAME = "demo"
HELP = "reconstruct the bundled sample MRI"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--out", type=Path, default=Path("mri2mesh-demo"), help="result folder (default: %(default)s)"
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps (default: auto)")


def run(options: argparse.Namespace) -> int:
    from mri2mesh.samples import LUMBAR_T2, LUMBAR_T2_LEVEL

    scene = find_spec("slicer_core") is not None
    if not scene:
        print("slicer-core is not installed, so no scene.mrb: pip install 'mri2mesh[scene]'", file=sys.stderr)
    # The sacrum is not in view: without a vertebra that is known, the names would be a guess.
    request = Request(
        (LUMBAR_T2,),
        options.out,
        device=options.device,
        options={"level": LUMBAR_T2_LEVEL, "labelmaps": True, "scene": scene},
    )
    status = reconstruct_and_summarise(request)
    print(
        f"Open {options.out / 'report.html'} in a browser"
        + (f", {options.out / 'scene.mrb'} in 3D Slicer" * scene)
    )
    # The demonstration is done when its files are there; checks that failed are printed and in the report.
    return 0 if any(options.out.glob("*.vtp")) else status

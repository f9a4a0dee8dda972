"""Reconstruct bones from one lumbar MRI or from radiographs: closed surfaces, and how far to trust each."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from mri2mesh.request import DEFAULT_FORMATS, Request

Given = TypeVar("Given", str, Path)
NONE = "-"
"""Stands in place of what one of several images does not have."""

NAME = "reconstruct"
HELP = "an MRI or radiographs in, surfaces and a report out"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "image",
        nargs="+",
        type=Path,
        metavar="IMAGE",
        help="NIfTI, NRRD or MetaImage file, or a DICOM folder; or radiographs (DICOM, PNG, TIFF, JPEG, BMP)",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the results")
    parser.add_argument(
        "--engine", help="method: mri2mesh for a volume, xray-fit for radiographs (default: from the input)"
    )
    parser.add_argument(
        "--anatomy", help="bone to fit to radiographs: pelvis, femur_left, femur_right or L1 to L5"
    )
    parser.add_argument(
        "--camera",
        action="append",
        type=Path,
        metavar="camera.json",
        help="geometry of a radiograph, once per image in their order (default: from DICOM tags)",
    )
    parser.add_argument(
        "--landmarks",
        action="append",
        type=Path,
        metavar="points.mrk.json",
        help="landmarks picked in 3D Slicer, one file per radiograph, or one picked in the patient",
    )
    parser.add_argument(
        "--calibrate",
        action="append",
        metavar="MARKER",
        help="scale of a radiograph from something of known size in it, once per image (- for none): "
        "wire:MM@COLUMN,ROW,COLUMN,ROW, sphere:MM@..., length:MM@..., intensifier:MM; a .mrk.json instead of numbers",
    )
    parser.add_argument(
        "--mask",
        action="append",
        type=Path,
        metavar="PICTURE",
        help="outline of the bone in a radiograph: not zero inside, once per image (- for none)",
    )
    parser.add_argument(
        "--bone", choices=("dark", "bright"), help="how radiographs show bone, where it is taken wrongly"
    )
    parser.add_argument(
        "--frame",
        action="append",
        type=int,
        metavar="N",
        help="frame of a multi-frame DICOM radiograph, from 1; once per image, or once for all",
    )
    parser.add_argument(
        "--start", type=Path, metavar="DIR", help="go on from an earlier result of the same radiographs"
    )
    parser.add_argument(
        "--series", type=int, metavar="N", help="which series, where a DICOM folder holds several"
    )
    parser.add_argument(
        "--level",
        metavar="L3@x,y,z",
        help="name one vertebra, and so all: a level, and a point in its body, mm RAS as in 3D Slicer's Markups "
        "(L3@lps:x,y,z for LPS, L3@ijk:i,j,k for voxels from 0); for images that do not show the sacrum",
    )
    parser.add_argument(
        "--level-shift",
        type=int,
        default=0,
        metavar="N",
        help="correct the levels by N: 1 calls what was found as L4 L3, -1 calls it L5",
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps (default: auto)")
    parser.add_argument(
        "--weights", type=Path, metavar="DIR", help="folder of weights to use instead of the shipped"
    )
    parser.add_argument(
        "--formats", default=",".join(DEFAULT_FORMATS), help="any of vtp,vtk,stl,ply,obj (default: vtp)"
    )
    parser.add_argument(
        "--labelmaps", action="store_true", help="also write label maps on the grid of the input"
    )
    parser.add_argument("--scene", action="store_true", help="also write scene.mrb, which opens in 3D Slicer")


def run(options: argparse.Namespace) -> int:
    return reconstruct_and_summarise(
        Request(
            images=tuple(options.image),
            out=options.out,
            engine=options.engine,
            anatomy=options.anatomy,
            cameras=_per_image(options.camera),
            landmarks=tuple(options.landmarks or ()),
            markers=_per_image(options.calibrate),
            masks=_per_image(options.mask),
            bone=options.bone,
            frames=tuple(options.frame or ()),
            start=options.start,
            series=options.series,
            level=options.level,
            level_shift=options.level_shift,
            device=options.device,
            weights_dir=options.weights,
            formats=tuple(name.strip() for name in options.formats.split(",") if name.strip()),
            labelmaps=options.labelmaps,
            scene=options.scene,
        )
    )


def _per_image(given: Sequence[Given] | None) -> tuple[Given | None, ...]:
    return tuple(None if str(one) == NONE else one for one in given or ())


def reconstruct_and_summarise(request: Request) -> int:
    """Runs with a progress bar and says what came out. Returns the exit status 0 or 1.

    Raises InputError for bad input; then nothing was written.
    """
    from mri2mesh.commands.outcome import summarise
    from mri2mesh.commands.progress import ProgressBar
    from mri2mesh.run import run

    with ProgressBar() as progress:
        reconstruction = run(request, progress=progress)
    return summarise(reconstruction, request.out)

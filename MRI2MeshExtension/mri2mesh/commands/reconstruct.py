"""Reconstruct bones from one lumbar MRI or from radiographs: closed surfaces, and how far to trust each."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from mri2mesh.errors import InputError, ReconstructionRefused

NAME = "reconstruct"
HELP = "an MRI or radiographs in, surfaces and a report out"
DEFAULT_FORMATS = ("vtp",)


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
        "--series", type=int, metavar="N", help="which series, where a DICOM folder holds several"
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
    from mri2mesh.engines.registry import default_engine, takes
    from mri2mesh.imaging.kind import kind_of

    engine = options.engine or default_engine(kind_of(options.image[0]))
    formats = tuple(name.strip() for name in options.formats.split(",") if name.strip())
    if takes(engine) == "radiographs":
        from mri2mesh.commands.reconstruct_radiographs import radiographs_to_folder

        _refuse(options, engine, ("labelmaps", "scene", "series", "level_shift"))
        return radiographs_to_folder(
            options.image,
            options.out,
            engine=engine,
            anatomy=options.anatomy,
            cameras=options.camera,
            landmarks=options.landmarks,
            markers=options.calibrate,
            masks=options.mask,
            bone=options.bone,
            frames=options.frame,
            device=options.device,
            formats=formats,
        )
    _refuse(options, engine, ("anatomy", "camera", "landmarks", "calibrate", "mask", "bone", "frame"))
    if len(options.image) > 1:
        raise InputError(f"the engine {engine} takes one image, got {len(options.image)}")
    return reconstruct_to_folder(
        options.image[0],
        options.out,
        series=options.series,
        engine=engine,
        level_shift=options.level_shift,
        device=options.device,
        weights_dir=options.weights,
        formats=formats,
        labelmaps=options.labelmaps,
        scene=options.scene,
    )


def _refuse(options: argparse.Namespace, engine: str, names: Sequence[str]) -> None:
    """Raises InputError for an option that the engine would silently ignore."""
    for name in names:
        if getattr(options, name):
            raise InputError(f"the engine {engine} has no use for --{name.replace('_', '-')}: leave it out")


def reconstruct_to_folder(
    image: Path,
    out: Path,
    *,
    series: int | None = None,
    engine: str = "mri2mesh",
    level_shift: int = 0,
    device: str = "auto",
    weights_dir: Path | None = None,
    formats: Sequence[str] = DEFAULT_FORMATS,
    labelmaps: bool = False,
    scene: bool = False,
) -> int:
    """Reads, reconstructs, writes, says what came out. Returns the exit status 0 or 1.

    Raises InputError for bad input; then nothing was written.
    """
    from mri2mesh.commands.outcome import refused, summarise
    from mri2mesh.commands.output import check_writable
    from mri2mesh.commands.progress import ProgressBar
    from mri2mesh.engines.registry import get_engine
    from mri2mesh.export.results import check_request, write_results
    from mri2mesh.imaging.reading import read_volume

    # What can be wrong is found before anything slow is done.
    check_writable(out)
    check_request(out, formats, scene)
    volume = read_volume(image, series)
    method = get_engine(engine)
    with ProgressBar() as progress:
        try:
            reconstruction = method.reconstruct(
                volume, device=device, level_shift=level_shift, weights_dir=weights_dir, progress=progress
            )
        except ReconstructionRefused as error:
            reconstruction = refused(engine, error)
            labelmaps = scene = False
    write_results(reconstruction, volume, out, formats=tuple(formats), labelmaps=labelmaps, scene=scene)
    return summarise(reconstruction, out)

"""Reconstruct bones from one lumbar MRI or from radiographs: closed surfaces, and how far to trust each."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from mri2mesh.engines.kinds import OF_EVERY_RUN
from mri2mesh.engines.options import Option
from mri2mesh.engines.registry import engines, options_by_name
from mri2mesh.errors import InputError
from mri2mesh.request import Request

NAME = "reconstruct"
HELP = "an MRI or radiographs in, surfaces and a report out"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "image",
        nargs="*",
        type=Path,
        metavar="IMAGE",
        help="NIfTI, NRRD or MetaImage file, or a DICOM folder; or radiographs (DICOM, PNG, TIFF, JPEG, BMP)",
    )
    parser.add_argument(
        "--folder", type=Path, metavar="DIR", help="every image of a folder, each into a folder in --out"
    )
    parser.add_argument(
        "--jobs", type=int, metavar="N", help="with --folder: so many cases at once (default: 1)"
    )
    parser.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="with --folder: on the cluster of this dask scheduler, as tcp://host:8786",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the results")
    methods = ", ".join(f"{engine.name} for {engine.takes.words}" for engine in engines().values())
    parser.add_argument("--engine", help=f"method: {methods} (default: from the input)")
    for option in OF_EVERY_RUN:
        _add(parser, option, option.help_shown)
    for of_engines in options_by_name().values():
        _add(parser, of_engines[0][1], _help(of_engines))


def _add(parser: argparse.ArgumentParser, option: Option, text: str) -> None:
    """Whether a value is of any use, and in its range, is known when the engine is."""
    text = text.replace("%", "%%")  # argparse fills in values there
    if not option.takes_value:
        parser.add_argument(f"--{option.flag}", dest=option.name, action="store_true", help=text)
        return

    def value(given: str) -> Any:
        try:
            return option.from_text(given)
        except ValueError as error:
            raise argparse.ArgumentTypeError(f"must be {error}, not {given!r}") from None

    parser.add_argument(
        f"--{option.flag}",
        dest=option.name,
        action="append" if option.per_image else "store",
        type=value,
        metavar=option.value_shown,
        help=text,
    )


def _help(of_engines: list[tuple[Any, Option]]) -> str:
    """Once where the engines agree, else by engine."""
    by_text: dict[str, list[str]] = {}
    for engine, option in of_engines:
        by_text.setdefault(option.help_shown, []).append(engine.name)
    option = of_engines[0][1]
    text = next(iter(by_text))
    if len(by_text) > 1:
        text = "; ".join(f"{', '.join(names)}: {words}" for words, names in by_text.items())
    if option.per_image:
        once = ", or once for all" if option.one_for_all else ""
        text += f"; once per image in their order{once}, - for none"
    return text


def run(options: argparse.Namespace) -> int:
    every = {option.name: _value(option, options) for option in OF_EVERY_RUN}
    given = {name: _value(found[0][1], options) for name, found in options_by_name().items()}
    own = {name: value for name, value in given.items() if value is not None}
    common = {name: value for name, value in every.items() if value is not None}
    if options.folder is not None:
        return _run_folder(options, {**own, **common})
    if options.jobs is not None or options.scheduler is not None:
        raise InputError("--jobs and --scheduler are for a whole folder: give it with --folder")
    if not options.image:
        raise InputError(
            "name an image, or a folder of images with --folder (see `mri2mesh reconstruct --help`)"
        )
    request = Request(tuple(options.image), options.out, options.engine, options=own, **common)
    return reconstruct_and_summarise(request)


def _run_folder(options: argparse.Namespace, values: dict[str, Any]) -> int:
    from mri2mesh.commands.reconstruct_folder import FolderRequest, reconstruct_folder

    if options.image:
        raise InputError("give either images or --folder, not both")
    if options.jobs is not None and options.scheduler is not None:
        raise InputError("--jobs is for this machine, --scheduler for a cluster: give one of them")
    jobs = 1 if options.jobs is None else options.jobs
    if jobs < 1:
        raise InputError("--jobs must be at least 1")
    return reconstruct_folder(
        FolderRequest(options.folder, options.out, options.engine, values, jobs, options.scheduler)
    )


def _value(option: Option, options: argparse.Namespace) -> Any:
    """What was given, in the option's type; None where nothing was."""
    given = getattr(options, option.name)
    if given is False:
        return None
    return tuple(given) if option.per_image and given is not None else given


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

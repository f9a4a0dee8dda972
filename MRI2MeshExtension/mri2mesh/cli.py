"""The ``mri2mesh`` command: one small file per subcommand in `mri2mesh.commands`.

Exit status: 0 done; 1 reconstruction refused or failed its checks (files written, reasons in the report);
2 bad input or usage (one clear line on standard error, nothing written).
"""

from __future__ import annotations

import argparse
import io
import sys
import traceback
from collections.abc import Sequence
from typing import NoReturn

from mri2mesh import __version__
from mri2mesh.commands import COMMANDS
from mri2mesh.errors import explain

FAILED, BAD_INPUT, INTERRUPTED = 1, 2, 130


class OneLineParser(argparse.ArgumentParser):
    """Says what is wrong in one line, as the exit-status contract asks, instead of repeating the usage."""

    def error(self, message: str) -> NoReturn:
        self.exit(BAD_INPUT, f"mri2mesh: {message} (see `{self.prog} --help`)\n")


def build_parser() -> argparse.ArgumentParser:
    parser = OneLineParser(
        prog="mri2mesh",
        description="3D bone surfaces from clinical images. Research use only, not a medical device.",
    )
    parser.add_argument("--version", action="version", version=f"mri2mesh {__version__}")
    common = OneLineParser(add_help=False)
    common.add_argument("--debug", action="store_true", help="show the traceback of an unexpected error")
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in COMMANDS:
        added = subparsers.add_parser(
            command.NAME, help=command.HELP, description=command.__doc__, parents=[common]
        )
        command.add_arguments(added)
        added.set_defaults(run=command.run)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit status; never raises for bad input."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # what a console cannot show must not end a run that is done
            stream.reconfigure(errors="backslashreplace")
    options = build_parser().parse_args(arguments)
    try:
        return options.run(options)
    except KeyboardInterrupt:
        return _stop(INTERRUPTED, "interrupted")
    except BrokenPipeError:
        sys.stderr.close()  # the reader of our output has gone, as with `mri2mesh ... | head`
        return FAILED
    except Exception as error:
        kind, message = explain(error)
        if kind == "internal":
            message += "; run again with --debug for the traceback"
            if options.debug:
                traceback.print_exception(error)
        return _stop(BAD_INPUT if kind == "input" else FAILED, message)


def _stop(status: int, message: str) -> int:
    print(f"mri2mesh: {message}", file=sys.stderr)
    return status

"""List, verify, import and delete network weights. Weights are safetensors files, checked by their SHA-256."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mri2mesh.weights_manifest import WeightsEntry

NAME = "weights"
HELP = "list, verify, import or delete network weights"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    actions.add_parser("list", help="what is there, with size, licence and origin")
    verify = actions.add_parser("verify", help="compare every file with its SHA-256")
    verify.add_argument("names", nargs="*", metavar="NAME", help="only these (default: all)")
    bring = actions.add_parser(
        "import", help="copy a .safetensors file, or a folder that `train` wrote, to your own"
    )
    bring.add_argument("path", type=Path, metavar="FILE|DIR")
    bring.add_argument("--licence", default="not stated", help="of a file without a manifest")
    bring.add_argument("--origin", default="imported by the user", help="of a file without a manifest")
    bring.add_argument("--engine", default="", help="of a file without a manifest")
    actions.add_parser("delete", help="remove imported weights").add_argument("name", metavar="NAME")


def run(options: argparse.Namespace) -> int:
    return {"list": _list, "verify": _verify, "import": _import, "delete": _delete}[options.action](options)


def _list(options: argparse.Namespace) -> int:
    from mri2mesh.weights import list_weights

    entries = list_weights()
    for entry in entries:
        size = f"{entry.path.stat().st_size / 2**20:.1f} MB" if entry.path.is_file() else "missing"
        print(
            f"{entry.name:<24} {size:>9}  {_whose(entry):<8}  {entry.sha256[:12]}  {entry.licence}; {entry.origin}"
        )
    if not entries:
        print("no weights: add some with `mri2mesh weights import`")
    return 0


def _verify(options: argparse.Namespace) -> int:
    from mri2mesh.errors import InputError
    from mri2mesh.weights import find, list_weights, read_verified

    status = 0
    for entry in [find(name) for name in options.names] or list_weights():
        try:
            read_verified(entry)
            print(f"{entry.name}: as in the manifest")
        except InputError as error:
            status = 1
            print(f"{entry.name}: {error}", file=sys.stderr)
    return status


def _import(options: argparse.Namespace) -> int:
    from mri2mesh.weights_import import import_weights

    entries = import_weights(
        options.path, licence=options.licence, origin=options.origin, engine=options.engine
    )
    print("imported " + ", ".join(entry.name for entry in entries))
    return 0


def _delete(options: argparse.Namespace) -> int:
    from mri2mesh.weights import delete_weights

    delete_weights(options.name)
    print(f"deleted {options.name}")
    return 0


def _whose(entry: WeightsEntry) -> str:
    from mri2mesh.weights import shipped_folder, user_folder

    return {shipped_folder(): "shipped", user_folder(): "imported"}.get(entry.folder, "named")

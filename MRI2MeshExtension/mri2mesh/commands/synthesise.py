"""Make paired data: simulated radiographs of people who do not exist, with the true surfaces and cameras.

revert: vertebrae from all around in the layouts of 3D-ReVert (DRR/<id>/rendering/NN.png with Mesh/<id>.stl, or
Renderings/<class>/<id>/rendering/NN.png with PointCloud/<class>/<id>.npy), NN.camera.json beside each image; and, with
--films, films of the whole lumbar region. With --labels (and --ct), DRRs of a real spine in the same layouts.
`mri2mesh train revert --pairs DIR` reads them."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

NAME = "synthesise"
HELP = "make simulated radiographs with their true surfaces"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("kind", metavar="KIND", help="what to make: revert")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the data")
    parser.add_argument(
        "--labels", type=Path, metavar="FILE", help="of one real spine instead: vertebrae by VerSe's numbers"
    )
    parser.add_argument("--ct", type=Path, metavar="FILE", help="its CT in HU, on the same grid")
    parser.add_argument("--subject", default="subject", metavar="NAME", help="what it is called in the data")
    parser.add_argument("--people", type=int, default=1, metavar="N", help="how many people (default: 1)")
    parser.add_argument(
        "--first", type=int, default=0, metavar="N", help="number of the first of them (default: 0)"
    )
    parser.add_argument(
        "--views", type=int, default=24, metavar="N", help="around each vertebra, 0 for none (default: 24)"
    )
    parser.add_argument(
        "--films", type=int, default=0, metavar="N", help="of the whole region, per person (default: 0)"
    )
    parser.add_argument(
        "--levels",
        default="L1,L2,L3,L4,L5",
        metavar="NAMES",
        help="T11 to L5, with commas (default: L1 to L5)",
    )
    parser.add_argument(
        "--pixels",
        type=int,
        default=224,
        metavar="N",
        help="of an image's side, a multiple of 8 (default: 224)",
    )
    parser.add_argument(
        "--layout", default="paper", help="paper (DRR, Mesh) or code (Renderings, PointCloud)"
    )
    parser.add_argument("--alone", action="store_true", help="each vertebra cut out, with nothing around it")
    parser.add_argument("--truth", action="store_true", help="also mask, depths and places of every view")
    parser.add_argument("--seed", type=int, default=0, help="the same seed gives the same data (default: 0)")


def run(options: argparse.Namespace) -> int:
    from mri2mesh.errors import InputError

    if options.kind != "revert":
        raise InputError(f"cannot make {options.kind[:40]!r}: what can be made is revert")

    from mri2mesh.datasets.synthetic_spines import SpineOrder, check_images, synthesise_spines

    levels = tuple(name.strip() for name in options.levels.split(",") if name.strip())
    check_images(options.layout, levels, options.pixels)
    if options.labels is None and options.ct is not None:
        raise InputError("--ct needs --labels: without them nothing says where the vertebrae are")
    if options.labels is not None:
        from mri2mesh.datasets.labelled_spines import LabelledOrder, synthesise_labelled

        if options.views < 1:
            raise InputError("--views must be one at least")
        synthesise_labelled(_chosen(options, LabelledOrder, levels))
        return 0
    synthesise_spines(_chosen(options, SpineOrder, levels))
    return 0


def _chosen(options: argparse.Namespace, kind: Any, levels: tuple[str, ...]) -> Any:
    given = {name: value for name, value in vars(options).items() if name in kind.__dataclass_fields__}
    return kind(**(given | {"levels": levels}))

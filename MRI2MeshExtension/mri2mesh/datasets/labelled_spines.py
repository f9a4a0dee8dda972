"""``mri2mesh synthesise revert --labels``: paired data from a CT with labels, or from labels alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from mri2mesh.atomic import check_writable
from mri2mesh.datasets.revert import Layout, write_revert
from mri2mesh.datasets.vertebra_id import VertebraId
from mri2mesh.errors import InputError
from mri2mesh.imaging.volumes.reading import read_volume
from mri2mesh.synthesis.films.develop import Appearance, develop
from mri2mesh.synthesis.films.lumbar.labelled import LabelledSpine, make_labelled_case
from mri2mesh.synthesis.films.lumbar.views import around
from mri2mesh.synthesis.films.views import View


@dataclass(frozen=True)
class LabelledOrder:
    """labels, ct: files. subject: the name in the data, no name of a patient. Else as `SpineOrder`; levels that are not
    labelled are left out."""

    out: Path
    labels: Path
    ct: Path | None = None
    subject: str = "subject"
    views: int = 24
    levels: tuple[str, ...] = ("L1", "L2", "L3", "L4", "L5")
    pixels: int = 224
    layout: Layout = "paper"
    alone: bool = False
    seed: int = 0


def synthesise_labelled(order: LabelledOrder, report: Callable[[str], None] = print) -> None:
    """Writes the layout of `datasets.revert`; vertebrae that the volume cuts are left out, and said to be.

    Raises InputError for files that are not what they should be, or where nothing is left.
    """
    check_writable(order.out)
    spine = LabelledSpine.of(read_volume(order.labels), None if order.ct is None else read_volume(order.ct))
    levels = [level for level in order.levels if level in spine.surfaces]
    cut = [level for level in levels if not spine.whole(level)]
    levels = [level for level in levels if level not in cut]
    if cut:
        report(f"left out, cut by the edge of the volume: {', '.join(cut)}")
    if not levels:
        raise InputError(f"none of {', '.join(order.levels)} is labelled and whole: choose other --levels")
    order.out.mkdir(parents=True, exist_ok=True)
    look = Appearance(metal=0.0)
    if order.alone:
        look = replace(look, plain=True, collimation=0.0)
    for row, level in enumerate(levels):
        rng, views = np.random.default_rng([order.seed, row]), []
        for number in range(order.views):
            geometry = around(spine.centre(level), number, order.views, rng, order.pixels)
            case = make_labelled_case(
                spine, level, View(geometry.camera(), False, "around"), rng, alone=order.alone
            )
            views.append((develop(case, rng, look), geometry))
        write_revert(
            order.out,
            VertebraId(order.subject, level),
            views,
            spine.surfaces[level],
            order.layout,
            order.seed,
        )
        report(f"{order.subject}: {level}")

"""``mri2mesh synthesise revert``: vertebrae of invented people, seen from all around, and films of their backs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from mri2mesh.anatomy.lumbar_region import BONES, VERTEBRAE
from mri2mesh.atomic import check_writable, whole_file
from mri2mesh.datasets.png import write_png
from mri2mesh.datasets.revert import LAYOUTS, Layout, camera_path, write_revert
from mri2mesh.datasets.vertebra_id import VertebraId
from mri2mesh.errors import InputError
from mri2mesh.export.surfaces import write_surface
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.imaging.radiographs.camera_file import write_camera
from mri2mesh.imaging.radiographs.xray_geometry import XrayGeometry
from mri2mesh.synthesis.films.case import TRUTH_GRID, FilmCase
from mri2mesh.synthesis.films.develop import Appearance, develop
from mri2mesh.synthesis.films.lumbar.case import make_lone_case, make_lumbar_case
from mri2mesh.synthesis.films.lumbar.hardware import lumbar_hardware
from mri2mesh.synthesis.films.lumbar.parts import trunk_parts
from mri2mesh.synthesis.films.lumbar.region import LumbarMaker, LumbarRegion
from mri2mesh.synthesis.films.lumbar.trunks import draw_trunks
from mri2mesh.synthesis.films.lumbar.views import around, draw_lumbar_geometry
from mri2mesh.synthesis.films.views import View

LUMBAR = VERTEBRAE[2:]
MESSAGES = Callable[[str], None]


@dataclass(frozen=True)
class SpineOrder:
    """people: how many. first: number of the first of them: a person depends on seed and number alone. views: around
    each vertebra. films: of the whole region, per person. pixels: of an image's side, a multiple of 8. alone: vertebrae
    cut out, as in the published DRRs, instead of in the body. truth: mask, depths and places of every image too."""

    out: Path
    people: int = 1
    first: int = 0
    views: int = 24
    films: int = 0
    levels: tuple[str, ...] = LUMBAR
    pixels: int = 224
    layout: Layout = "paper"
    alone: bool = False
    truth: bool = False
    seed: int = 0


def synthesise_spines(order: SpineOrder, report: MESSAGES = print) -> None:
    """Writes ``DRR`` and ``Mesh`` (or ``Renderings`` and ``PointCloud``) as `datasets.revert` describes, and ``Films``.

    Films/<subject>/NN.png, NN.camera.json, NN.truth.npz (see `write_truth`), <bone>.stl. A vertebra whose target is
    there is left as it is, so that a run which was stopped goes on. Raises InputError for what cannot be.
    """
    _check(order)
    order.out.mkdir(parents=True, exist_ok=True)
    for number in range(order.first, order.first + order.people):
        rng = np.random.default_rng([order.seed, number, 1])
        trunk = draw_trunks([number], order.seed)
        maker = LumbarMaker(trunk)
        region = maker.draw(rng, 0)
        subject = f"synthetic{order.seed:02d}{number:05d}"
        report(f"{subject}: {trunk.notes[0] or 'no finding'}")
        for row, level in enumerate(order.levels if order.views else ()):
            _vertebra(order, region, subject, level, np.random.default_rng([order.seed, number, 2, row]))
        if order.films:
            _films(order, region, subject, np.random.default_rng([order.seed, number, 3]))


def write_truth(case: FilmCase, path: Path, bones: tuple[str, ...] | None = None) -> None:
    """bones: names. mask: [L, h, w] bool. depth_mm: [L, 2, h, w] from the source along the beam, of the face nearest to
    it and the farthest, 0 outside. canonical_mm: [L, 2, 3, h, w], where on the mean bone that is. pixel: how many of
    the image's pixels, along a side, one of theirs covers."""
    rows = [case.bones.index(name) for name in bones or case.bones]
    with whole_file(path) as temporary:
        np.savez_compressed(
            temporary,
            bones=np.array([case.bones[row] for row in rows]),
            mask=case.truth.mask[rows],
            depth_mm=case.truth.depth[rows],
            canonical_mm=case.truth.canonical[rows].astype(np.float16),
            pixel=np.array(TRUTH_GRID),
        )


def bone_surface(region: LumbarRegion, name: str) -> Mesh:
    """One of `BONES`, RAS mm."""
    parts = trunk_parts()
    rows, number = parts.rows[name], BONES.index(name)
    return Mesh(region.vertices[rows], parts.faces[parts.label == number] - rows.start)


def check_images(layout: str, levels: tuple[str, ...], pixels: int) -> None:
    """Raises InputError for what no image can be made of."""
    if layout not in LAYOUTS:
        raise InputError(f"no layout {layout!r}: use one of {', '.join(LAYOUTS)}")
    if unknown := [level for level in levels if level not in VERTEBRAE]:
        raise InputError(
            f"no vertebra {unknown[0][:20]!r} in these films: choose from {', '.join(VERTEBRAE)}"
        )
    if not levels:
        raise InputError("no vertebra is asked for: give --levels, such as L1,L2")
    if pixels < 64 or pixels > 2048 or pixels % 8:
        raise InputError(f"images of {pixels} pixels: use a multiple of 8 from 64 to 2048")


def _check(order: SpineOrder) -> None:
    check_images(order.layout, order.levels, order.pixels)
    if order.people < 1 or order.views < 0 or order.films < 0 or order.first < 0:
        raise InputError("numbers of people, views and films must not be negative, and one person at least")
    if not order.views and not order.films:
        raise InputError("neither views nor films were asked for: give --views or --films")
    check_writable(order.out)


def _vertebra(
    order: SpineOrder, region: LumbarRegion, subject: str, level: str, rng: np.random.Generator
) -> None:
    name = VertebraId(subject, level)
    targets = (order.out / "Mesh" / f"{name}.stl", *order.out.glob(f"PointCloud/*/{name}.npy"))
    if any(target.is_file() for target in targets):
        return
    views: list[tuple[np.ndarray, XrayGeometry]] = []
    cases: list[FilmCase] = []
    vertices = region.vertices[trunk_parts().rows[level]].astype(np.float64)
    centre = (vertices.min(axis=0) + vertices.max(axis=0)) / 2
    for number in range(order.views):
        geometry = around(centre, number, order.views, rng, order.pixels)
        view = View(geometry.camera(), False, "around")
        lone = order.alone
        case = make_lone_case(region, level, view, rng) if lone else make_lumbar_case(region, view, rng)
        views.append((_developed(case, rng, order.alone), geometry))
        cases.append(case)
    if order.truth:
        folder = order.out / "Truth" / str(name)
        folder.mkdir(parents=True, exist_ok=True)
        for number, case in enumerate(cases):
            write_truth(case, folder / f"{number:02d}.truth.npz", (level,))
    write_revert(order.out, name, views, bone_surface(region, level), order.layout, order.seed)


def _films(order: SpineOrder, region: LumbarRegion, subject: str, rng: np.random.Generator) -> None:
    folder = order.out / "Films" / subject
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(order.films):
        path = folder / f"{number:02d}.png"
        geometry, view = draw_lumbar_geometry(region, rng, order.pixels)
        case = make_lumbar_case(region, view, rng)
        write_png(_developed(case, rng, False), path)
        with whole_file(camera_path(path)) as temporary:
            write_camera(temporary, geometry)
        write_truth(case, folder / f"{number:02d}.truth.npz")
    for name in BONES:
        write_surface(bone_surface(region, name), folder / f"{name}.stl")


def _developed(case: FilmCase, rng: np.random.Generator, alone: bool) -> np.ndarray:
    look = Appearance()
    if alone:
        look = replace(look, plain=True, collimation=0.0)
    return develop(case, rng, look, lumbar_hardware)

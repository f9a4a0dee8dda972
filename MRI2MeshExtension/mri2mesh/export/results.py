"""The result folder: surfaces, reports, pictures and, if wanted, label maps and a Slicer scene."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from mri2mesh.atomic import check_writable, move_contents, sibling_folder
from mri2mesh.errors import InputError
from mri2mesh.export.labelmaps import write_labelmaps
from mri2mesh.export.measure_files import write_measures_csv
from mri2mesh.export.measure_pictures import write_measures_on_slices
from mri2mesh.export.overlays import write_overlay
from mri2mesh.export.picture_files import pictures_in
from mri2mesh.export.pictures import write_contours, write_view_3d
from mri2mesh.export.pixel_maps import write_pixel_maps
from mri2mesh.export.report import make_report, write_report_json
from mri2mesh.export.report_html import write_report_html
from mri2mesh.export.report_input import Image
from mri2mesh.export.scene import SceneError, require_slicer_core, write_scene
from mri2mesh.export.structure_files import write_surfaces
from mri2mesh.export.surfaces import FORMATS
from mri2mesh.export.view_3d_data import view_3d_data
from mri2mesh.geometry.volume import Volume
from mri2mesh.reconstruction import Reconstruction


def check_request(out_dir: Path | str, formats: Sequence[str] = (), scene: bool = False) -> None:
    """Everything that can be found wrong before the work begins.

    Raises InputError for an unknown format, a scene without slicer-core, or an unwritable folder.
    """
    unknown = [name for name in formats if name not in FORMATS]
    if unknown:
        raise InputError(f"unknown surface format {unknown[0]!r}; use one of {', '.join(FORMATS)}")
    if scene:
        require_slicer_core()
    check_writable(Path(out_dir))


def write_results(
    reconstruction: Reconstruction,
    image: Image,
    out_dir: Path | str,
    formats: Sequence[str] = ("vtp",),
    labelmaps: bool = False,
    scene: bool = False,
    progress: Callable[[float], None] | None = None,
) -> list[Path]:
    """Write a reconstruction into a folder, made if need be; returns the paths of what was written.

    ``<structure>.vtp`` (always, with region, uncertainty_mm and support), other formats, ``report.json``,
    ``measures.csv``, ``report.html``, ``view_3d.png``; of a volume ``contours.png`` and, where lengths were measured,
    ``measures.png``, of radiographs ``overlay_1.png`` and so on; where an engine has maps of a radiograph,
    ``<structure>.maps.nrrd`` and ``maps.png``.
    Of a volume, with labelmaps ``vertebrae.nii.gz``, ``vertebral_bodies.nii.gz`` and ``discs.nii.gz``; with scene
    ``scene.mrb``.
    A folder that is new appears in one step. In one that exists, everything is made in a temporary folder and moved
    into place at the end: files of the same names are replaced, others are left alone, and a failure leaves the
    folder as it was.
    progress: called with the fraction done; what it raises ends the writing, as a failure does.
    A scene that MRML cannot write costs only the scene: the reports say so.
    Raises InputError as `check_request` does.
    """
    out_dir = Path(out_dir)
    check_request(out_dir, formats, scene)
    new = not out_dir.is_dir()
    out_dir.absolute().parent.mkdir(parents=True, exist_ok=True)
    wanted = _Wanted(tuple(dict.fromkeys(["vtp", *formats])), labelmaps, scene)
    with sibling_folder(out_dir if new else out_dir / "results") as hidden:
        made = (
            hidden / "results"
        )  # by mkdir, for the usual permissions: the hidden folder is the user's alone
        made.mkdir()
        _make(reconstruction, image, made, wanted, progress or (lambda fraction: None))
        names = sorted(path.name for path in made.iterdir())
        if new:
            os.replace(made, out_dir)
        else:
            move_contents(made, out_dir)
    return [out_dir / name for name in names]


@dataclass(frozen=True)
class _Wanted:
    """Besides the reports: surface formats, label maps, a scene."""

    formats: tuple[str, ...]
    labelmaps: bool
    scene: bool


def _make(
    reconstruction: Reconstruction,
    image: Image,
    folder: Path,
    wanted: _Wanted,
    progress: Callable[[float], None],
) -> None:
    progress(0.0)
    files = write_surfaces(reconstruction, folder, wanted.formats)
    progress(0.1)
    report = make_report(reconstruction, image, files)
    progress(0.3)
    if wanted.labelmaps and isinstance(image, Volume):
        write_labelmaps(reconstruction, image, folder)
    progress(0.4)
    if wanted.scene and isinstance(image, Volume):
        try:
            write_scene(reconstruction, image, folder / "scene.mrb", report=report)
        except SceneError as error:
            report["warnings"].append(str(error))
    progress(0.5)
    if reconstruction.maps is not None:
        write_pixel_maps(reconstruction.maps, folder)
    _draw_on_the_image(reconstruction, image, folder)
    if isinstance(image, Volume):
        write_measures_on_slices(reconstruction, image, report["measures"], folder / "measures.png")
    progress(0.75)
    write_view_3d(reconstruction, folder / "view_3d.png", scale_known=report["scale_known"])
    write_report_json(report, folder / "report.json")
    write_measures_csv(report["measures"], folder / "measures.csv")
    meshes = {item.name: item.mesh for item in reconstruction.structures}
    values = {item.name: (item.uncertainty_mm, item.support) for item in reconstruction.structures}
    view = view_3d_data(report, meshes, values)
    write_report_html(report, pictures_in(folder), folder / "report.html", view_3d=view)
    progress(1.0)


def _draw_on_the_image(reconstruction: Reconstruction, image: Image, folder: Path) -> None:
    """The surfaces on what they were made from."""
    if isinstance(image, Volume):
        write_contours(reconstruction, image, folder / "contours.png")
        return
    views = reconstruction.provenance.get("views") or [{}] * len(image)
    maps = reconstruction.maps
    for number, (radiograph, view) in enumerate(zip(image, views, strict=True), 1):
        # An engine that fits to the pixels, and so leaves masked ones out, says what it did with every view.
        write_overlay(
            reconstruction,
            radiograph,
            folder / f"overlay_{number}.png",
            view.get("surface_to_view"),
            masked=bool(view),
            # engines that make the surfaces of their maps agree with them, and show them apart
            seen=maps if maps is not None and view and maps.image == number - 1 else None,
        )

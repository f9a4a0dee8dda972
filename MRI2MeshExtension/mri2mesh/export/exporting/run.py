"""An export from beginning to end: everything is made in a hidden folder and moved into place when it is whole."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from mri2mesh.atomic import check_writable, move_contents, sibling_folder
from mri2mesh.errors import InputError
from mri2mesh.export.exporting.request import ExportRequest, ReportProgress, check_request
from mri2mesh.export.exporting.sidecar import write_sidecar
from mri2mesh.export.exporting.sources import NamedMesh, Source, load_source
from mri2mesh.export.formats.gltf import NamedSurface, write_gltf
from mri2mesh.export.surfaces import in_space, write_surface

GLTF_NAME = "structures.gltf"
"""glTF holds a whole scene: all structures go into one file."""


def export(request: ExportRequest, report_progress: ReportProgress | None = None) -> list[Path]:
    """Writes the files that are asked for, each with a sidecar ``<file>.json``; returns the paths of both.

    Surfaces: ``<structure>.<format>``; glTF in one file, `GLTF_NAME`. Files of the same names are replaced, all of them
    or none; where anything fails, the folder is as it was.
    Raises InputError for bad input, with one line that says what to do, before anything is written.
    """
    check_request(request)
    check_writable(request.folder)
    if request.volume_formats:
        from mri2mesh.export.finite_elements.meshers import check_installed

        check_installed(request.mesher, request.join)
    source = load_source(request)
    _spare_the_source(request, source)
    report = report_progress or (lambda stage, fraction: None)
    out = request.folder
    new = not out.is_dir()
    out.absolute().parent.mkdir(parents=True, exist_ok=True)
    with sibling_folder(out if new else out / "export") as hidden:
        made = hidden / "export"
        made.mkdir()
        _make(request, source, made, report)
        names = sorted(path.name for path in made.iterdir())
        if new:
            os.replace(made, out)
        else:
            move_contents(made, out)
    return [out / name for name in names]


def _make(request: ExportRequest, source: Source, folder: Path, report: ReportProgress) -> None:
    if not request.volume_formats and request.edge_length_mm is None:
        figures = {item.name: _own_triangles(item) for item in source.meshes}
        _write_surfaces(request, source, source.meshes, figures, folder)
        return
    from mri2mesh.export.exporting.volumes import prepare, write_volumes

    ready = prepare(request, source, report)
    write_volumes(
        request, source, ready, folder, report
    )  # first, for it makes the surfaces of discs that are joined
    items = [replace(item, mesh=ready[item.name].mesh) for item in source.meshes]
    figures = {name: surface.figures for name, surface in ready.items()}
    _write_surfaces(request, source, items, figures, folder)


def _write_surfaces(
    request: ExportRequest,
    source: Source,
    items: list[NamedMesh],
    figures: dict[str, dict[str, Any]],
    folder: Path,
) -> None:
    for format_name in request.surface_formats:
        if format_name == "gltf":
            path = folder / GLTF_NAME
            default = NamedSurface("", items[0].mesh).colour
            scene = [
                NamedSurface(
                    item.name,
                    in_space(item.mesh, request.space),
                    item.structure.colour if item.structure else default,
                )
                for item in items
            ]
            write_gltf(scene, path, request.space)
            write_sidecar(path, source, items, request.space, surfaces=figures)
            continue
        for item in items:
            path = write_surface(item.mesh, folder / f"{item.name}.{format_name}", request.space)
            write_sidecar(path, source, [item], request.space, surface=figures[item.name])


def _own_triangles(item: NamedMesh) -> dict[str, Any]:
    return {
        "vertices": len(item.mesh.vertices),
        "triangles": len(item.mesh.faces),
        "largest_displacement_mm": 0.0,
    }


def _spare_the_source(request: ExportRequest, source: Source) -> None:
    """Raises InputError where the export would replace what it is made from."""
    inputs = {request.source.resolve()} if request.source.is_file() else set()
    if request.source.is_dir():
        inputs = {(request.source / f"{item.name}.vtp").resolve() for item in source.meshes}
    outputs = {
        (request.folder / f"{item.name}.{ending}").resolve()
        for item in source.meshes
        for ending in request.surface_formats
    }
    if inputs & outputs:
        raise InputError(
            "the export would replace the surfaces it is made from: choose another folder with --out"
        )

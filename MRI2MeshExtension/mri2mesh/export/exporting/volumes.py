"""The part of an export that makes new triangles and tetrahedra."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np

from mri2mesh.errors import InputError
from mri2mesh.export.exporting.request import DEFAULT_EDGE_MM, ExportRequest, ReportProgress
from mri2mesh.export.exporting.sidecar import write_sidecar
from mri2mesh.export.exporting.sources import NamedMesh, Source
from mri2mesh.export.finite_elements.assembly import Assembly, alone
from mri2mesh.export.finite_elements.build import build_volume
from mri2mesh.export.finite_elements.displacement import SHARE_OF_EDGE, displacement
from mri2mesh.export.finite_elements.joining import join, seated_discs
from mri2mesh.export.finite_elements.materials import materials_of
from mri2mesh.export.finite_elements.surfaces import ReadySurface, check_closed, check_length, ready_surface
from mri2mesh.export.finite_elements.volume_mesh import VolumeMesh, set_name
from mri2mesh.export.formats.feb import write_feb
from mri2mesh.export.formats.inp import write_inp
from mri2mesh.export.formats.msh import write_msh
from mri2mesh.export.formats.vtu import write_vtu
from mri2mesh.geometry.connectivity import select_faces
from mri2mesh.geometry.mesh import Mesh


def prepare(request: ExportRequest, source: Source, report: ReportProgress) -> dict[str, ReadySurface]:
    """New triangles for every surface but discs that are joined to their vertebrae.

    Raises InputError as `ready_surface` does, as far as possible before the first takes its time.
    """
    length = request.edge_length_mm or DEFAULT_EDGE_MM
    for item in source.meshes:
        check_length(item.name, check_closed(item.name, item.mesh), length)
    seated = seated_discs(source.meshes) if request.join else {}
    ready = {}
    for number, item in enumerate(source.meshes):
        report(f"triangles of {item.name}", 0.5 * number / len(source.meshes))
        if item.name not in seated:
            ready[item.name] = ready_surface(
                item.name, item.mesh, length, request.by_curvature, request.max_displacement_mm
            )
    return ready


def write_volumes(
    request: ExportRequest,
    source: Source,
    ready: dict[str, ReadySurface],
    folder: Path,
    report: ReportProgress,
) -> None:
    """Tetrahedra of every structure, or of all together, in each of the formats wanted."""
    if not request.volume_formats:
        return
    length = request.edge_length_mm or DEFAULT_EDGE_MM
    groups = [source.meshes] if request.join else [[item] for item in source.meshes]
    for number, items in enumerate(groups):
        report(f"tetrahedra of {', '.join(item.name for item in items)}", 0.5 + 0.5 * number / len(groups))
        assembly = _assemble(request, items, ready)
        mesh, figures = build_volume(
            assembly, request.mesher, length, request.quadratic, request.cortex_mm > 0
        )
        check_displacement(request, items, mesh, ready, length)
        surfaces = {item.name: ready[item.name].figures for item in items}
        name = "_".join(set_name(item.name) for item in items) if request.join else items[0].name
        for ending in request.volume_formats:
            path = _write(
                request, mesh, {item.name: item.kind for item in items}, folder / f"{name}.{ending}"
            )
            write_sidecar(
                path,
                source,
                items,
                request.space,
                surfaces=surfaces,
                volume_mesh=figures,
                cortex_mm=request.cortex_mm,
            )


def check_displacement(
    request: ExportRequest,
    items: list[NamedMesh],
    mesh: VolumeMesh,
    ready: dict[str, ReadySurface],
    length_mm: float,
) -> None:
    """Measures how far the surface of the elements themselves lies from the one they were made from.

    The sidecar's ``displacement_of_elements`` says it. Raises InputError where that is more than allowed; of a disc
    that was seated, which has to move, it is only said.
    """
    limit = request.max_displacement_mm or SHARE_OF_EDGE * length_mm
    for item in items:
        final = Mesh(mesh.nodes.astype(np.float32), mesh.surfaces[f"{set_name(item.name)}_SURFACE"][:, :3])
        apart = displacement(item.mesh, select_faces(final, np.ones(len(final.faces), bool)))
        ready[item.name].figures["displacement_of_elements"] = asdict(apart)
        if apart.largest_mm > limit and not ready[item.name].figures.get("seated"):
            raise InputError(
                f"{item.name}: elements of {length_mm:g} mm would move its surface by up to {apart.largest_mm:.2f} mm, "
                f"more than the {limit:.2f} mm allowed: give a shorter edge length or a larger --max-displacement"
            )


def _assemble(request: ExportRequest, items: list[NamedMesh], ready: dict[str, ReadySurface]) -> Assembly:
    if len(items) == 1:
        item, surface = items[0], ready[items[0].name]
        return alone(item.name, item.kind, surface.mesh, surface.zones)
    return join(items, ready, request.edge_length_mm or DEFAULT_EDGE_MM)


def _write(request: ExportRequest, mesh: VolumeMesh, kinds: dict[str, str], path: Path) -> Path:
    placed = mesh.in_lps() if request.space == "LPS" else mesh
    materials = materials_of(mesh, kinds, request.region_materials)
    match path.suffix:
        case ".inp":
            write_inp(placed, path, request.space, materials, request.cortex_mm)
        case ".feb":
            write_feb(placed, path, request.space, materials, request.cortex_mm)
        case ".msh":
            write_msh(placed, path, request.space)
        case _:
            write_vtu(placed, path, request.space)
    return path

"""What is to be exported, checked before any work begins."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mri2mesh.errors import InputError
from mri2mesh.export.surfaces import FORMATS, SPACES, Space

SURFACE_FORMATS = (*FORMATS, "gltf")
VOLUME_FORMATS = ("inp", "feb", "vtu", "msh")
"""Tetrahedra: CalculiX and Abaqus, FEBio 4.0, VTK, Gmsh 4.1."""

Mesher = Literal["auto", "netgen", "tetwild", "gmsh", "tetgen"]
MESHERS: tuple[Mesher, ...] = ("auto", "netgen", "tetwild", "gmsh", "tetgen")
"""auto: netgen, and tetwild where netgen refuses. gmsh and tetgen are used where the user has installed them."""

MM_PER_UNIT = {"mm": 1.0, "cm": 10.0, "m": 1000.0}
DEFAULT_EDGE_MM = 1.5
"""Edge length of tetrahedra where none is chosen."""

ReportProgress = Callable[[str, float], None]
"""Called with what is being done and the fraction done; what it raises ends the export, and nothing is written."""


@dataclass(frozen=True)
class ExportRequest:
    """source: a result folder, a file of a surface, or one of points on a surface. out: folder, made if need be; by
    default where the source is.

    formats: of `SURFACE_FORMATS` and `VOLUME_FORMATS`. structures: names, empty for all. space: of the coordinates in
    the files. edge_length_mm: of new triangles; None keeps the surface's own, or is `DEFAULT_EDGE_MM` for tetrahedra.
    by_curvature: edges down to half that length where the surface bends. max_displacement_mm: of the surface by new
    triangles, by default 0.3 of the edge length. quadratic: ten nodes for each tetrahedron. join: all structures in one
    volume mesh, vertebrae and discs sharing the nodes between them. region_materials: a material for each part.
    cortex_mm: thickness of a shell on the surface of bones, 0 for none. unit: what the numbers in a surface file mean.
    """

    source: Path
    formats: tuple[str, ...]
    out: Path | None = None
    structures: tuple[str, ...] = ()
    space: Space = "LPS"
    edge_length_mm: float | None = None
    by_curvature: bool = False
    max_displacement_mm: float | None = None
    quadratic: bool = False
    join: bool = False
    mesher: Mesher = "auto"
    region_materials: bool = False
    cortex_mm: float = 0.0
    unit: str = "mm"

    @property
    def folder(self) -> Path:
        """Where the files go."""
        if self.out is not None:
            return self.out
        return self.source if self.source.is_dir() else self.source.parent

    @property
    def volume_formats(self) -> tuple[str, ...]:
        return tuple(name for name in dict.fromkeys(self.formats) if name in VOLUME_FORMATS)

    @property
    def surface_formats(self) -> tuple[str, ...]:
        return tuple(name for name in dict.fromkeys(self.formats) if name in SURFACE_FORMATS)


def check_request(request: ExportRequest) -> None:
    """Raises InputError for what can be found wrong without reading a surface."""
    known = (*SURFACE_FORMATS, *VOLUME_FORMATS)
    unknown = [name for name in request.formats if name not in known]
    if unknown or not request.formats:
        raise InputError(f"unknown format {(*unknown, '')[0]!r}; use one or more of {', '.join(known)}")
    if request.space not in SPACES:
        raise InputError(f"unknown space {request.space!r}; use LPS or RAS")
    if request.mesher not in MESHERS:
        raise InputError(f"unknown mesher {request.mesher!r}; use one of {', '.join(MESHERS)}")
    if request.unit not in MM_PER_UNIT:
        raise InputError(f"unknown unit {request.unit!r}; use one of {', '.join(MM_PER_UNIT)}")
    for name, value in (
        ("edge length", request.edge_length_mm),
        ("largest displacement", request.max_displacement_mm),
    ):
        if value is not None and not 0 < value < float("inf"):
            raise InputError(f"the {name} is {value:g} mm: give a number above 0")
    if not 0 <= request.cortex_mm < 10:
        raise InputError(f"a cortex of {request.cortex_mm:g} mm: give its thickness, 0 to 10 mm")
    if not request.source.exists():
        raise InputError(f"{request.source} does not exist: name a result folder or a surface file")
    if (request.join or request.quadratic) and not request.volume_formats:
        raise InputError(f"joining and quadratic elements need a format of {', '.join(VOLUME_FORMATS)}")

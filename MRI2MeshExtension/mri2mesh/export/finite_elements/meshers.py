"""Tetrahedra inside closed surfaces, by whichever mesher is asked for.

netgen-mesher (LGPL-2.1) and pytetwild (MPL-2.0) come with ``pip install "mri2mesh[finite-elements]"``. gmsh (GPL-2.0 or
later) and tetgen (AGPL-3.0) are used only where the user has installed them and asks for them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mri2mesh.errors import InputError
from mri2mesh.export.finite_elements.volume_mesh import signed_volumes

INSTALL = 'pip install "mri2mesh[finite-elements]"'


class MesherRefused(RuntimeError):
    """A mesher could not fill this surface; another one may."""


@dataclass(frozen=True)
class Boundary:
    """points: [V, 3] float64 mm. faces: [F, 3]. inside, outside: [F] domain numbers from 1, behind and before each
    face; 0 is nothing. Faces between two domains are there once."""

    points: NDArray[np.float64]
    faces: NDArray[np.int64]
    inside: NDArray[np.int64]
    outside: NDArray[np.int64]


@dataclass(frozen=True)
class Filled:
    """nodes: [N, 3] mm, the first of them the boundary's where keeps_surface. tetrahedra: [T, 4], positive volume.

    domains: [T] domain numbers from 1.
    """

    nodes: NDArray[np.float64]
    tetrahedra: NDArray[np.int64]
    domains: NDArray[np.int64]
    mesher: str
    keeps_surface: bool


def fill(boundary: Boundary, mesher: str, edge_length_mm: float) -> Filled:
    """Tetrahedra in every domain.

    mesher: as in `ExportRequest`; "auto" is netgen, and tetwild (one domain only) where that refuses.
    Raises InputError where a mesher is not installed, or none can fill the surface.
    """
    if mesher != "auto":
        order = (mesher,)
    else:
        order = ("netgen", "tetwild") if boundary.inside.max() == 1 else ("netgen",)
    reasons = []
    for name in order:
        try:
            filled = _MESHERS[name](boundary, edge_length_mm)
        except MesherRefused as refused:
            reasons.append(f"{name}: {refused}")
            continue
        except ModuleNotFoundError as error:
            reasons.append(f"{name} is not installed ({_HOW_TO_GET[name]})")
            if name == order[-1]:
                raise InputError("no tetrahedra: " + "; ".join(reasons)) from error
            continue
        return _positive(filled)
    raise InputError("no tetrahedra: " + "; ".join(reasons) + "; try another edge length or --mesher")


def _positive(filled: Filled) -> Filled:
    tetrahedra = filled.tetrahedra.copy()
    turned = signed_volumes(filled.nodes, tetrahedra) < 0
    tetrahedra[turned] = tetrahedra[turned][:, [0, 2, 1, 3]]
    return Filled(filled.nodes, tetrahedra, filled.domains, filled.mesher, filled.keeps_surface)


def _netgen(boundary: Boundary, edge_length_mm: float) -> Filled:
    from netgen import meshing

    mesh = meshing.Mesh(3)
    mesh.AddPoints(np.ascontiguousarray(boundary.points))
    sides = np.unique(np.stack([boundary.inside, boundary.outside], axis=1), axis=0)
    for number, (inside, outside) in enumerate(sides.tolist(), 1):
        mesh.Add(meshing.FaceDescriptor(surfnr=number, domin=inside, domout=outside, bc=number))
        chosen = (boundary.inside == inside) & (boundary.outside == outside)
        mesh.AddElements(
            dim=2,
            index=number,
            data=np.ascontiguousarray(boundary.faces[chosen], dtype=np.int32),
            base=0,
            project_geometry=False,
        )
    try:
        mesh.GenerateVolumeMesh(
            maxh=_COARSEST * edge_length_mm, optsteps3d=_OPTIMISATIONS, grading=_GRADING
        )
    except Exception as error:  # netgen raises its own, untyped
        raise MesherRefused(" ".join(str(error).split())[:120] or "it gave up") from error
    elements = mesh.Elements3D().NumPy()
    nodes = np.array(mesh.Coordinates(), np.float64)
    if not len(elements):
        raise MesherRefused("it made no elements")
    if not np.array_equal(nodes[: len(boundary.points)], boundary.points):
        raise MesherRefused("it moved the surface")
    tetrahedra = elements["nodes"][:, :4].astype(np.int64) - 1
    return Filled(nodes, tetrahedra, elements["index"].astype(np.int64), "netgen", True)


_COARSEST = 2.5
"""Inside, edges grow to this many times the surface's."""
_OPTIMISATIONS = 4
_GRADING = 0.25
"""How fast edges may grow inwards; netgen's own is 0.3."""


def _tetwild(boundary: Boundary, edge_length_mm: float) -> Filled:
    import pytetwild

    _one_domain(boundary, "tetwild")
    size = float(np.linalg.norm(np.ptp(boundary.points, axis=0)))
    nodes, tetrahedra = pytetwild.tetrahedralize(
        boundary.points,
        boundary.faces.astype(np.int32),
        edge_length_abs=float(edge_length_mm),
        epsilon=0.1 * edge_length_mm / size,
        simplify=False,
        num_threads=1,
        vtk_ordering=True,
    )
    if not len(tetrahedra):
        raise MesherRefused("it made no elements")
    ones = np.ones(len(tetrahedra), np.int64)
    return Filled(np.asarray(nodes, np.float64), np.asarray(tetrahedra, np.int64), ones, "tetwild", False)


def _tetgen(boundary: Boundary, edge_length_mm: float) -> Filled:
    import tetgen

    _one_domain(boundary, "tetgen")
    try:
        made: Any = tetgen.TetGen(boundary.points, boundary.faces.astype(np.int32)).tetrahedralize(
            switches="pYq1.4/10Q"
        )
    except RuntimeError as error:
        raise MesherRefused(" ".join(str(error).split())[:120]) from error
    nodes, tetrahedra = np.asarray(made[0], np.float64), np.asarray(made[1], np.int64)
    kept = np.array_equal(nodes[: len(boundary.points)], boundary.points)
    return Filled(nodes, tetrahedra[:, :4], np.ones(len(tetrahedra), np.int64), "tetgen", kept)


def _gmsh(boundary: Boundary, edge_length_mm: float) -> Filled:
    import gmsh

    _one_domain(boundary, "gmsh")
    gmsh.initialize()
    try:
        gmsh.option.setNumber("General.Terminal", 0)
        gmsh.option.setNumber("Mesh.MeshSizeMax", _COARSEST * edge_length_mm)
        gmsh.model.addDiscreteEntity(2, 1)
        tags = np.arange(1, len(boundary.points) + 1)
        gmsh.model.mesh.addNodes(2, 1, tags, boundary.points.ravel())
        faces = np.arange(1, len(boundary.faces) + 1)
        gmsh.model.mesh.addElements(2, 1, [2], [faces], [(boundary.faces + 1).ravel()])
        gmsh.model.geo.addVolume([gmsh.model.geo.addSurfaceLoop([1])])
        gmsh.model.geo.synchronize()
        gmsh.model.mesh.generate(3)
        node_tags, places, _ = gmsh.model.mesh.getNodes()
        corners = gmsh.model.mesh.getElementsByType(4)[1]
    except Exception as error:  # gmsh raises its own, untyped
        raise MesherRefused(" ".join(str(error).split())[:120]) from error
    finally:
        gmsh.finalize()
    order = np.argsort(node_tags)
    nodes = np.asarray(places, np.float64).reshape(-1, 3)[order]
    tetrahedra = np.searchsorted(np.asarray(node_tags)[order], np.asarray(corners).reshape(-1, 4))
    kept = np.allclose(nodes[: len(boundary.points)], boundary.points, atol=1e-9)
    return Filled(nodes, tetrahedra, np.ones(len(tetrahedra), np.int64), "gmsh", bool(kept))


def _one_domain(boundary: Boundary, mesher: str) -> None:
    if boundary.inside.max() > 1 or boundary.outside.max() > 0:
        raise MesherRefused(f"{mesher} is used for one structure at a time here; --join needs netgen")


_MESHERS: dict[str, Callable[[Boundary, float], Filled]] = {
    "netgen": _netgen,
    "tetwild": _tetwild,
    "tetgen": _tetgen,
    "gmsh": _gmsh,
}
_HOW_TO_GET = {
    "netgen": INSTALL,
    "tetwild": INSTALL,
    "tetgen": "pip install tetgen; its licence is AGPL-3.0",
    "gmsh": "pip install gmsh; its licence is GPL-2.0 or later",
}

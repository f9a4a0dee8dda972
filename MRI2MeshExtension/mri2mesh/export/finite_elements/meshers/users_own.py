"""gmsh (GPL-2.0 or later) and tetgen (AGPL-3.0): used only where the user has installed them and asks for them."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np

from mri2mesh.export.finite_elements.meshers.boundary import (
    COARSEST,
    Boundary,
    Filled,
    MesherRefused,
    one_domain,
)


def fill_with_tetgen(boundary: Boundary, edge_length_mm: float) -> Filled:
    tetgen: Any = import_module("tetgen")

    one_domain(boundary, "tetgen")
    try:
        made: Any = tetgen.TetGen(boundary.points, boundary.faces.astype(np.int32)).tetrahedralize(
            switches="pYq1.4/10Q"
        )
    except RuntimeError as error:
        raise MesherRefused(" ".join(str(error).split())[:120]) from error
    nodes, tetrahedra = np.asarray(made[0], np.float64), np.asarray(made[1], np.int64)
    kept = np.array_equal(nodes[: len(boundary.points)], boundary.points)
    return Filled(nodes, tetrahedra[:, :4], np.ones(len(tetrahedra), np.int64), "tetgen", kept)


def fill_with_gmsh(boundary: Boundary, edge_length_mm: float) -> Filled:
    gmsh: Any = import_module("gmsh")

    one_domain(boundary, "gmsh")
    try:
        gmsh.initialize()
    except Exception as error:  # without its library it is a module that knows nothing
        raise MesherRefused("it cannot be started, install it again") from error
    try:
        gmsh.option.setNumber("General.Terminal", 0)
        gmsh.option.setNumber("Mesh.MeshSizeMax", COARSEST * edge_length_mm)
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

"""netgen-mesher (LGPL-2.1): fills every domain at once and keeps the surface as it is given."""

from __future__ import annotations

import numpy as np

from mri2mesh.export.finite_elements.meshers.boundary import COARSEST, Boundary, Filled, MesherRefused

_OPTIMISATIONS = 4
_GRADING = 0.25
"""How fast edges may grow inwards; netgen's own is 0.3."""


def fill_with_netgen(boundary: Boundary, edge_length_mm: float) -> Filled:
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
        mesh.GenerateVolumeMesh(maxh=COARSEST * edge_length_mm, optsteps3d=_OPTIMISATIONS, grading=_GRADING)
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

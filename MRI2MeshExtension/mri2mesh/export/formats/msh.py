"""Gmsh 4.1, in text: each part a volume and each surface an area, with their names as physical groups."""

from __future__ import annotations

from pathlib import Path
from typing import TextIO

import numpy as np
from numpy.typing import NDArray

from mri2mesh.export.finite_elements.volume_mesh import VolumeMesh

_TYPES = {3: 2, 6: 9, 4: 4, 10: 11}
"""Gmsh's number of an element type, by its nodes."""
_GMSH_TET10 = [0, 1, 2, 3, 4, 5, 6, 7, 9, 8]
"""Gmsh numbers the last two edges of a tetrahedron the other way round."""


def write_msh(mesh: VolumeMesh, path: Path, space: str) -> None:
    """Nodes are written as they are; space says what they are in.

    An element belongs to one volume, its part. A triangle that is in two surfaces is written once for each.
    """
    surfaces = {f"S_{name}": triangles for name, triangles in mesh.surfaces.items()} | mesh.shells
    with path.open("w", encoding="ascii") as file:
        file.write("$MeshFormat\n4.1 0 8\n$EndMeshFormat\n")
        file.write(f"$Comments\nMRI2Mesh. SPACE={space} UNITS=mm\n$EndComments\n")
        names = [(2, tag, name) for tag, name in enumerate(surfaces, 1)]
        names += [(3, tag, name) for tag, name in enumerate(mesh.parts, 1)]
        file.write(f"$PhysicalNames\n{len(names)}\n")
        file.writelines(f'{dimension} {tag} "{name}"\n' for dimension, tag, name in names)
        file.write("$EndPhysicalNames\n")
        _entities(file, mesh, len(surfaces))
        _nodes(file, mesh)
        _elements(file, mesh, list(surfaces.values()))


def _entities(file: TextIO, mesh: VolumeMesh, areas: int) -> None:
    low, high = mesh.nodes.min(axis=0), mesh.nodes.max(axis=0)
    box = " ".join(f"{value:.9g}" for value in (*low, *high))
    file.write(f"$Entities\n0 0 {areas} {len(mesh.parts)}\n")
    for count in (areas, len(mesh.parts)):
        file.writelines(f"{tag} {box} 1 {tag} 0\n" for tag in range(1, count + 1))
    file.write("$EndEntities\n")


def _nodes(file: TextIO, mesh: VolumeMesh) -> None:
    count = len(mesh.nodes)
    file.write(f"$Nodes\n1 {count} 1 {count}\n3 1 0 {count}\n")
    file.writelines(f"{number}\n" for number in range(1, count + 1))
    file.writelines(f"{x:.9g} {y:.9g} {z:.9g}\n" for x, y, z in mesh.nodes.tolist())
    file.write("$EndNodes\n")


def _elements(file: TextIO, mesh: VolumeMesh, areas: list[NDArray]) -> None:
    tetrahedra = mesh.tetrahedra[:, _GMSH_TET10] if mesh.quadratic else mesh.tetrahedra
    blocks = [(2, tag, triangles) for tag, triangles in enumerate(areas, 1)]
    blocks += [(3, tag, tetrahedra[mesh.element_sets[part]]) for tag, part in enumerate(mesh.parts, 1)]
    total = sum(len(rows) for _, _, rows in blocks)
    file.write(f"$Elements\n{len(blocks)} {total} 1 {total}\n")
    number = 1
    for dimension, tag, rows in blocks:
        file.write(f"{dimension} {tag} {_TYPES[rows.shape[1]]} {len(rows)}\n")
        for row in (np.asarray(rows) + 1).tolist():
            file.write(f"{number} {' '.join(map(str, row))}\n")
            number += 1
    file.write("$EndElements\n")

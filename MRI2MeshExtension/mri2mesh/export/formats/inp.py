"""Abaqus and CalculiX input: nodes, elements, sets, surfaces, sections and materials; no step, for that is the user's.

Put it into a model with ``*INCLUDE, INPUT=L3.inp``. Millimetres, newtons, megapascals.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TextIO

import numpy as np
from numpy.typing import NDArray

from mri2mesh.export.finite_elements.materials import CORTEX, Material
from mri2mesh.export.finite_elements.volume_mesh import TET_FACES, VolumeMesh, set_name

_PER_LINE = 16


def write_inp(
    mesh: VolumeMesh, path: Path, space: str, materials: dict[str, Material], cortex_mm: float = 0.0
) -> None:
    """Nodes are written as they are; space says what they are in. materials: of each of the mesh's parts."""
    with path.open("w", encoding="ascii") as file:
        file.write(
            f"** MRI2Mesh. SPACE={space} UNITS=mm,N,MPa\n** Material constants are examples: replace them.\n"
        )
        file.write("*NODE, NSET=ALL_NODES\n")
        for number, (x, y, z) in enumerate(mesh.nodes.tolist(), 1):
            file.write(f"{number}, {x:.9g}, {y:.9g}, {z:.9g}\n")
        kind = "C3D10" if mesh.quadratic else "C3D4"
        for index, name in enumerate(mesh.names):
            chosen = np.nonzero(mesh.domains == index)[0]
            file.write(f"*ELEMENT, TYPE={kind}, ELSET={set_name(name)}\n")
            _rows(file, chosen + 1, mesh.tetrahedra[chosen] + 1)
        number = len(mesh.tetrahedra) + 1
        for name, triangles in mesh.shells.items():
            file.write(f"*ELEMENT, TYPE={'S6' if mesh.quadratic else 'S3'}, ELSET={name}\n")
            _rows(file, np.arange(number, number + len(triangles)), triangles + 1)
            number += len(triangles)
        for name, elements in mesh.element_sets.items():
            file.write(f"*ELSET, ELSET={name}\n")
            _list(file, elements + 1)
        for name, nodes in mesh.node_sets().items():
            file.write(f"*NSET, NSET=N_{name}\n")
            _list(file, nodes + 1)
        for name, triangles in mesh.surfaces.items():
            file.write(f"*SURFACE, NAME=S_{name}, TYPE=ELEMENT\n")
            for element, face in element_faces(mesh, triangles):
                file.write(f"{element + 1}, S{face + 1}\n")
        _sections(file, mesh, materials, cortex_mm)


def element_faces(mesh: VolumeMesh, triangles: NDArray) -> list[tuple[int, int]]:
    """(element, face 0 to 3) of each triangle: of the element that it is outward from.

    Raises ValueError for a triangle that is no face of the mesh.
    """
    corners = mesh.tetrahedra[:, TET_FACES].reshape(-1, 3)
    size = int(mesh.tetrahedra[:, :4].max()) + 1
    keys = _turn_free(corners, size)
    wanted = _turn_free(triangles[:, :3], size)
    order = np.argsort(keys, kind="stable")
    found = order[np.minimum(np.searchsorted(keys[order], wanted), len(keys) - 1)]
    if not np.array_equal(keys[found], wanted):
        raise ValueError("a triangle of a surface is no face of the mesh")
    return [(int(at) // 4, int(at) % 4) for at in found]


def _turn_free(triangles: NDArray, size: int) -> NDArray[np.int64]:
    """[S] one number for each triangle, the same whichever corner comes first, another for the reverse winding.

    Holds below two million nodes: 63 bits.
    """
    first = triangles.argmin(axis=1)
    turned = np.take_along_axis(triangles, (first[:, None] + np.arange(3)) % 3, 1).astype(np.int64)
    return (turned[:, 0] * size + turned[:, 1]) * size + turned[:, 2]


def _rows(file: TextIO, numbers: Iterable[int], rows: NDArray) -> None:
    for number, row in zip(numbers, rows.tolist(), strict=True):
        file.write(f"{number}, {', '.join(map(str, row))}\n")


def _list(file: TextIO, numbers: NDArray) -> None:
    values = numbers.tolist()
    for start in range(0, len(values), _PER_LINE):
        file.write(", ".join(map(str, values[start : start + _PER_LINE])) + ",\n")


def _sections(file: TextIO, mesh: VolumeMesh, materials: dict[str, Material], cortex_mm: float) -> None:
    used = {material.name: material for material in materials.values()}
    if mesh.shells:
        used[CORTEX.name] = CORTEX
    for material in used.values():
        file.write(
            f"*MATERIAL, NAME={material.name}\n*ELASTIC\n{material.young_mpa:g}, {material.poisson:g}\n"
        )
    for part, material in materials.items():
        file.write(f"*SOLID SECTION, ELSET={part}, MATERIAL={material.name}\n")
    for name in mesh.shells:
        # the shell lies inside the bone's surface, so what it adds does not make the bone thicker
        file.write(f"*SHELL SECTION, ELSET={name}, MATERIAL={CORTEX.name}, OFFSET=-0.5\n{cortex_mm:g}\n")

"""PLY with the arrays of each vertex as properties beside its coordinates, which VTK's writer leaves out."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mri2mesh.geometry.mesh import Mesh

_TYPES = {"f4": "float", "f8": "double", "i4": "int", "u1": "uchar", "i2": "short"}


def write_ply(mesh: Mesh, path: Path, comments: list[str]) -> None:
    """Binary little-endian PLY of the vertices as they are; arrays with one number per vertex become properties."""
    columns = [("x", "<f4"), ("y", "<f4"), ("z", "<f4")]
    values = {"x": mesh.vertices[:, 0], "y": mesh.vertices[:, 1], "z": mesh.vertices[:, 2]}
    for name, array in mesh.point_data.items():
        array = np.asarray(array)
        if array.ndim == 1 and name.isidentifier() and name not in values:
            values[name] = array
            columns.append((name, "<f4" if np.issubdtype(array.dtype, np.floating) else "<i4"))
    vertices = np.empty(len(mesh.vertices), dtype=columns)
    for name, _ in columns:
        vertices[name] = values[name]
    faces = np.empty(len(mesh.faces), dtype=[("count", "u1"), ("corners", "<i4", 3)])
    faces["count"], faces["corners"] = 3, mesh.faces
    header = ["ply", "format binary_little_endian 1.0", *(f"comment {line}" for line in comments)]
    header += [f"element vertex {len(vertices)}"]
    header += [f"property {_TYPES[kind[1:]]} {name}" for name, kind in columns]
    header += [f"element face {len(faces)}", "property list uchar int vertex_indices", "end_header"]
    with path.open("wb") as file:
        file.write(("\n".join(header) + "\n").encode("ascii"))
        file.write(vertices.tobytes())
        file.write(faces.tobytes())

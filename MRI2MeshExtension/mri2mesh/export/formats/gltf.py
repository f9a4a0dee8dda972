"""glTF 2.0 (Khronos): surfaces with names, colours and arrays in one file that browsers and slide shows open.

glTF is in metres with +y up. Vertices are kept in millimetres of patient space; the scene's root node turns and scales
them, so a viewer shows them upright and in their true size, and nothing is rounded.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mri2mesh.geometry.mesh import Mesh

_FLOAT, _UNSIGNED_INT = 5126, 5125
_VERTICES, _INDICES = 34962, 34963
_MM = 1e-3
_Y_UP = {
    "LPS": [_MM, 0, 0, 0, 0, 0, -_MM, 0, 0, _MM, 0, 0, 0, 0, 0, 1],
    "RAS": [-_MM, 0, 0, 0, 0, 0, _MM, 0, 0, _MM, 0, 0, 0, 0, 0, 1],
}
"""Column by column: the patient's left to +x, head to +y, front to +z, where glTF has it; a turn without mirroring."""


@dataclass(frozen=True)
class NamedSurface:
    """One surface of a scene. colour: RGB 0..1."""

    name: str
    mesh: Mesh
    colour: tuple[float, float, float] = (0.89, 0.85, 0.79)


def write_gltf(surfaces: Sequence[NamedSurface], path: Path, space: str) -> None:
    """A ``.gltf`` file with its data inside. Vertices are written as they are; space: "LPS" or "RAS", what they are in.

    Arrays with one number per vertex become attributes such as ``_UNCERTAINTY_MM``.
    """
    buffer = _Buffer()
    meshes, materials, nodes = [], [], []
    for index, surface in enumerate(surfaces):
        mesh = surface.mesh
        attributes = {
            "POSITION": buffer.add(mesh.vertices.astype("<f4"), _FLOAT, "VEC3", _VERTICES, limits=True)
        }
        for name, values in mesh.point_data.items():
            if np.asarray(values).ndim == 1:
                attributes[f"_{name.upper()}"] = buffer.add(
                    np.asarray(values).astype("<f4"), _FLOAT, "SCALAR", _VERTICES
                )
        faces = buffer.add(mesh.faces.astype("<u4").ravel(), _UNSIGNED_INT, "SCALAR", _INDICES)
        primitive = {"attributes": attributes, "indices": faces, "material": index}
        meshes.append({"name": surface.name, "primitives": [primitive]})
        shade = {"baseColorFactor": [*surface.colour, 1.0], "metallicFactor": 0.0, "roughnessFactor": 0.7}
        materials.append({"name": surface.name, "pbrMetallicRoughness": shade})
        nodes.append({"name": surface.name, "mesh": index})
    root = {"name": f"patient {space}", "matrix": _Y_UP[space], "children": list(range(len(nodes)))}
    data = base64.b64encode(bytes(buffer.data)).decode("ascii")
    document = {
        "asset": {
            "version": "2.0",
            "generator": "MRI2Mesh",
            "extras": {
                "SPACE": space,
                "UNITS": "mm",
                "note": "vertices; the root node converts to metres, +y up",
            },
        },
        "scene": 0,
        "scenes": [{"nodes": [len(nodes)]}],
        "nodes": [*nodes, root],
        "meshes": meshes,
        "materials": materials,
        "accessors": buffer.accessors,
        "bufferViews": buffer.views,
        "buffers": [{"byteLength": len(buffer.data), "uri": f"data:application/octet-stream;base64,{data}"}],
    }
    path.write_text(json.dumps(document), encoding="utf-8")


class _Buffer:
    """The binary part, and where in it each array lies."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.views: list[dict[str, Any]] = []
        self.accessors: list[dict[str, Any]] = []

    def add(self, values: NDArray, component: int, kind: str, target: int, limits: bool = False) -> int:
        """The number of the accessor of an array, appended."""
        content = values.tobytes()
        self.views.append(
            {"buffer": 0, "byteOffset": len(self.data), "byteLength": len(content), "target": target}
        )
        self.data += content
        accessor = {
            "bufferView": len(self.views) - 1,
            "componentType": component,
            "count": len(values),
            "type": kind,
        }
        if limits:
            accessor["min"] = [float(value) for value in values.min(axis=0)]
            accessor["max"] = [float(value) for value in values.max(axis=0)]
        self.accessors.append(accessor)
        return len(self.accessors) - 1

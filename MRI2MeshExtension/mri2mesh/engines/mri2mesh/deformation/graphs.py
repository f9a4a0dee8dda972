"""The two template graphs that crops are deformed with: a vertebra with the disc below it, and the body of S1."""

from __future__ import annotations

import numpy as np

from mri2mesh.anatomy.templates import template
from mri2mesh.engines.mri2mesh.networks.template_graph import TemplateGraph
from mri2mesh.geometry.mesh import Mesh


def _shifted(mesh: Mesh, z_mm: float) -> Mesh:
    return mesh.with_vertices(mesh.vertices + np.array([0, 0, z_mm], np.float32))


def build_graphs() -> dict[str, TemplateGraph]:
    """Graphs by name, in the frame of the vertebra that the crop is centred on.

    The disc template is set under the body so that the two just touch at their centres.
    """
    vertebra, disc, sacrum = template("vertebra"), template("disc"), template("sacrum")
    under_body = float(_axis_height(vertebra)[0] - _axis_height(disc)[1])
    return {
        "level": TemplateGraph.from_meshes({"vertebra": vertebra, "disc": _shifted(disc, under_body)}),
        "sacrum": TemplateGraph.from_meshes({"sacrum": sacrum}),
    }


def _axis_height(mesh: Mesh, radius_mm: float = 8.0) -> tuple[float, float]:
    """Lowest and highest z of the surface within a radius of the local z axis."""
    z = mesh.vertices[np.linalg.norm(mesh.vertices[:, :2], axis=1) < radius_mm, 2]
    return float(z.min()), float(z.max())

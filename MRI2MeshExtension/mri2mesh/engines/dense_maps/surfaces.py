"""From a completed bone to a structure of the result, its uncertainty along the beam and across it apart."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray

from mri2mesh.anatomy.shape_models.model import ShapeModel
from mri2mesh.anatomy.structures import STRUCTURES
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.repair import remove_self_intersections
from mri2mesh.geometry.xray_camera import XrayCamera
from mri2mesh.reconstruction import ReconstructedStructure
from mri2mesh.rendering.both_faces import render_both_faces
from mri2mesh.rendering.projective import ProjectiveCameras

UNCERTAINTY = (
    "standard deviation of a vertex's distance from its place on the bone: by how the pixels' depths scatter and how "
    "freely the shape models move where no pixel speaks, and by the shift of everything along the beam, which one film "
    "does not show; point data give it along the beam, across it, and without that shift"
)


def structure_of(
    name: str, surface: Mesh, spread_mm: NDArray, shift_sd_mm: float, support: NDArray[np.bool_]
) -> ReconstructedStructure:
    """spread_mm: [V] along each axis, without the shift along the beam that all bones share. support: [V] whether
    samples speak for the vertex."""
    mesh = remove_self_intersections(surface).with_point_data(
        uncertainty_along_beam_mm=np.hypot(spread_mm, shift_sd_mm).astype(np.float32),
        uncertainty_across_mm=spread_mm.astype(np.float32),
        uncertainty_without_shift_mm=(math.sqrt(3) * spread_mm).astype(np.float32),
    )
    total = np.sqrt(3 * spread_mm**2 + shift_sd_mm**2).astype(np.float32)
    return ReconstructedStructure(STRUCTURES[name], mesh, total, support.astype(np.float32))


def shadows(model: ShapeModel, vertices: NDArray, camera: XrayCamera) -> NDArray[np.bool_]:
    """[P, H, W] where the parts of a model with these vertices [V, 3] are on the camera's grid."""
    rendered = render_both_faces(
        torch.from_numpy(vertices.astype(np.float32))[None],
        torch.from_numpy(model.faces),
        torch.from_numpy(model.part),
        len(model.part_names),
        ProjectiveCameras.of([camera]),
    )
    return np.asarray(rendered.mask[0, 0].numpy())

"""What the engine has to beat: a mean shape put in place by the truth, the templates undeformed, a plain U-Net."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from mri2mesh.anatomy.structures import VERTEBRA_LEVELS, disc_name
from mri2mesh.anatomy.templates import TemplateKind
from mri2mesh.engines.mri2mesh.deformation.crops import TISSUES, network_crop
from mri2mesh.engines.mri2mesh.deformation.models import Models
from mri2mesh.engines.mri2mesh.localisation.spine import SpineFound
from mri2mesh.engines.mri2mesh.networks.baseline import LABELS
from mri2mesh.engines.mri2mesh.networks.template_graph import KINDS
from mri2mesh.evaluation.lumbar_mri.exams import Exam
from mri2mesh.evaluation.lumbar_mri.scores import comparable
from mri2mesh.geometry.checks import volume_mm3
from mri2mesh.geometry.isosurface import surface_from_field
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.volume import Volume
from mri2mesh.networks.unet import UNet3d


def mean_shape(exam: Exam, models: Models) -> dict[str, Mesh]:
    """The template at the true centre, turned along the line of the true centres, scaled to the true volume."""
    result = {}
    for name in exam.values:
        kind: TemplateKind = "sacrum" if name == "S1" else "vertebra" if name in VERTEBRA_LEVELS else "disc"
        template = models.templates[kind]
        shape = comparable(name, template, exam.bodies_only)
        shape = shape.with_vertices(shape.vertices - (shape.vertices.min(0) + shape.vertices.max(0)) / 2)
        scale = (volume_mm3(exam.surface(name)) / volume_mm3(shape)) ** (1 / 3)
        result[name] = shape.transformed(exam.frame(name) @ np.diag([scale, scale, scale, 1.0]))
    return result


def undeformed(
    spine: SpineFound, names: list[str | None], models: Models, bodies_only: bool = True
) -> dict[str, Mesh]:
    """The templates where the localiser put them, before the deformation network."""
    result = {}
    graph = models.graphs["level"]
    home = graph.vertices.cpu().numpy()
    for name, pose in zip(names, spine.frames, strict=True):
        if name is None:
            continue
        for called, kind, where in zip((name, disc_name(name)), KINDS, graph.slices, strict=False):
            mesh = models.templates[kind].with_vertices(home[where]).transformed(pose)  # type: ignore[index]
            result[called] = comparable(called, mesh, bodies_only)
    if spine.sacrum is not None:
        result["S1"] = models.templates["sacrum"].transformed(spine.sacrum)
    return result


def unet_surfaces(
    volume: Volume, spine: SpineFound, names: list[str | None], network: UNet3d, models: Models
) -> dict[str, Mesh]:
    """Voxel labels of the same crops by a U-Net trained on the same cases, then the isosurface at one half."""
    image = torch.from_numpy(np.ascontiguousarray(volume.array, dtype=np.float32))[None]
    tissues = (torch.from_numpy(spine.evidence.semantic[TISSUES]), spine.evidence.ijk_to_ras)
    grid = models.surfaces.grid
    result = {}
    for name, pose in zip(names, spine.frames, strict=True):
        if name is None:
            continue
        crop = network_crop((image, volume.ijk_to_ras), tissues, pose, grid)[None].to(models.device)
        with torch.inference_mode():
            probabilities = network(crop)[0].softmax(0).cpu().numpy()
        to_ras = pose @ grid.ijk_to_local
        for called, label in ((name, "body"), (disc_name(name), "disc")):
            mesh = _largest(probabilities[LABELS.index(label)], to_ras)
            if mesh is not None:
                result[called] = mesh
    return result


def _largest(probability: NDArray[np.float32], ijk_to_ras: NDArray[np.float64]) -> Mesh | None:
    from mri2mesh.geometry.connectivity import largest_component

    if probability.max() <= 0.5:
        return None
    return largest_component(surface_from_field(Volume(probability, ijk_to_ras), 0.5))

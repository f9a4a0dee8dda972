"""Surfaces of the levels found: crops deformed once to centre them, several times varied, and moved onto the edges.

The variations are what the scanner and the localiser could as well have given: the slices a fraction of a slice
further along, and the crop displaced and turned by a millimetre or two and a few degrees. The result is their mean,
their spread its uncertainty: how much the answer depends on what it should not depend on. It does not see errors
that all variations share. Last, another network reads the image along the normals of the mean, and moves it onto the
edges it finds there (`profiles`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation
from torch import Tensor

from mri2mesh.anatomy.regions import main_part
from mri2mesh.engines.mri2mesh.deformation.crops import TISSUES, network_crop
from mri2mesh.engines.mri2mesh.deformation.models import Models
from mri2mesh.engines.mri2mesh.deformation.profiles import read_edges
from mri2mesh.engines.mri2mesh.localisation.evidence import Evidence
from mri2mesh.engines.mri2mesh.networks.template_graph import TemplateGraph
from mri2mesh.geometry.sizing import sized_fit
from mri2mesh.geometry.transforms import apply
from mri2mesh.geometry.volume import Volume
from mri2mesh.networks.layout import fast_tensor

Placed = tuple[Tensor, NDArray[np.float64]]
"""Channels [C, K, J, I] and their ijk_to_ras."""

SLICE_SHIFTS = (0.0, 0.25, -0.25, 0.5)
"""Fractions of a slice by which the sampling is moved before the image is looked at."""


PARTS_OF_THE_WORK = 1 + len(SLICE_SHIFTS) + 1


@dataclass(frozen=True)
class PredictedSurface:
    """vertices: [V, 3] mm RAS. spread_mm: [V] root mean square distance of the variations from their mean."""

    vertices: NDArray[np.float32]
    spread_mm: NDArray[np.float32]


def predict_surfaces(
    volume: Volume,
    evidence: Evidence,
    frames: list[NDArray[np.float64]],
    graph_name: str,
    models: Models,
    report_progress: Callable[[float], None] = lambda done: None,
) -> list[dict[str, PredictedSurface]]:
    """For every frame (4x4 local to RAS) the surfaces of a graph's structures, by kind.

    report_progress: called with the fraction done after each pass; what it raises ends the work.
    """
    if not frames:
        return []
    image = torch.from_numpy(np.ascontiguousarray(volume.array, dtype=np.float32))
    tissues = (torch.from_numpy(evidence.semantic[TISSUES]), evidence.ijk_to_ras)
    graph = models.graphs[graph_name]
    first = _one_pass((image[None], volume.ijk_to_ras), tissues, frames, graph_name, models)
    report_progress(1 / PARTS_OF_THE_WORK)
    centred = [_recentred(frame, local, graph) for frame, local in zip(frames, first, strict=True)]

    passes = []
    rng = np.random.default_rng(0)
    for shift in SLICE_SHIFTS:
        moved = _slices_moved(image, volume, shift)
        varied = [_varied(frame, rng) for frame in centred] if shift else centred
        local = _one_pass(moved, tissues, varied, graph_name, models)
        passes.append([apply(f, x) for x, f in zip(local, varied, strict=True)])
        report_progress((1 + len(passes)) / PARTS_OF_THE_WORK)
    stack = np.stack(passes)  # [passes, frames, V, 3]
    mean = stack.mean(0)
    spread = np.sqrt(((stack - mean) ** 2).sum(-1).mean(0))
    found = read_edges(volume, mean, models.profiles, graph)
    report_progress(1.0)
    return [
        {
            kind: PredictedSurface(vertices[where], of_frame[where].astype(np.float32))
            for kind, where in zip(graph.names, graph.slices, strict=True)
        }
        for vertices, of_frame in zip(found, spread, strict=True)
    ]


def _one_pass(
    image: Placed, tissues: Placed, frames: list[NDArray], graph_name: str, models: Models
) -> NDArray:
    """One pass of the network: vertices [frames, V, 3] in the frames."""
    crops = [network_crop(image, tissues, frame, models.surfaces.grid) for frame in frames]
    batch = fast_tensor(torch.stack(crops).to(models.device))
    with torch.inference_mode():
        return models.surfaces(batch, models.graphs[graph_name])[-1].double().cpu().numpy()


def _recentred(frame: NDArray, vertices: NDArray, graph: TemplateGraph) -> NDArray[np.float64]:
    """The frame in which the body found lies as the template's does in its own: centred and turned as in training."""
    first = graph.slices[0]
    chosen = main_part(graph.region[first].cpu().numpy(), graph.names[0])
    home = graph.vertices[first].cpu().numpy()[chosen]
    return frame @ sized_fit(home.astype(np.float64), vertices[first][chosen])


def _varied(frame: NDArray, rng: np.random.Generator) -> NDArray[np.float64]:
    change = np.eye(4)
    change[:3, :3] = Rotation.from_rotvec(np.radians(rng.normal(0, 2.5, 3))).as_matrix()
    change[:3, 3] = rng.normal(0, 1.5, 3)
    return frame @ change


def _slices_moved(image: Tensor, volume: Volume, shift: float) -> Placed:
    """The image [1, K, J, I] sampled anew at slices moved by a fraction of a slice (linear between neighbours)."""
    if not shift:
        return image[None], volume.ijk_to_ras
    axis = volume.slice_axis
    along = 2 - axis
    size = image.shape[along]
    # Whole blocks are copied: gathering slice by slice takes seconds where slices are the innermost axis.
    if shift > 0:
        low, high = (
            image,
            torch.cat([image.narrow(along, 1, size - 1), image.narrow(along, size - 1, 1)], along),
        )
    else:
        low, high = torch.cat([image.narrow(along, 0, 1), image.narrow(along, 0, size - 1)], along), image
    weight = shift % 1.0
    moved = low * (1 - weight) + high * weight
    matrix = volume.ijk_to_ras.copy()
    matrix[:3, 3] += shift * matrix[:3, axis]
    return moved[None], matrix

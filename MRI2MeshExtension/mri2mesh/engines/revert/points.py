"""The network of points as published, beside the dense maps: what it sees in a crop, and surfaces of that."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from mri2mesh.anatomy.shape_models.fit import fit_shape
from mri2mesh.anatomy.shape_models.model import ShapeModel
from mri2mesh.engines.revert.crop import Crop, camera_numbers, decode
from mri2mesh.engines.revert.networks.points_net import PointsNet
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.weights import find, load_safetensors

NAME = "revert_points"
_ROUNDS, _FITTED = 30, 1200
_NOISE_MM = 2.0
"""How far points are off the surface that they are of, about."""


def load_points_net(weights_dir: Path | None = None) -> PointsNet:
    """In evaluation mode. weights_dir: what `mri2mesh train revert --what points` wrote; its weights are not among the
    shipped ones. Raises InputError where there are none."""
    entry = find(NAME, weights_dir)
    network = PointsNet(*(int(entry.metadata[name]) for name in ("width", "code", "points")))
    network.load_state_dict(load_safetensors(NAME, "cpu", weights_dir))
    return network.eval()


def points_in(network: PointsNet, crops: Sequence[Crop]) -> list[NDArray[np.float64]]:
    """[N, 3] RAS mm of each of the crops of one size; crops as the dense maps take them (`vertebra.crop_of`)."""
    with torch.inference_mode():
        found = network(
            torch.from_numpy(np.stack([crop.image for crop in crops]))[:, None],
            torch.from_numpy(np.stack([camera_numbers(crop) for crop in crops])),
        )
    return [
        decode(crop, found.shape[k].numpy(), found.centre[k].numpy(), float(found.depth[k]))
        for k, crop in enumerate(crops)
    ]


def model_on(points: NDArray, model: ShapeModel) -> Mesh:
    """The shape model of the level laid on points [N, 3] RAS mm: closed, with its regions; a surface of any other
    anatomy is made by `geometry.poisson.surface_from_points`."""
    return model.surface(
        fit_shape(model, points, noise_mm=_NOISE_MM, rounds=_ROUNDS, n_points=_FITTED).vertices.astype(
            np.float32
        )
    )

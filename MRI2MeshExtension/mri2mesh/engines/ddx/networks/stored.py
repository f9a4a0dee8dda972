"""The network's weights in a file: whole numbers of 8 bits, and beside them the mean bones its places are on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mri2mesh.anatomy.hip_region import BONES
from mri2mesh.engines.ddx.inputs import CAMERA_CHANNELS
from mri2mesh.engines.dense_maps.network import WIDTHS, DepthNet
from mri2mesh.engines.dense_maps.stored import from_bytes, in_bytes
from mri2mesh.weights import WeightsEntry, find, load_safetensors, save_weights

NAME = "ddx"
LICENCE = "CC BY-SA 4.0"
PLACES = "places_mm"


@dataclass(frozen=True)
class TrainedNetwork:
    """network: in evaluation mode. pixels: of a film's longer side, as it was trained with. places: [V, 3] mm, where on
    the mean bones each vertex of hips, sacrum, left and right femur is, in the joint shape model's order. left_out:
    subjects that took no part. loss: of `losses.DEPTH_LOSSES`, with which it learned depth."""

    network: DepthNet
    pixels: int
    places: NDArray[np.float64]
    left_out: tuple[str, ...]
    loss: str
    entry: WeightsEntry


def new_network(widths: tuple[int, ...] = WIDTHS) -> DepthNet:
    """Maps of hips, sacrum and femora."""
    return DepthNet(len(BONES), CAMERA_CHANNELS, widths)


def save_network(
    folder: Path, state: Mapping[str, Tensor], places: NDArray, metadata: Mapping[str, Any]
) -> None:
    """Writes ``ddx.safetensors`` and its line in the manifest. metadata: ``widths``, ``pixels``, ``left_out`` and what
    else is worth knowing."""
    save_weights(
        NAME,
        {**in_bytes(state), PLACES: torch.from_numpy(np.asarray(places, np.float32))},
        folder=folder,
        licence=LICENCE,
        origin="trained on synthetic films made from the anatomy in ModelWeights/README.md",
        engine="ddx",
        created_by="mri2mesh train ddx",
        metadata=metadata,
    )


def load_network(weights_dir: Path | None = None, device: str = "cpu") -> TrainedNetwork:
    """Raises InputError where there are none, or the file is not the manifest's."""
    entry = find(NAME, weights_dir)
    stored = load_safetensors(NAME, "cpu", weights_dir)
    places = stored.pop(PLACES).double().numpy()
    network = new_network(tuple(entry.metadata["widths"]))
    network.load_state_dict(from_bytes(stored))
    pixels, left_out = int(entry.metadata["pixels"]), tuple(entry.metadata["left_out"])
    return TrainedNetwork(
        network.to(device).eval(), pixels, places, left_out, str(entry.metadata["loss"]), entry
    )

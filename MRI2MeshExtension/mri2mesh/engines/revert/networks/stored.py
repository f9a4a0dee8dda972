"""The weights of both networks of dense maps in one file, and the mean vertebrae their places are on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mri2mesh.anatomy.lumbar_region import BONES
from mri2mesh.engines.dense_maps.network import WIDTHS, DepthNet
from mri2mesh.engines.dense_maps.stored import from_bytes, in_bytes
from mri2mesh.engines.revert.inputs import CAMERA_CHANNELS, FILM_CHANNELS
from mri2mesh.engines.revert.key_points import NUMBERS
from mri2mesh.weights import WeightsEntry, find, load_safetensors, save_weights

NAME = "revert"
LICENCE = "CC BY-SA 4.0"
FILM_PIXELS, CROP_PIXELS = 160, 96
"""Longer side of a whole film, and side of a crop, by default."""
_FILM_WIDTHS = (16, 32, 64, 96, 128)
_FILM, _CROP, _PLACES = "film.", "crop.", "places_mm"


def film_network(widths: tuple[int, ...] = _FILM_WIDTHS) -> DepthNet:
    """Maps of every one of `BONES` over a whole film."""
    return DepthNet(len(BONES), FILM_CHANNELS, widths)


def crop_network(widths: tuple[int, ...] = WIDTHS) -> DepthNet:
    """Maps of the vertebra in the middle of a crop, and its `key_points`."""
    return DepthNet(1, CAMERA_CHANNELS, widths, NUMBERS)


@dataclass(frozen=True)
class TrainedNetworks:
    """film, crop: in evaluation mode. film_pixels, crop_pixels: of their sides, as they were trained with. places:
    level -> [V, 3] mm, where on the mean vertebra each vertex is, in the topology of the vertebra family. left_out:
    subjects that took no part."""

    film: DepthNet
    crop: DepthNet
    film_pixels: int
    crop_pixels: int
    places: dict[str, NDArray[np.float64]]
    left_out: tuple[str, ...]
    entry: WeightsEntry


def save_networks(
    folder: Path,
    film: Mapping[str, Tensor],
    crop: Mapping[str, Tensor],
    places: Mapping[str, NDArray],
    metadata: Mapping[str, Any],
) -> None:
    """Writes ``revert.safetensors`` and its line in the manifest. metadata: ``film_widths``, ``crop_widths``,
    ``film_pixels``, ``crop_pixels``, ``left_out`` and what else is worth knowing."""
    state = {_FILM + name: value for name, value in in_bytes(film).items()}
    state |= {_CROP + name: value for name, value in in_bytes(crop).items()}
    state |= {
        f"{_PLACES}.{bone}": torch.from_numpy(np.asarray(at, np.float32)) for bone, at in places.items()
    }
    save_weights(
        NAME,
        state,
        folder=folder,
        licence=LICENCE,
        origin="trained on synthetic films made from the anatomy in ModelWeights/README.md",
        engine="revert",
        created_by="mri2mesh train revert",
        metadata=metadata,
    )


def load_networks(weights_dir: Path | None = None, device: str = "cpu") -> TrainedNetworks:
    """Raises InputError where there are none, or the file is not the manifest's."""
    entry = find(NAME, weights_dir)
    stored = load_safetensors(NAME, "cpu", weights_dir)
    film = film_network(tuple(entry.metadata["film_widths"]))
    crop = crop_network(tuple(entry.metadata["crop_widths"]))
    for prefix, network in ((_FILM, film), (_CROP, crop)):
        network.load_state_dict(from_bytes(_part(stored, prefix)))
        network.to(device).eval()
    places = {name: value.double().numpy() for name, value in _part(stored, _PLACES + ".").items()}
    sides = int(entry.metadata["film_pixels"]), int(entry.metadata["crop_pixels"])
    return TrainedNetworks(film, crop, *sides, places, tuple(entry.metadata["left_out"]), entry)


def _part(stored: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in stored.items() if name.startswith(prefix)}

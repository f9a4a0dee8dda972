"""Networks that see perfectly: they render the true spine through the camera that their channels tell of.

What the engine makes of perfect maps has to be the truth; what is left to the trained networks is to see.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from mri2mesh.anatomy.lumbar_region import BONES, VERTEBRAE
from mri2mesh.engines.dense_maps.network import CANONICAL_MM, Maps
from mri2mesh.engines.revert.networks.stored import TrainedNetworks
from mri2mesh.geometry.xray_camera import XrayCamera
from mri2mesh.synthesis.films.case import FilmTruth, surface_truth
from mri2mesh.synthesis.films.lumbar.parts import trunk_parts
from mri2mesh.synthesis.films.lumbar.region import LumbarRegion
from mri2mesh.weights_manifest import WeightsEntry


def camera_of(channels: np.ndarray, source: np.ndarray) -> XrayCamera:
    """The camera of `engines.revert.inputs.camera_channels` [C, H, W], but for what it does not change: its detector
    is put at a metre."""
    tangent, beam, columns = channels[:2] / 4, channels[5:8, 0, 0], channels[8:11, 0, 0]
    rows = np.cross(beam, columns)
    rows *= -np.sign(rows[2])  # hung head up
    per_column, per_row = tangent[0, 0, 1] - tangent[0, 0, 0], tangent[1, 1, 0] - tangent[1, 0, 0]
    return XrayCamera(
        source,
        np.stack([columns, rows, beam]).astype(np.float64),
        1000.0,
        (float(per_row * 1000), float(per_column * 1000)),
        (float(-tangent[0, 0, 0] / per_column), float(-tangent[1, 0, 0] / per_row)),
        (channels.shape[1], channels.shape[2]),
    )


class PerfectFilm(nn.Module):
    """shown: which of `BONES` are in the film. moved: by how many levels all names are wrong."""

    def __init__(
        self, region: LumbarRegion, source: np.ndarray, shown: tuple[str, ...] = BONES, moved: int = 0
    ) -> None:
        super().__init__()
        self.region, self.source, self.shown, self.moved = region, source, shown, moved
        self.anything = nn.Parameter(torch.zeros(1))

    def forward(self, film: Tensor, channels: Tensor) -> Maps:
        parts, given = trunk_parts(), channels[0].numpy()
        truth = surface_truth(
            self.region.vertices[: parts.bone_vertices], parts.faces, parts.label, parts.canonical, len(BONES),
            camera_of(given, self.source),
        )  # fmt: skip
        hidden = [k for k, name in enumerate(BONES) if name not in self.shown]
        truth.mask[hidden] = False
        order = list(np.roll(np.arange(len(VERTEBRAE)), self.moved)) + [len(VERTEBRAE)]
        return _maps([FilmTruth(truth.mask[order], truth.depth[order], truth.canonical[order])], channels)


class PerfectCrop(nn.Module):
    """Of the vertebra whose body is nearest to the middle of the crop."""

    def __init__(self, region: LumbarRegion, source: np.ndarray) -> None:
        super().__init__()
        self.region, self.source = region, source
        self.anything = nn.Parameter(torch.zeros(1))

    def forward(self, film: Tensor, channels: Tensor) -> Maps:
        parts, found = trunk_parts(), []
        for given in channels.numpy():
            camera = camera_of(given, self.source)
            ray = self.region.anchors[:, 0] - self.source
            row = int((ray @ camera.axes_ras[2] / np.linalg.norm(ray, axis=1)).argmax())
            rows = parts.rows[VERTEBRAE[row]]
            label = np.zeros(len(parts.vertebra_faces), np.int64)
            found.append(
                surface_truth(
                    self.region.vertices[rows], parts.vertebra_faces, label, parts.canonical[rows], 1, camera
                )
            )
        return _maps(found, channels)


class BySide(nn.Module):
    """Of several views, each with a network of its own, the one whose beam the channels tell of. cameras: of the
    views."""

    def __init__(self, networks: list[nn.Module], cameras: list[XrayCamera]) -> None:
        super().__init__()
        self.networks = nn.ModuleList(networks)
        self.beams = np.stack([camera.axes_ras[2] for camera in cameras])

    def forward(self, film: Tensor, channels: Tensor) -> Maps:
        beam = channels[0, 5:8, 0, 0].numpy()
        return self.networks[int((self.beams @ beam).argmax())](film, channels)  # type: ignore[no-any-return]


def perfect_networks(film: nn.Module, crop: nn.Module) -> TrainedNetworks:
    """As they are loaded."""
    parts = trunk_parts()
    places = {level: parts.canonical[parts.rows[level]].astype(np.float64) for level in VERTEBRAE}
    entry = WeightsEntry("revert", "none", "0" * 64, "none", "perfect", "revert", "a test", {}, Path("none"))
    return TrainedNetworks(film, crop, 128, 96, places, (), entry)  # type: ignore[arg-type]


def _maps(found: list[FilmTruth], channels: Tensor) -> Maps:
    mask = torch.from_numpy(np.stack([one.mask for one in found]))
    depth = torch.from_numpy(np.stack([one.depth for one in found])).clamp_min(1.0)
    reference = 1000.0 * torch.exp(channels[:, 3, :1, :1] / 3)[:, None, None]
    canonical = torch.from_numpy(np.stack([one.canonical for one in found])) / CANONICAL_MM
    return Maps(mask.float() * 24 - 12, torch.log(depth / reference), canonical)

"""What the network sees in a film, in millimetres, on a camera's own grid."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from mri2mesh.engines.dense_maps.film import NetworkFilm
from mri2mesh.engines.dense_maps.network import CANONICAL_MM, GRID, DepthNet
from mri2mesh.engines.dense_maps.points import SurfacePoints, surface_points
from mri2mesh.geometry.xray_camera import XrayCamera

SURE = 0.5
"""Presence from which a pixel counts as the bone's."""


@dataclass(frozen=True)
class BoneMaps:
    """Of every one of L bones. presence: [L, H, W], 0 to 1. depth_mm: [L, 2, H, W] along the beam from the source,
    nearest and farthest face. places_mm: [L, 2, 3, H, W], where on the mean bone. camera: of H x W. shown: [H, W]
    where the film is, not its padding; None for everywhere.
    """

    presence: NDArray[np.float32]
    depth_mm: NDArray[np.float32]
    places_mm: NDArray[np.float32]
    camera: XrayCamera
    shown: NDArray[np.bool_] | None = None

    def samples(self, *bones: int) -> SurfacePoints:
        """The surface points of some bones together."""
        parts = [
            surface_points(self.camera, self.presence[k], self.depth_mm[k], self.places_mm[k], least=SURE)
            for k in bones
        ]
        names = SurfacePoints.__dataclass_fields__
        return SurfacePoints(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))

    def first_surface(self) -> BoneMaps:
        """Of a network that learned single depth: what lies nearest to the source is all that it knows, and whose
        surface that is where one bone alone is seen. Its depth is that of the first bone's nearest face."""
        seen = self.presence > SURE
        alone = seen & (seen.sum(axis=0) == 1)
        depth = np.full_like(self.depth_mm, np.nan)
        depth[:, 0] = np.where(alone, self.depth_mm[0, 0], np.nan)
        return replace(self, depth_mm=depth)

    @property
    def certainty(self) -> float:
        """How decided the network is where it sees bone: mean presence above one half, 0 to 1; 0 where it sees none."""
        return self.certainty_of(*range(len(self.presence)))

    def certainty_of(self, *bones: int) -> float:
        """As `certainty`, of some bones together."""
        own = self.presence[list(bones)]
        seen = own[own > SURE]
        return float(2 * seen.mean() - 1) if seen.size else 0.0


def bone_seen(presence: NDArray) -> float:
    """Pixels of bone [...], each as far as it is sure."""
    return float((2 * presence[presence > SURE] - 1).sum())


def maps_of(network: DepthNet, film: NetworkFilm, channels: NDArray, reference_mm: float) -> BoneMaps:
    """channels: [C, H, W] what the network is given besides the film, on its half grid. reference_mm: the depth that
    the network's depths are relative to. What pads the film shows no bone."""
    on = next(network.parameters()).device
    with torch.inference_mode():
        found = network(
            torch.from_numpy(film.film)[None, None].to(on),
            torch.from_numpy(channels)[None].to(on),
        )
    shown = film.shown[::GRID, ::GRID]
    presence = torch.sigmoid(found.mask[0]).cpu().numpy() * shown
    depth = (found.log_depth[0].exp() * reference_mm).cpu().numpy()
    places = found.canonical[0].cpu().numpy() * CANONICAL_MM
    return BoneMaps(presence, depth, places, film.camera.coarser(GRID), shown)

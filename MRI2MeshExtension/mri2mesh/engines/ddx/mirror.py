"""The network asked twice, of a film and of its mirror image: the mean of both errs less than either.

A person mirrored left to right is a person too, and the film of one is the mirror image of the other's: with left and
right bones exchanged both answers are of the same film. Training films hold every subject mirrored as well.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from mri2mesh.anatomy.hip_region import BONES
from mri2mesh.engines.ddx.inputs import mirrored_channels
from mri2mesh.engines.dense_maps.film import NetworkFilm
from mri2mesh.engines.dense_maps.maps import BoneMaps, maps_of
from mri2mesh.engines.dense_maps.network import DepthNet

_OTHER_SIDE = {"left": "right", "right": "left"}


def _opposite(name: str) -> str:
    bone, _, side = name.rpartition("_")
    return f"{bone}_{_OTHER_SIDE[side]}" if side in _OTHER_SIDE else name


_OPPOSITE = [BONES.index(_opposite(name)) for name in BONES]


def maps_of_both(network: DepthNet, film: NetworkFilm, channels: NDArray, reference_mm: float) -> BoneMaps:
    """As `maps_of`, of the bones of the hip region: the mean of what the network says of the film and of its mirror
    image."""
    turned = replace(
        film,
        film=np.ascontiguousarray(film.film[:, ::-1]),
        shown=np.ascontiguousarray(film.shown[:, ::-1]),
    )
    straight = maps_of(network, film, channels, reference_mm)
    other = mirrored_maps(maps_of(network, turned, mirrored_channels(channels), reference_mm))
    presence = _mean(straight.presence, other.presence)
    if straight.shown is not None:  # of the mirror image the border may lie half a pixel farther out
        presence = presence * straight.shown
    return replace(
        straight,
        presence=presence,
        depth_mm=_mean(straight.depth_mm, other.depth_mm),
        places_mm=_mean(straight.places_mm, other.places_mm),
    )


def mirrored_maps(maps: BoneMaps) -> BoneMaps:
    """Maps of the mirrored person: columns in the other order, left bones for right ones, places on the other side of
    the mean bones. The camera stays that of the film."""
    places = maps.places_mm[_OPPOSITE][..., ::-1].copy()
    places[:, :, 0] *= -1
    return replace(
        maps,
        presence=maps.presence[_OPPOSITE][..., ::-1],
        depth_mm=maps.depth_mm[_OPPOSITE][..., ::-1],
        places_mm=places,
        shown=None if maps.shown is None else maps.shown[:, ::-1],
    )


def _mean(one: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray((one + other) / 2, dtype=np.float32)

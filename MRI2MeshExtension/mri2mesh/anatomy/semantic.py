"""The tissues that a localiser distinguishes and synthetic cases are labelled with."""

from __future__ import annotations

from enum import IntEnum


class Semantic(IntEnum):
    """What a voxel is; the localiser's first channels are logits in this order."""

    BACKGROUND = 0
    BODY = 1
    DISC = 2
    SACRUM = 3
    POSTERIOR = 4
    CANAL = 5

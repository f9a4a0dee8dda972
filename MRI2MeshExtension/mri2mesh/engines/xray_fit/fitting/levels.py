"""From coarse to fine: at what resolutions a fit looks at its images, for how long, and with what freedom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mri2mesh.engines.xray_fit.fitting.image_term import Observation
from mri2mesh.engines.xray_fit.fitting.poses import seen_from_aside


@dataclass(frozen=True)
class Level:
    """pixels: of the longer image side. iterations: at most. modes: how many of the model's own may move. keep:
    different candidates that go on. coarse_mm, spongy: as in `ImageSettings`. reflect: look at the reflected tilt of
    every candidate as well. tempered: images weigh less, so that a shape far from its place is not bent to fit.
    local: whether the local modes may move too, with all others. gradients: compare gradients, where the settings allow
    it and pixels show them. faces: at most about so many of the surface's are rendered; 0 for all."""

    pixels: int
    iterations: int
    modes: int
    keep: int
    coarse_mm: float
    spongy: float = 1.0
    reflect: bool = False
    tempered: bool = False
    local: bool = False
    gradients: bool = False
    faces: int = 0


ONE_SIDE = (
    Level(64, 8, 4, 3, 25.0, tempered=True),
    Level(64, 10, 1000, 3, 25.0, reflect=True, tempered=True),
    Level(128, 8, 1000, 2, 20.0, tempered=True),
    Level(128, 10, 1000, 2, 15.0, spongy=0.3),
    Level(256, 6, 1000, 1, 10.0, spongy=0.3, local=True),
)
"""Bones are solid at first: their rims are bright enough to catch the wrong one from afar. Most starts end alike, and
one candidate is left before the last level; where two are left, both are wanted to the end."""

SEVERAL_SIDES = (
    Level(64, 8, 4, 3, 25.0),
    Level(64, 10, 1000, 3, 25.0),
    Level(128, 8, 1000, 2, 20.0),
    Level(128, 10, 1000, 2, 15.0, spongy=0.3),
    Level(256, 14, 1000, 1, 10.0, spongy=0.3, local=True),
)
"""Views from several sides hold the bone's place, so images may weigh fully from the start; its shape then takes more
steps to settle in all of them."""


PLACE_KNOWN = (
    Level(128, 10, 20, 2, 20.0, spongy=0.3, reflect=True, gradients=True, faces=6000),
    Level(128, 4, 1000, 1, 12.0, spongy=0.3, local=True, gradients=True),
    Level(256, 4, 1000, 1, 10.0, spongy=0.3, local=True, gradients=True),
)
"""Where a bone's place among the others is known to some millimetres: gradients, which lead home from no farther, are
compared from the start. A step at the last level takes as long as four of those before it, so most are made there."""


def levels_for(views: Sequence[Observation]) -> tuple[Level, ...]:
    return SEVERAL_SIDES if seen_from_aside(views) else ONE_SIDE

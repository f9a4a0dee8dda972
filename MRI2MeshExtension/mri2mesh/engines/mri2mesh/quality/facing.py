"""Does the spine face the way the file says? An image whose front and back are exchanged fails here.

The localiser sees less of the spinal canal when it is given the image the wrong way round: in a wrongly turned image it
still puts some where it has learned that the canal lies, and then only this comparison shows it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import nn

from mri2mesh.anatomy.semantic import Semantic
from mri2mesh.engines.mri2mesh.localisation.evidence import Evidence, locate_tissues
from mri2mesh.geometry.volume import Volume
from mri2mesh.reconstruction import Check

FRONT_TO_BACK = np.diag([1.0, -1.0, 1.0, 1.0])
"""Exchanges front and back in RAS."""
MIN_RATIO = 1.0
"""Least amount of canal seen in the image as it is, over the amount seen with front and back exchanged."""
CANAL_BEHIND_MM = 25.0
"""How far behind the back wall of the bodies the canal ends. An image that ends before that need not show it."""
BEYOND_WALL = 0.1
"""Fraction of the bodies' voxels that may lie beyond what is taken for their front or back wall."""


def facing_checks(
    volume: Volume, evidence: Evidence, network: nn.Module, device: torch.device | str
) -> list[Check]:
    """Compares the canal that the localiser sees with what it sees in the image turned front to back.

    Nothing is said of an image that ends so close behind the bodies, or in front of them, that a canal there would not
    be in it.
    """
    if _room_mm(evidence) < CANAL_BEHIND_MM:
        return []
    turned = replace(volume, ijk_to_ras=FRONT_TO_BACK @ volume.ijk_to_ras)
    seen = _canal(evidence)
    # Once is enough to compare with, and costs half.
    seen_turned = _canal(locate_tissues(turned, network, device, mirrored=False))
    ratio = seen / max(seen_turned, 1e-6)
    passed = ratio >= MIN_RATIO
    detail = (
        "the spinal canal is seen where the file says that the patient's back is"
        if passed
        else "the spinal canal is seen better with front and back exchanged: the file's orientation is probably wrong"
        " and the arches lie in front of the bodies; export the image again with its orientation"
    )
    return [Check("orientation of the image", ratio, MIN_RATIO, passed, detail)]


def _canal(evidence: Evidence) -> float:
    """Number of voxels that are canal, each counted by its probability."""
    return float(evidence.semantic[Semantic.CANAL].sum(dtype=np.float64))


def _room_mm(evidence: Evidence) -> float:
    """From the bodies' front and back walls to the ends of the image, the lesser; 0 where no body is seen."""
    bodies = np.argwhere(evidence.semantic[Semantic.BODY] > 0.5)
    if not len(bodies):
        return 0.0
    back, front = np.quantile(evidence.ras_from_kji(bodies)[:, 1], [BEYOND_WALL, 1 - BEYOND_WALL])
    image = evidence.ras_from_kji(np.argwhere(evidence.inside))[:, 1]
    return float(min(back - image.min(), image.max() - front))

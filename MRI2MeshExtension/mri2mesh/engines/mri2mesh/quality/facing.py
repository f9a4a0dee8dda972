"""Does the spine face the way the file says? An image whose front and back are exchanged fails here.

The canal and the arches that the localiser sees are fewer when it is given the image the wrong way round: in a wrongly
turned image it still puts some where it has learned that they lie, and then only this comparison shows it.
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
"""Least amount of canal and arches seen in the image as it is, over the amount seen with front and back exchanged."""


def facing_check(volume: Volume, evidence: Evidence, network: nn.Module, device: torch.device | str) -> Check:
    """Compares what the localiser sees behind the bodies with what it sees in the image turned front to back."""
    turned = replace(volume, ijk_to_ras=FRONT_TO_BACK @ volume.ijk_to_ras)
    seen, seen_turned = (
        _behind_the_bodies(found) for found in (evidence, locate_tissues(turned, network, device))
    )
    ratio = seen / max(seen_turned, 1e-6)
    passed = ratio >= MIN_RATIO
    detail = (
        "canal and arches are seen where the file says that the patient's back is"
        if passed
        else "canal and arches are seen better with front and back exchanged: the file's orientation is probably wrong"
        " and the arches lie in front of the bodies; export the image again with its orientation"
    )
    return Check("orientation of the image", ratio, MIN_RATIO, passed, detail)


def _behind_the_bodies(evidence: Evidence) -> float:
    """Number of voxels, each counted by its probability, that are canal or a vertebra's posterior part."""
    return float(evidence.semantic[[Semantic.CANAL, Semantic.POSTERIOR]].sum(dtype=np.float64))

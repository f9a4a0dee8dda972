"""From a volume to the spine in it: bodies in order, with a frame each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from mri2mesh.engines.mri2mesh.localisation.chain import Chain, build_chain
from mri2mesh.engines.mri2mesh.localisation.ends import place_cut_ends
from mri2mesh.engines.mri2mesh.localisation.evidence import Evidence, locate_tissues
from mri2mesh.engines.mri2mesh.localisation.frames import body_frames, sacrum_frame
from mri2mesh.engines.mri2mesh.localisation.peaks import find_peaks
from mri2mesh.engines.mri2mesh.localisation.sizes import sized_frames
from mri2mesh.engines.mri2mesh.networks.localiser import Heat
from mri2mesh.errors import ReconstructionRefused
from mri2mesh.geometry.volume import Volume

CANDIDATE = 0.15
"""Heat above which a maximum is looked at; the chain decides."""

MIN_BODIES = 3
MIN_SCORE = 0.35
"""Least number of bodies in line, and their least average score, that make a lumbar spine."""

MIN_EXTENT_MM = 60.0
"""Least extent of an image: so many bodies are longer than this, and a network sees nothing in an image that it halves
away to a single voxel."""


@dataclass(frozen=True)
class SpineFound:
    """chain: bodies from the lowest upwards. frames: 4x4 local to RAS for each, rigid but for the size they carry
    (`sizes`). sacrum: that of S1, where seen."""

    chain: Chain
    frames: list[NDArray[np.float64]]
    sacrum: NDArray[np.float64] | None
    evidence: Evidence


def find_spine(volume: Volume, network: nn.Module, device: torch.device | str = "cpu") -> SpineFound:
    """Run the localiser and put what it finds in order.

    Raises ReconstructionRefused when there is no chain of at least three bodies with good evidence.
    """
    extent = float((volume.spacing * volume.array.shape[::-1]).max())
    if extent < MIN_EXTENT_MM:
        raise ReconstructionRefused(
            f"the image is only {extent:.0f} mm long: that is no lumbar spine, check which image this is"
        )
    evidence = locate_tissues(volume, network, device)
    bodies = find_peaks(evidence, Heat.BODY, CANDIDATE)
    discs = find_peaks(evidence, Heat.DISC, CANDIDATE, apart_mm=8.0)
    s1 = find_peaks(evidence, Heat.S1, 2 * CANDIDATE)
    chain = build_chain(bodies, discs, s1)
    count = len(chain.bodies)
    score = float(np.mean([body.score for body in chain.bodies])) if count else 0.0
    if count < MIN_BODIES or score < MIN_SCORE:
        raise ReconstructionRefused(
            f"no lumbar spine was found in this image ({count} vertebral bodies in line, score {score:.2f};"
            f" {MIN_BODIES} with {MIN_SCORE} are needed): check that it is a lumbar MR volume"
        )
    rigid, cut = place_cut_ends(body_frames(chain, evidence), evidence, sacrum_seen=chain.s1 is not None)
    frames = sized_frames(rigid, evidence, cut)
    return SpineFound(chain, frames, sacrum_frame(chain, frames[0]), evidence)

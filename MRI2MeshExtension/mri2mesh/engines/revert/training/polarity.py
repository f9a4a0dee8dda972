"""Whether a film that was made shows bone bright."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mri2mesh.engines.dense_maps.inputs import depth_of
from mri2mesh.engines.revert.contrast import bone_is_bright
from mri2mesh.synthesis.films.case import FilmCase


def shows_bone_bright(case: FilmCase, film: NDArray) -> bool:
    """Whether a development [H, W] of a case shows bone bright."""
    bone = case.cortex.astype(np.float32)
    if bone.max() == 0:  # from a CT: all of it counts as water
        bone = case.tissue.astype(np.float32)
    bone = bone + 0.3 * case.marrow.astype(np.float32)
    pixel_mm = pixel_mm_of(case, depth_of(case.camera, case.anchors_ras_mm.mean(axis=0)))
    step = max(1, round(3.0 / pixel_mm))
    return bone_is_bright(film[::step, ::step], bone[::step, ::step], step * pixel_mm)


def pixel_mm_of(case: FilmCase, depth_mm: float) -> float:
    """Of a case's pixels at a depth."""
    return case.camera.pixel_spacing_mm[0] * depth_mm / case.camera.source_to_detector_mm

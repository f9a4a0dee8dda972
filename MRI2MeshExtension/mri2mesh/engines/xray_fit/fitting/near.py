"""Which pixels are near the bone that is wanted: by them alone a fit is judged, once its place is about known.

A bone explains a tenth to a third of a film. Counted over all of it, neighbours, skin and gas decide which place
explains more, and at a wrong one it may be cheaper than at the right one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from mri2mesh.engines.xray_fit.fitting.family import SurfaceFamily
from mri2mesh.engines.xray_fit.fitting.image_term import Observation
from mri2mesh.engines.xray_fit.fitting.parameters import Parameters
from mri2mesh.engines.xray_fit.fitting.pyramid import coarser
from mri2mesh.rendering.projective import ProjectiveCameras
from mri2mesh.rendering.thickness import ray_thickness

NEAR_MM = 20.0
"""How far from where the bone begins, or is seen, pixels count, at the patient: starts are some millimetres off, and an
outline has two sides."""
_PIXELS = 128


def near_bone(
    views: Sequence[Observation],
    family: SurfaceFamily,
    starts: Parameters,
    shown: Sequence[NDArray[np.bool_] | None] = (),
    reach_mm: float = NEAR_MM,
) -> list[Observation]:
    """The views with their pixels near the shadows of all starts, and near where the bone is seen, marked. shown: per
    view [H, W], or None."""
    result = []
    for number, seen in enumerate(views):
        small = coarser(seen, _PIXELS)
        surfaces = starts.seen(starts.vertices(family), number)
        shadow = ray_thickness(surfaces, family.surfaces, ProjectiveCameras.of([small.camera]))[:, 0, 0] > 0
        bone = _finer(shadow.any(0).cpu().numpy(), seen.image.shape)
        if number < len(shown) and (own := shown[number]) is not None:
            bone |= own
        depth = float(
            (starts.position[0].cpu().numpy() - seen.camera.source_ras_mm) @ seen.camera.axes_ras[2]
        )
        pixel_mm = max(seen.camera.pixel_spacing_mm) * depth / seen.camera.source_to_detector_mm
        near = distance_transform_edt(~bone) * pixel_mm <= reach_mm if bone.any() else ~bone
        result.append(replace(seen, near=near))
    return result


def _finer(small: NDArray[np.bool_], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """[H, W] nearest neighbours; the last block also stands for what fills none."""
    rows, columns = (
        np.minimum(np.arange(many) * few // max(few * (many // few), 1), few - 1)
        for many, few in zip(shape, small.shape, strict=True)
    )
    return np.asarray(small[np.ix_(rows, columns)])

"""Stored films as they are hung: in views from the front the patient's right on the left, in others the front."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from mri2mesh.engines.dense_maps.film import against_custom, turned_round
from mri2mesh.synthesis.films.case import FilmCase, FilmTruth


def hung(case: FilmCase) -> FilmCase:
    """The case, turned round left to right where its columns run against the custom."""
    if not against_custom(case.camera):
        return case
    truth = case.truth
    return replace(
        case,
        cortex=_mirrored(case.cortex),
        marrow=_mirrored(case.marrow),
        tissue=_mirrored(case.tissue),
        truth=FilmTruth(_mirrored(truth.mask), _mirrored(truth.depth), _mirrored(truth.canonical)),
        camera=turned_round(case.camera, 0),
    )


def _mirrored(image: NDArray) -> NDArray:
    return np.ascontiguousarray(image[..., ::-1])

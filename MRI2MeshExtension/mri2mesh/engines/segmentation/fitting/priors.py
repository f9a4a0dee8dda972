"""What is known of each bone before its labels are looked at: a shape model, with local modes where one is wanted."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np

from mri2mesh.anatomy.shape_models.file import read_shape_model
from mri2mesh.anatomy.shape_models.local_modes import with_local_modes
from mri2mesh.anatomy.shape_models.model import ShapeModel
from mri2mesh.anatomy.shapes import VertebraShapes
from mri2mesh.anatomy.structures import STRUCTURES
from mri2mesh.engines.segmentation.fitting.coccyx import COCCYX, with_coccyx_modes
from mri2mesh.engines.segmentation.fitting.simple_priors import template_model

MODEL_OF = {
    **{level: level for level in ("L1", "L2", "L3", "L4", "L5")},
    **{level: "L1" for level in ("T7", "T8", "T9", "T10", "T11", "T12")},
    "hip_left": "pelvis",
    "hip_right": "pelvis",
    "sacrum": "sacrum",
    "femur_left": "femur_left",
    "femur_right": "femur_right",
}
"""The shipped shape model that each bone is fitted with; thoracic vertebrae vary about their own mean as lumbar ones do
about theirs."""
RESIDUAL_MM = {
    "vertebra": 1.43,
    "disc": 1.0,
    "sacrum": 1.5,
    "hip": 2.5,
    "whole_sacrum": 2.5,
    "femur": 1.6,
}
"""Root mean square distance of a bone's vertices from the model's nearest shape: what local modes together vary; of
shape models as measured on left-out subjects."""
LOCAL_MODES = 80


@lru_cache(maxsize=16)
def prior(name: str) -> ShapeModel:
    """The shape model of a bone, with local modes after its own. Raises InputError for missing weights."""
    kind = STRUCTURES[name].kind
    if kind == "disc" or kind == "sacrum":
        return with_local_modes(template_model(name, kind), LOCAL_MODES, RESIDUAL_MM[kind])
    model = read_shape_model(MODEL_OF[name])
    if name not in model.part_names:
        mean = VertebraShapes.load().mean(name)
        model = replace(model, mean=mean.vertices.astype(np.float64), part_names=(name,))
    elif len(model.part_names) > 1:
        model = model.only(name)
    if COCCYX in model.landmarks:
        model = with_coccyx_modes(model)
    return with_local_modes(model, LOCAL_MODES, RESIDUAL_MM[kind])

"""The shape models that vertebrae are completed with."""

from __future__ import annotations

from collections.abc import Collection

from mri2mesh.anatomy.shape_models.file import read_shape_model
from mri2mesh.anatomy.shape_models.local_modes import flexible
from mri2mesh.anatomy.shape_models.model import ShapeModel

LEVELS = ("L1", "L2", "L3", "L4", "L5")
"""Vertebrae that have a shape model."""


def targets(left_out: Collection[str] = ()) -> dict[str, ShapeModel]:
    """By level, with local modes. left_out: subjects that the models must not have learned from."""
    found = {}
    for level in LEVELS:
        model = read_shape_model(level)
        for name in left_out:
            if name in model.subjects:
                model = model.without(name)
        found[level] = flexible(model)
    return found

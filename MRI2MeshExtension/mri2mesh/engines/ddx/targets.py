"""The shape models that the bones of a film are completed with."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from mri2mesh.anatomy.hip_region import BONES
from mri2mesh.anatomy.shape_models.file import read_shape_model
from mri2mesh.anatomy.shape_models.local_modes import flexible
from mri2mesh.anatomy.shape_models.model import ShapeModel

MODELS = ("pelvis_femur", "femur_left", "femur_right")


@dataclass(frozen=True)
class Target:
    """One thing that is reconstructed as a whole. bones: their numbers in `BONES`. model: of them alone. rows: of
    its vertices among those of all bones."""

    name: str
    bones: tuple[int, ...]
    model: ShapeModel
    rows: slice


def targets(left_out: Collection[str] = ()) -> tuple[Target, ...]:
    """The pelvis and both femora. left_out: subjects that the models must not have learned from."""
    return tuple(replace(one, model=flexible(one.model)) for one in plain_targets(left_out))


def plain_targets(left_out: Collection[str] = ()) -> tuple[Target, ...]:
    """The same without local modes, which are enough for the place of a bone and are made in no time."""
    joint = _without(read_shape_model(MODELS[0]), left_out)
    pelvis = joint.only(*BONES[:3])
    found, start = [Target("pelvis", (0, 1, 2), pelvis, slice(0, len(pelvis.mean)))], len(pelvis.mean)
    for number, name in enumerate(MODELS[1:], 3):
        model = _without(read_shape_model(name), left_out)
        found.append(Target(name, (number,), model, slice(start, start + len(model.mean))))
        start += len(model.mean)
    return tuple(found)


def _without(model: ShapeModel, left_out: Collection[str]) -> ShapeModel:
    for name in left_out:
        if name in model.subjects:
            model = model.without(name)
    return model

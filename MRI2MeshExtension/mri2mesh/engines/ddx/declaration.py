"""What the engine 3DDX takes, and what can be asked of it."""

from __future__ import annotations

from mri2mesh.engines.declaration import Engine
from mri2mesh.engines.dense_maps.depth_option import HIPS_TO_DETECTOR
from mri2mesh.engines.kinds import RADIOGRAPHS
from mri2mesh.engines.options import WEIGHTS

ENGINE = Engine(
    name="ddx",
    title="3DDX: pelvis and femora from one front view",
    sentence="Sees for every pixel of a front view of the pelvis, or of a hip, which bone it shows and how deep the "
    "bone's front and back lie, and completes the bones with shape models.",
    takes=RADIOGRAPHS,
    most_images=1,
    minutes_hint=0.1,
    reconstruct="mri2mesh.engines.ddx.engine:reconstruct",
    weights=("ddx", "shape_pelvis_femur", "shape_femur_left", "shape_femur_right"),
    options=(
        HIPS_TO_DETECTOR,
        WEIGHTS,
    ),
)

"""What the engine 3DReVert takes, and what can be asked of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mri2mesh.engines.declaration import Engine
from mri2mesh.engines.kinds import RADIOGRAPHS
from mri2mesh.engines.options import WEIGHTS, Flag, Landmarks, Level, Number, Texts

ENGINE = Engine(
    name="revert",
    title="3DReVert: lumbar vertebrae from one radiograph",
    sentence="Finds and names the vertebrae of a view of the lumbar spine, from the front or the side, or takes those "
    "that are clicked on, and completes each with a shape model. A second view shows how deep they lie.",
    takes=RADIOGRAPHS,
    most_images=2,
    minutes_hint=0.1,
    levels=True,
    reconstruct="mri2mesh.engines.revert.engine:reconstruct",
    weights=("revert", "shape_L1", "shape_L2", "shape_L3", "shape_L4", "shape_L5"),
    options=(
        Landmarks(
            "landmarks",
            label="Pick vertebrae",
            help="vertebrae picked in 3D Slicer by a click on the middle of each body, named by its level: those alone "
            "are reconstructed",
            placeholder="points.mrk.json",
            names="mri2mesh.engines.revert.declaration:level_names",
        ),
        Level(
            "level",
            label="Counted from",
            help="name one vertebra, and so all: a level and a pixel of its body (L3@column,row), or a box around it "
            "(L3@column,row,column,row); without it names are a guess",
            placeholder="L3@column,row",
            in_batch=False,
        ),
        Texts(
            "vertebrae",
            help="which to make (default: all of L1 to L5 that are seen)",
            placeholder="L2,L3",
            default=(),
        ),
        Number(
            "spine_to_detector_mm",
            flag="spine-to-detector",
            label="Spine to detector",
            help="distance from the middle of the spine to the detector along the beam: one film alone does not show "
            "how deep the bones lie, and without it the whole result may be shifted along the beam",
            unit="mm",
            least=20,
            most=900,
        ),
        Flag(
            "refine",
            label="Refine by X-ray fit",
            help="fit each vertebra's shadow, among its neighbours', to the radiographs afterwards: slower; the report "
            "says how far each was moved and whether it agrees better",
        ),
        WEIGHTS,
    ),
)


def level_names(_values: Mapping[str, Any]) -> tuple[str, ...]:
    """Of the vertebrae that can be picked."""
    return ("L1", "L2", "L3", "L4", "L5")

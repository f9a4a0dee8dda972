"""What the engine for label maps takes, and what can be asked of it."""

from __future__ import annotations

from mri2mesh.engines.declaration import Engine
from mri2mesh.engines.kinds import LABELS
from mri2mesh.engines.options import Choice, Flag, Texts

NUMBERINGS = {
    "verse": "VerSe",
    "totalspineseg": "TotalSpineSeg",
    "spineps": "SPINEPS",
    "totalsegmentator": "TotalSegmentator (CT)",
    "totalsegmentator_mr": "TotalSegmentator (MR)",
    "vertebrae_mr": "TotalSegmentator (vertebrae_mr)",
    "mri2mesh": "this extension's own",
}
"""As `numbering.presets.NUMBERINGS`, which is not imported for a list of names."""

ENGINE = Engine(
    name="segmentation",
    title="Segmentation: bones from a label map",
    sentence="Fits shape models of vertebrae, discs, sacrum, hips and femora to labels of any tool, whole or drawn on "
    "some slices only: closed surfaces with regions.",
    takes=LABELS,
    is_default=True,
    minutes_hint=0.5,
    reconstruct="mri2mesh.engines.segmentation.engine:reconstruct",
    weights=(
        *(f"shape_{level}" for level in ("L1", "L2", "L3", "L4", "L5")),
        "shape_pelvis",
        "shape_sacrum",
        "shape_femur_left",
        "shape_femur_right",
    ),
    options=(
        Choice(
            "numbering",
            label="Numbering",
            help="whose numbers the labels have (default: the one that fits)",
            choices=NUMBERINGS,
        ),
        Texts(
            "segments",
            help="what single labels are, as 1=L5,2=L4,3=hips (hips and femora: both sides in one label; L1:L5: "
            "separate vertebrae in one label, vertebrae: counted up from the sacrum; none: left out)",
            placeholder="1=L5,2=none",
            default=(),
            in_batch=True,
        ),
        Choice(
            "drawn_parts",
            flag="drawn",
            label="Vertebrae drawn",
            help="whether vertebrae were drawn whole or as bodies alone (default: auto)",
            choices={"auto": "automatic", "whole": "whole", "bodies": "bodies"},
            default="auto",
        ),
        Flag(
            "whole",
            flag="add-arches",
            label="Add arches",
            help="make whole vertebrae where only bodies were drawn: their arches are then the prior's",
        ),
    ),
)

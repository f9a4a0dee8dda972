"""What the engine X-ray fit takes, and what can be asked of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mri2mesh.engines.declaration import Engine
from mri2mesh.engines.dense_maps.depth_option import HIPS_TO_DETECTOR
from mri2mesh.engines.kinds import RADIOGRAPHS
from mri2mesh.engines.options import Choice, EarlierResult, File, Landmarks

ANATOMIES = {
    "pelvis": "Pelvis",
    "femur_left": "Left femur",
    "femur_right": "Right femur",
    **{level: f"Vertebra {level}" for level in ("L1", "L2", "L3", "L4", "L5")},
}
"""The shape models that it fits, and their names for people."""

ENGINE = Engine(
    name="xray-fit",
    title="X-ray fit: one bone from radiographs",
    sentence="Places and bends a statistical shape model until its shadow explains every radiograph; two views, 30 "
    "degrees or more apart, show the depth that one cannot.",
    takes=RADIOGRAPHS,
    is_default=True,
    shows=True,
    reconstruct="mri2mesh.engines.xray_fit.engine:reconstruct",
    weights=(*(f"shape_{name}" for name in ANATOMIES), "shape_pelvis_femur"),
    options=(
        Choice(
            "anatomy",
            label="Bone",
            help="bone to fit to the radiographs",
            choices=ANATOMIES,
            placeholder="BONE",
            required=True,
        ),
        Landmarks(
            "landmarks",
            label="Landmarks",
            help="landmarks of the bone picked in 3D Slicer, three to five are enough, one file per radiograph, or one "
            "picked in the patient",
            placeholder="points.mrk.json",
            names="mri2mesh.engines.xray_fit.declaration:landmark_names",
        ),
        File(
            "masks",
            flag="mask",
            label="Outline of the bone",
            help="picture of the bone's whole silhouette in a radiograph, not zero inside: its outline is fitted and "
            "checked",
            placeholder="PICTURE",
            endings=(".png", ".tif", ".nii", ".nii.gz", ".nrrd"),
            per_image=True,
            beside=".mask.png",
            read="mri2mesh.engines.xray_fit.reading:masks",
        ),
        HIPS_TO_DETECTOR,
        EarlierResult(
            "start",
            label="Begin",
            help="go on from an earlier result of the same radiographs, as with new landmarks, instead of searching",
            placeholder="DIR",
            same=("anatomy",),
        ),
    ),
)


def landmark_names(values: Mapping[str, Any]) -> tuple[str, ...]:
    """Of the chosen bone's shape model. Raises InputError for a bone without one."""
    from mri2mesh.anatomy.shape_models.file import landmark_names as names_of

    return names_of(values["anatomy"])

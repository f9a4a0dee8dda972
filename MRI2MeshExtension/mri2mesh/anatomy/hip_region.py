"""The bones of the hip region, in the order of whatever has one entry for each of them."""

from __future__ import annotations

BONES = ("hip_left", "hip_right", "sacrum", "femur_left", "femur_right")
"""Names in `anatomy.structures.STRUCTURES`: the parts of the joint model of pelvis and femora, in its order."""

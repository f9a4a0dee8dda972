"""The bones of the lumbar region, in the order of whatever has one entry for each of them."""

from __future__ import annotations

VERTEBRAE = ("T11", "T12", "L1", "L2", "L3", "L4", "L5")
BONES = (*VERTEBRAE, "sacrum")
"""Names in `anatomy.structures.STRUCTURES`, from head to foot."""

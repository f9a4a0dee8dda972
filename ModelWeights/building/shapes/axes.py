"""Which way each source's axes point, and facts of anatomy that show it.

A symmetric bone looks the same in RAS and mirrored, so each conclusion rests on two facts: which way is posterior, and
on which side lies what the source calls left. Up is +z in every source.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mri2mesh.errors import InputError

AXES = {
    "pelvis_atlas": "LPS",  # sacra at larger y than the hips, "left" hips at larger x, iliac crests up
    "lower_limb": "LPS",  # sacrum at larger y than the hips; "left" femur at larger x; femoral head medial, up
    "visible_human_male": "RAS",  # spinous processes at smaller y; symmetrised, so left and right are alike
    "lumbar_mean": "RAS",  # spinous processes at smaller y
    "verse_spines": "RAS",  # spinous processes at smaller y
    "vertebra_L1": "LPS",  # spinous processes at larger y
}
"""Axes of the points of each folder of the training data; `pelvic_labels` are volumes, whose headers say it (identity
direction, LPS)."""

_TO_RAS = {"LPS": np.array([-1.0, -1.0, 1.0]), "RAS": np.ones(3)}


def to_ras(vertices: NDArray, folder: str) -> NDArray[np.float64]:
    """[..., 3] coordinates of a source in RAS. Turns by half a circle about z at most: never mirrors."""
    return vertices * _TO_RAS[AXES[folder]]


def require(facts: dict[str, bool], source: str) -> None:
    """Raises InputError with the first fact of anatomy that does not hold: the source's axes are not as recorded."""
    for fact, holds in facts.items():
        if not holds:
            raise InputError(f"{source}: {fact} does not hold, so its axes are not what AXES says")


def pelvis_facts(left_hip: NDArray, right_hip: NDArray, sacrum: NDArray) -> dict[str, bool]:
    """What is true of a pelvis in RAS, from vertices [V, 3] of its bones."""
    hips = np.concatenate([left_hip, right_hip])
    acetabular_height = (hips[:, 2].min() + hips[:, 2].max()) / 2
    crest, pubis = hips[hips[:, 2] > acetabular_height], hips[hips[:, 2] < acetabular_height]
    return {
        "the left hip lies on the patient's left (-x)": bool(left_hip[:, 0].mean() < right_hip[:, 0].mean()),
        "the sacrum lies behind the hips (-y)": bool(sacrum[:, 1].mean() < hips[:, 1].mean()),
        "the sacrum lies above the middle of the hips": bool(sacrum[:, 2].mean() > acetabular_height),
        "the wings of the ilia are wider than the ischia": bool(np.ptp(crest[:, 0]) > np.ptp(pubis[:, 0])),
    }


def femur_facts(femur: NDArray, side: str) -> dict[str, bool]:
    """What is true of a femur in RAS, upright, from vertices [V, 3]."""
    lateral = -1.0 if side == "left" else 1.0
    height = femur[:, 2]
    top, bottom = height.max(), height.min()
    head = femur[height > top - 0.05 * (top - bottom)]
    shaft = femur[np.abs(height - (top + bottom) / 2) < 0.05 * (top - bottom)]
    condyles = femur[height < bottom + 0.08 * (top - bottom)]
    return {
        "the head lies medial to the shaft": bool(lateral * (head[:, 0].mean() - shaft[:, 0].mean()) < 0),
        "the condyles reach further back than the shaft": bool(
            condyles[:, 1].min() < shaft[:, 1].min() - 5.0
        ),
        "the head lies in front of the condyles' back": bool(head[:, 1].mean() > condyles[:, 1].min() + 10.0),
    }


def vertebra_facts(vertices: NDArray) -> dict[str, bool]:
    """What is true of a lumbar vertebra in RAS, from vertices [V, 3]: a narrow spinous process behind, a broad body."""
    x, y, _ = vertices.T
    behind, before = x[y < y.min() + 6.0], x[y > y.max() - 6.0]
    return {"the spinous process points backwards (-y)": bool(2.0 * np.ptp(behind) < np.ptp(before))}

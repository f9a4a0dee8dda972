"""What of a trunk is where in its vertices: the bones that are looked for, those that only cast their shadows, ribs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from mri2mesh.anatomy.lumbar_region import BONES, VERTEBRAE
from mri2mesh.anatomy.pelvis_shapes import PelvisShapes
from mri2mesh.anatomy.regions import Region
from mri2mesh.anatomy.shapes import VertebraShapes
from mri2mesh.rendering.surfaces import ClosedSurfaces
from mri2mesh.synthesis.films.lumbar.ribs import RIB_VERTICES, RIBBED, rib_faces

BYSTANDERS = ("T10", "T9", "left_hip", "right_hip")
"""Bones of a trunk that no network looks for; ribs come after them."""
SIDES = ("left", "right")


@dataclass(frozen=True)
class TrunkParts:
    """faces: [F, 3] of `BONES`. label: [F] which of them. bone_vertices: how many vertices they have. canonical:
    [bone_vertices, 3] mm, the place on the mean bone in its own frame. surfaces: all bones, ribs included, in two
    groups: `BONES` (0) and the rest (1). cortex_mm: [V] usual thickness of the shell. rows: bone -> its vertices.
    regions: [V of a vertebra] `anatomy.regions.Region`."""

    faces: NDArray[np.int64]
    label: NDArray[np.int64]
    bone_vertices: int
    canonical: NDArray[np.float32]
    surfaces: ClosedSurfaces
    cortex_mm: NDArray[np.float32]
    rows: dict[str, slice]
    regions: NDArray[np.int64]
    vertebra_faces: NDArray[np.int64]


@cache
def trunk_parts() -> TrunkParts:
    """The topology that all trunks share."""
    vertebrae, pelves = VertebraShapes.load(), PelvisShapes.load()
    one = {name: (vertebrae.vertices.shape[1], vertebrae.faces) for name in (*VERTEBRAE, "T10", "T9")}
    for name in ("sacrum", "left_hip", "right_hip"):
        one[name] = (pelves.vertices[name].shape[1], pelves.faces[name])
    ribs = [(f"rib {side} {level}", (RIB_VERTICES, rib_faces(side))) for level in RIBBED for side in SIDES]
    order = [(name, one[name]) for name in (*BONES, *BYSTANDERS)] + ribs
    rows, faces, label, start = {}, [], [], 0
    for number, (name, (count, own)) in enumerate(order):
        rows[name] = slice(start, start + count)
        faces.append(own + start)
        label.append(np.full(len(own), number))
        start += count
    shell = np.full(start, 0.55, np.float32)
    for name in ("left_hip", "right_hip"):
        shell[rows[name]] = 1.5
    for name, _ in ribs:
        shell[rows[name]] = 0.9
    regions = np.asarray(vertebrae.regions).astype(np.int64)
    arch = np.isin(regions, [Region.LAMINA, Region.SPINOUS, Region.PEDICLE_LEFT, Region.PEDICLE_RIGHT])
    plates = np.isin(regions, [Region.SUPERIOR_ENDPLATE, Region.INFERIOR_ENDPLATE])
    for name in (*VERTEBRAE, "T10", "T9"):
        shell[rows[name]] += 0.9 * arch + 0.3 * plates
    all_faces, all_labels = np.concatenate(faces), np.concatenate(label)
    bones = all_labels < len(BONES)
    canonical = [vertebrae.mean(level).vertices for level in VERTEBRAE]
    canonical.append(pelves.vertices["sacrum"].mean(axis=0).astype(np.float32))
    return TrunkParts(
        all_faces[bones],
        all_labels[bones],
        rows[BONES[-1]].stop,
        np.concatenate(canonical).astype(np.float32),
        ClosedSurfaces.of(all_faces, start, (~bones).astype(np.int64)),
        shell,
        rows,
        regions,
        vertebrae.faces,
    )

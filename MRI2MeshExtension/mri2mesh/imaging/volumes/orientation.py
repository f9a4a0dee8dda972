"""Which array axis runs along which patient axis."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from mri2mesh.geometry.volume import Volume

NEGATIVE, POSITIVE = "LPI", "RAS"
PATIENT_AXIS = {"x": 0, "y": 1, "z": 2}
"""x: left to right, y: posterior to anterior, z: inferior to superior."""
PLANES = ("sagittal", "coronal", "axial")
"""Slices across x, y, z."""
OBLIQUE_DEG = 25.0


def patient_axes(ijk_to_ras: NDArray) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Patient axis (0 = x, 1 = y, 2 = z) nearest to each of i, j, k, and its sign: +1 along, -1 against.

    The three are all different: of the six assignments the one with the largest sum of absolute cosines.
    """
    matrix = np.asarray(ijk_to_ras, dtype=np.float64)[:3, :3]
    cosines = matrix / np.linalg.norm(matrix, axis=0)
    best = max(permutations(range(3)), key=lambda axes: sum(abs(cosines[axes[n], n]) for n in range(3)))
    signs = [1 if cosines[best[n], n] > 0 else -1 for n in range(3)]
    return np.array(best), np.array(signs)


def slice_plane(normal: NDArray) -> str:
    """Plane across a normal, [3] in RAS or LPS: ``"sagittal"`` or, tilted far, ``"oblique sagittal"``."""
    cosines = np.abs(np.asarray(normal, dtype=np.float64)) / np.linalg.norm(normal)
    name = PLANES[int(np.argmax(cosines))]
    return name if cosines.max() >= np.cos(np.deg2rad(OBLIQUE_DEG)) else f"oblique {name}"


def array_axis(volume: Volume, axis: int | str) -> int:
    """Index axis (0 = i, 1 = j, 2 = k) from an index or the patient axis nearest to it: "x", "y", "z".

    Raises ValueError for anything else.
    """
    if isinstance(axis, str) and axis in PATIENT_AXIS:
        axes, _ = patient_axes(volume.ijk_to_ras)
        return int(np.flatnonzero(axes == PATIENT_AXIS[axis])[0])
    if not isinstance(axis, str) and axis in (0, 1, 2):
        return int(axis)
    raise ValueError(f"an axis is 0, 1, 2 (i, j, k) or 'x', 'y', 'z' (patient), not {axis!r}")


def reorient(volume: Volume, code: str = "RAS") -> Volume:
    """The same voxels in the same places, axes permuted and flipped until i, j, k run as ``code`` says.

    Nothing is interpolated: an oblique volume stays oblique. Raises ValueError for a code that does not
    name each patient axis once.
    """
    wanted = [
        (POSITIVE.find(letter), 1) if letter in POSITIVE else (NEGATIVE.find(letter), -1) for letter in code
    ]
    if sorted(axis for axis, _ in wanted) != [0, 1, 2]:
        raise ValueError(f"an orientation is three letters such as 'RAS' or 'LPS', not {code!r}")
    axes, signs = patient_axes(volume.ijk_to_ras)
    array = volume.array
    new_to_old = np.zeros((4, 4))
    new_to_old[3, 3] = 1
    order = []
    for new, (patient, sign) in enumerate(wanted):
        old = int(np.flatnonzero(axes == patient)[0])
        order.append(old)
        new_to_old[old, new] = 1
        if signs[old] != sign:
            new_to_old[old, new] = -1
            new_to_old[old, 3] = array.shape[2 - old] - 1
            array = np.flip(array, axis=2 - old)
    # Array axes are [K, J, I]: index axis n is array axis 2 - n.
    array = np.transpose(array, [2 - order[2 - n] for n in range(3)])
    return replace(volume, array=np.ascontiguousarray(array), ijk_to_ras=volume.ijk_to_ras @ new_to_old)

"""The two matrices of a NIfTI header, qform and sform, which can say different things of where the image lies.

Programs do not agree on which counts: ITK, and so 3D Slicer, takes the qform unless the sform's code is 1; nibabel and
FSL take the sform whenever it has a code. An image for which the two differ lies elsewhere in another program.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray

from mri2mesh.errors import InputError

SPACING_DISAGREEMENT = 0.02
"""Relative difference allowed between pixdim and the sform's columns."""
TURNED_DEG = 30.0
"""Directions that differ by more give the patient other sides; less is a registration."""


def agreed_spacings(spacings: list[float], sform: Sequence[float]) -> list[float]:
    """The spacings by pixdim, once the sform agrees with them; otherwise no size could be trusted."""
    for axis, spacing in enumerate(spacings):
        column = math.sqrt(sum(sform[4 * row + axis] ** 2 for row in range(3)))
        if not (math.isfinite(column) and column > 0):
            return [column]
        if spacing > 0 and abs(column - spacing) > SPACING_DISAGREEMENT * spacing:
            raise InputError(
                f"the file gives two voxel spacings, {spacing:g} and {column:g} mm (pixdim and sform): "
                "correct the file or export it again"
            )
    return spacings


def compare_matrices(
    sizes: Sequence[int],
    spacings: Sequence[float],
    qfac: float,
    qform: Sequence[float],
    sform: Sequence[float],
) -> tuple[str, ...]:
    """A warning where the matrices place a corner of the image more than a voxel apart; nothing where they agree.

    qform: quatern_b, c, d and qoffset_x, y, z. sform: its three rows. All in the file's unit of length.
    Raises InputError where they turn or mirror the image against each other: then its sides are not certain.
    """
    by_sform = np.reshape(np.asarray(sform, dtype=np.float64), (3, 4))
    by_qform = _qform_matrix(spacings, qfac, qform)
    if not (np.isfinite(by_sform).all() and np.isfinite(by_qform).all()):
        raise InputError(
            "the matrices in the file (qform, sform) hold values that are not numbers: export it again"
        )
    directions = [matrix[:, :3] / np.linalg.norm(matrix[:, :3], axis=0) for matrix in (by_qform, by_sform)]
    handed = [np.linalg.det(axes) > 0 for axes in directions]
    cosines = (directions[0] * directions[1]).sum(axis=0)
    if handed[0] != handed[1] or cosines.min() < math.cos(math.radians(TURNED_DEG)):
        how = "mirror" if handed[0] != handed[1] else "turn"
        raise InputError(
            f"the two matrices in the file (qform and sform) {how} the image against each other, so its left and right "
            "or front and back are not certain: correct the file, or convert the image from DICOM again"
        )
    corners = np.array(list(product(*((0, size - 1) for size in (*sizes, 1, 1, 1)[:3]))), dtype=np.float64)
    homogeneous = np.column_stack([corners, np.ones(len(corners))])
    apart = float(np.linalg.norm(homogeneous @ (by_sform - by_qform).T, axis=1).max())
    if apart <= min(spacings):
        return ()
    return (
        f"the two matrices in the file (qform and sform) place the image up to {apart:.1f} mm apart: the result lies "
        "on the image as 3D Slicer loads it, other programs may show it elsewhere",
    )


def _qform_matrix(spacings: Sequence[float], qfac: float, qform: Sequence[float]) -> NDArray[np.float64]:
    """[3, 4] by method 2 of the NIfTI-1 standard."""
    b, c, d, *offset = (float(value) for value in qform)
    square = 1.0 - (b * b + c * c + d * d)
    if square < 0:  # rounded: half a turn
        length = math.sqrt(b * b + c * c + d * d)
        a, b, c, d = 0.0, b / length, c / length, d / length
    else:
        a = math.sqrt(square)
    rotation = np.array(
        [
            [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
            [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
            [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - c * c - b * b],
        ]
    )
    scale = np.array(spacings, dtype=np.float64) * [1, 1, -1 if qfac < 0 else 1]
    return np.column_stack([rotation * scale, offset])

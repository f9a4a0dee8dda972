"""Files of points on a surface: ``.npy`` [N, 3] or [N, 6], and ``.xyz``, the same numbers as text.

Columns 4 to 6 are outward normals where there are six. The files do not say whether they are LPS or RAS: LPS is taken,
as of surfaces, unless another space is asked for.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mri2mesh.errors import InputError
from mri2mesh.geometry.coordinates import flip_ras_lps

POINT_FORMATS = ("npy", "xyz")
_FEWEST = 4


def read_points(
    path: Path | str, space: str = "LPS"
) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
    """Points [N, 3] RAS in the file's own unit, and their normals [N, 3] where it has six columns.

    Raises InputError for a file that cannot be read, that holds no points, or values that are not numbers.
    """
    path = Path(path)
    kind = path.suffix.lower().lstrip(".")
    try:
        values = np.load(path, allow_pickle=False) if kind == "npy" else np.loadtxt(path, ndmin=2)
    except (OSError, ValueError, EOFError) as error:
        raise InputError(f"{path.name} is not a readable .{kind} file of points: write it again") from error
    if values.ndim != 2 or values.shape[1] < 3 or len(values) < _FEWEST or values.dtype.kind not in "fiu":
        raise InputError(f"{path.name} must hold points [N, 3], it holds {values.dtype} {values.shape}")
    values = values[:, : 6 if values.shape[1] == 6 else 3].astype(np.float64)
    if not np.isfinite(values).all():
        raise InputError(f"{path.name} has points that are not numbers: correct it first")
    parts = [
        flip_ras_lps(part) if space == "LPS" else part for part in np.split(values, values.shape[1] // 3, 1)
    ]
    return parts[0], parts[1] if len(parts) == 2 else None

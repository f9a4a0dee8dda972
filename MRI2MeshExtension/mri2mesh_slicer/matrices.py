"""4x4 matrices of VTK and of NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import vtk
from numpy.typing import NDArray


def vtk_matrix(matrix: NDArray) -> Any:
    """A vtkMatrix4x4 of an array [4, 4]."""
    result = vtk.vtkMatrix4x4()
    result.DeepCopy(np.asarray(matrix, dtype=np.float64).ravel().tolist())
    return result


def array_of(matrix: Any) -> NDArray[np.float64]:
    """[4, 4] of a vtkMatrix4x4."""
    return np.array([[matrix.GetElement(row, column) for column in range(4)] for row in range(4)])

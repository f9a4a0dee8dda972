"""A 3D image with its place in the patient and the way it was sampled."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Volume:
    """Scalar image in patient space.

    array: [K, J, I] float32 or integer.
    ijk_to_ras: 4x4 float64; maps (i, j, k, 1), voxel centres, to millimetres in patient RAS.
    slice_thickness_mm: extent of the slice profile (full width at half maximum) along the slice axis,
        where known (DICOM SliceThickness, 0018,0050); None means equal to the spacing.
    metadata: what the readers found and callers may need (``modality``, ``kind``); never patient identity.
    warnings: sentences for the user on what the file leaves open, as an orientation that it does not record.

    Raises ValueError when the array is not 3D or the matrix is singular or not finite.
    """

    array: NDArray
    ijk_to_ras: NDArray[np.float64]
    slice_thickness_mm: float | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        matrix = np.asarray(self.ijk_to_ras, dtype=np.float64)
        if self.array.ndim != 3:
            raise ValueError(f"a volume is 3D, got an array of shape {self.array.shape}")
        if matrix.shape != (4, 4) or not np.isfinite(matrix).all():
            raise ValueError("ijk_to_ras must be a finite 4x4 matrix")
        if abs(np.linalg.det(matrix[:3, :3])) < 1e-12:
            raise ValueError("ijk_to_ras is singular: a spacing is zero or two axes are parallel")
        object.__setattr__(self, "ijk_to_ras", matrix)

    @property
    def spacing(self) -> NDArray[np.float64]:
        """[3] millimetres along i, j, k."""
        return np.linalg.norm(self.ijk_to_ras[:3, :3], axis=0)

    @property
    def sheared(self) -> bool:
        """True where the axes are not perpendicular, as those of slices under a tilted gantry."""
        directions = self.ijk_to_ras[:3, :3] / self.spacing
        return not np.allclose(directions.T @ directions, np.eye(3), atol=1e-4)

    @property
    def slice_axis(self) -> int:
        """Index (0 = i, 1 = j, 2 = k) of the axis with the largest spacing: the slice direction."""
        return int(np.argmax(self.spacing))

    def ras_from_ijk(self, ijk: NDArray) -> NDArray[np.float64]:
        """[..., 3] voxel coordinates (i, j, k) to millimetres in RAS."""
        return np.asarray(ijk) @ self.ijk_to_ras[:3, :3].T + self.ijk_to_ras[:3, 3]

    def ijk_from_ras(self, ras: NDArray) -> NDArray[np.float64]:
        """[..., 3] millimetres in RAS to continuous voxel coordinates (i, j, k)."""
        inverse = np.linalg.inv(self.ijk_to_ras)
        return np.asarray(ras) @ inverse[:3, :3].T + inverse[:3, 3]

    def with_array(self, array: NDArray) -> Volume:
        """The same grid with other values."""
        if array.shape != self.array.shape:
            raise ValueError(f"expected an array of shape {self.array.shape}, got {array.shape}")
        return replace(self, array=array)

"""Parallel-beam views around a structure: where each vertex falls in each image, and how deep.

Camera frame (right-handed): x along the columns (to the right in the image), y along the rows (downwards),
z along the viewing direction (away from the viewer). Pixel centres have integer coordinates: column c and row
r of the first pixel are 0, so the centre of the view falls on ((columns - 1) / 2, (rows - 1) / 2).
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from mri2mesh.errors import InputError

AXIS_VIEW_NAMES = ("right", "left", "anterior", "posterior", "superior", "inferior")
"""The side the viewer stands on, in the order of `axis_views`."""

_AXES = {"x": (1.0, 0.0, 0.0), "y": (0.0, 1.0, 0.0), "z": (0.0, 0.0, 1.0)}


@dataclass(frozen=True)
class OrthographicCameras:
    """N parallel views that look at one centre (or one centre for each mesh of a batch).

    rotation: [N, 3, 3]; the rows of each matrix are the unit vectors of columns, rows and viewing direction.
    centre: [3] or [B, 3] millimetres; the point that falls in the middle of every image.
    pixel_size_mm: side of the square pixels.
    size: (rows, columns).
    half_depth_mm: the depths -half_depth_mm and +half_depth_mm are the near and far plane of the soft depth
        (PyTorch3D's znear and zfar); None means the longer image side, so that a structure that fits into its
        images also fits between the planes. A surface beyond the far plane fades into the background of the soft
        depth; silhouettes and hard depth know no planes.

    Raises InputError when the shapes are wrong or a rotation is not one (it mirrors, or is not orthonormal).
    """

    rotation: Tensor
    centre: Tensor
    pixel_size_mm: float
    size: tuple[int, int]
    half_depth_mm: float | None = None

    perspective = False

    def __post_init__(self) -> None:
        if self.rotation.ndim != 3 or self.rotation.shape[1:] != (3, 3):
            raise InputError(f"camera rotations must be [N, 3, 3], got {tuple(self.rotation.shape)}")
        self._check_centre()
        if not self.pixel_size_mm > 0 or min(self.size) < 1:
            raise InputError("the pixel size and the image size of a camera must be positive")
        identity = self.rotation @ self.rotation.transpose(1, 2)
        proper = torch.allclose(identity, torch.eye(3).to(identity), atol=1e-4)
        if not proper or bool((torch.linalg.det(self.rotation.double()) < 0).any()):
            raise InputError("camera rotations must be right-handed and orthonormal")
        if self.half_depth_mm is None:
            object.__setattr__(self, "half_depth_mm", max(self.size) * self.pixel_size_mm)

    def _check_centre(self) -> None:
        if self.centre.shape[-1] != 3 or self.centre.ndim not in (1, 2):
            raise InputError(f"the camera centre must be [3] or [B, 3], got {tuple(self.centre.shape)}")

    def __len__(self) -> int:
        return len(self.rotation)

    @property
    def far_mm(self) -> float:
        """Depth of the far plane."""
        assert self.half_depth_mm is not None
        return self.half_depth_mm

    @property
    def near_mm(self) -> float:
        """Depth of the near plane."""
        return -self.far_mm

    @property
    def ndc_per_pixel(self) -> float:
        """Pixels to PyTorch3D's normalised device coordinates: the shorter image side spans [-1, 1]."""
        return 2.0 / min(self.size)

    def to(
        self, device: torch.device | str | None = None, dtype: torch.dtype | None = None
    ) -> OrthographicCameras:
        """The same cameras on another device or in another precision."""
        return replace(self, rotation=self.rotation.to(device, dtype), centre=self.centre.to(device, dtype))

    def at(self, centre: Tensor) -> OrthographicCameras:
        """The same views around another centre, [3] or [B, 3]."""
        moved = copy(self)  # not `replace`: to check the rotations again is, on a GPU, to wait for it
        object.__setattr__(moved, "centre", centre)
        moved._check_centre()
        return moved

    def project(self, points: Tensor) -> Tensor:
        """[B, V, 3] millimetres to [B, N, V, 3] (column, row, depth): pixels, pixels, millimetres."""
        rotation, centre = self.rotation.to(points), self.centre.to(points)
        offset = points - (centre if centre.ndim == 1 else centre[:, None])
        camera = torch.einsum("nij,bvj->bnvi", rotation, offset)
        # One axis at a time: a tensor of the three scales would have to be brought to the device.
        column, row, depth = camera.unbind(-1)
        middle = self._middle
        per_mm = 1 / self.pixel_size_mm
        return torch.stack([column * per_mm + middle[0], row * per_mm + middle[1], depth], -1)

    def project_directions(self, points: Tensor, directions: Tensor) -> Tensor:
        """[B, N, P, V, 3]: how (column, row, depth) change when points [B, V, 3] move along directions [B, P, V, 3]."""
        scale = directions.new_tensor([1 / self.pixel_size_mm, 1 / self.pixel_size_mm, 1.0])
        return torch.einsum("nij,bpvj->bnpvi", self.rotation.to(directions), directions) * scale

    def unproject(self, screen: Tensor) -> Tensor:
        """[B, N, V, 3] (column, row, depth) back to millimetres: the inverse of `project`."""
        scale = screen.new_tensor([self.pixel_size_mm, self.pixel_size_mm, 1.0])
        camera = (screen - screen.new_tensor([*self._middle, 0.0])) * scale
        centre = self.centre.to(screen)
        points = torch.einsum("nij,bnvi->bnvj", self.rotation.to(screen), camera)
        return points + (centre if centre.ndim == 1 else centre[:, None, None])

    def path_per_depth(self) -> Tensor:
        """[N, 1, 1]: mm along a ray per mm of depth: 1, for parallel rays."""
        return self.rotation.new_ones(len(self), 1, 1)

    def handedness(self) -> Tensor:
        """[N]: 1, for these views are never mirrored."""
        return self.rotation.new_ones(len(self))

    @property
    def _middle(self) -> tuple[float, float]:
        return (self.size[1] - 1) / 2, (self.size[0] - 1) / 2


def look_along(forward: Tensor, up: Tensor) -> Tensor:
    """[N, 3, 3] rotations of cameras that look along forward [N, 3] with up [N, 3] upwards in the image."""
    forward = torch.nn.functional.normalize(forward, dim=-1)
    right = torch.nn.functional.normalize(torch.linalg.cross(forward, up), dim=-1)
    return torch.stack([right, torch.linalg.cross(forward, right), forward], dim=1)


def axis_views() -> Tensor:
    """[6, 3, 3] views from the right, left, front, back, above and below, in the order of `AXIS_VIEW_NAMES`.

    The frame is patient RAS (+x right, +y anterior, +z superior). Superior is up in the first four images,
    anterior is up in the last two. Seen from the front, the patient's right is on the left of the image.
    """
    eye = torch.eye(3)
    from_side = torch.stack([eye[0], -eye[0], eye[1], -eye[1], eye[2], -eye[2]])
    return look_along(-from_side, torch.stack([eye[2]] * 4 + [eye[1]] * 2))


def ring_cameras(n: int, axis: str | Sequence[float] = "z") -> Tensor:
    """[n, 3, 3] views evenly spread on the full circle around an axis, which points up in every image.

    axis: "x", "y", "z" or a direction [3]. About "z" the first view is from the front (+y), the next ones
        turn
    towards the patient's left (-x): counter-clockwise seen from above.
    """
    if n < 1:
        raise InputError("a ring needs at least one camera")
    direction = torch.tensor(_AXES[axis] if isinstance(axis, str) else tuple(axis), dtype=torch.float64)
    up = torch.nn.functional.normalize(direction, dim=0)
    eye = torch.eye(3, dtype=torch.float64)
    start = eye[1] if abs(float(up[1])) < 0.9 else eye[2]
    start = torch.nn.functional.normalize(start - (start @ up) * up, dim=0)
    side = torch.linalg.cross(up, start)
    angle = torch.arange(n, dtype=torch.float64) * (2 * torch.pi / n)
    from_side = angle.cos()[:, None] * start + angle.sin()[:, None] * side
    return look_along(-from_side, up.expand(n, 3)).float()

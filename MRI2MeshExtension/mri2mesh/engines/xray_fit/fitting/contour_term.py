"""Where a mask of the bone is given: how far the outline of the surface's shadow is from the mask's outline.

Contour points are the middles of the edges between a face turned to the source and one turned away. Only the outer ones
count, those near the border of the shadow, for a mask does not show the contours inside it. The residual of each is its
signed distance to the mask's outline, which moves with the point along the distance's own gradient (as in
iterative-closest-point methods; the points themselves are found again at every step).
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt
from torch import Tensor

from mri2mesh.engines.xray_fit.fitting.family import SurfaceFamily
from mri2mesh.engines.xray_fit.fitting.image_term import Linearised
from mri2mesh.engines.xray_fit.fitting.parameters import Parameters
from mri2mesh.engines.xray_fit.fitting.yardstick import Yardstick
from mri2mesh.errors import InputError
from mri2mesh.geometry.topology import MeshTopology
from mri2mesh.geometry.xray_camera import XrayCamera
from mri2mesh.rendering.edges import contour_edges
from mri2mesh.rendering.projective import ProjectiveCameras
from mri2mesh.rendering.thickness import ray_thickness

BORDER_PX = 1.5
"""A contour point this near to pixels without shadow is an outer one."""


def signed_distance(mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """[H, W] pixels from the mask's outline, positive outside; zero half way between the last pixel in and the first
    out."""
    outside, inside = distance_transform_edt(~mask), distance_transform_edt(mask)
    return np.where(mask, 0.5 - inside, outside - 0.5).astype(np.float32)


class ContourTerm:
    """Signed distances of outer contour points to a mask's outline, in standard deviations.

    mask: [H, W] of the whole bone in the camera's image. deviation_mm: of an outline, at the detector. correlation_mm:
    along which outlines are wrong alike, so that a stretch of this length is one measurement. Raises InputError for a
    mask that is empty or full.
    """

    def __init__(
        self,
        mask: NDArray[np.bool_],
        camera: XrayCamera,
        view: int,
        family: SurfaceFamily,
        deviation_mm: float = 2.0,
        correlation_mm: float = 15.0,
    ) -> None:
        if mask.shape != camera.size:
            raise InputError(f"a mask of {mask.shape} pixels is not that of an image of {camera.size}")
        if mask.all() or not mask.any():
            raise InputError("the mask of the bone is empty or covers the whole image: it has no outline")
        self.noise = 1.0
        self.view, self.family = view, family
        self.cameras = ProjectiveCameras.of([camera])
        device = family.mean.device
        self.topology = MeshTopology.from_faces(family.faces.cpu(), len(family.mean)).to(device)
        distance = torch.from_numpy(signed_distance(mask)).double().to(device)
        down, across = torch.gradient(distance)
        self.field = torch.stack([distance, across, down])[None]
        self.pixel_mm = float(np.mean(camera.pixel_spacing_mm))
        self.deviation_mm, self.correlation_mm = deviation_mm, correlation_mm

    def cost(self, at: Parameters, yardstick: Yardstick | None = None) -> Tensor:
        """[B] half the sum of squares. yardstick: not used."""
        found = [self._points(at.take(torch.tensor([n])))[1:3] for n in range(len(at))]
        return torch.stack([0.5 * (weight * residual**2).sum() for residual, weight in found])

    def rank_cost(self, at: Parameters) -> Tensor:
        """[B] the cost: it is the same wherever a candidate lies."""
        return self.cost(at)

    def linearise(self, at: Parameters, n_shape: int | None = None) -> tuple[Linearised, Yardstick]:
        """As `ImageTerm.linearise`."""
        costs, precisions, slopes = [], [], []
        for n in range(len(at)):
            one = at.take(torch.tensor([n]))
            edges, residual, weight, normal = self._points(one)
            vertices = one.vertices(self.family)
            directions = one.directions(self.family, vertices, self.view, n_shape).double()
            ends = one.seen(vertices, self.view)[:, edges].mean(2)
            moved = self.cameras.project_directions(ends, directions[:, :, edges].mean(3))[0, 0, :, :, :2]
            jacobian = (moved * normal).sum(-1).T * (self.pixel_mm / self.deviation_mm)
            costs.append(0.5 * (weight * residual**2).sum())
            precisions.append(jacobian.T @ (weight[:, None] * jacobian))
            slopes.append(jacobian.T @ (weight * residual))
        cost = torch.stack(costs)
        return Linearised(cost, torch.stack(precisions), torch.stack(slopes)), Yardstick(
            torch.ones_like(cost)
        )

    def distance_mm(self, at: Parameters) -> Tensor:
        """[B] root mean square distance of outer contour points from the mask's outline, mm on the detector."""
        found = [self._points(at.take(torch.tensor([n])))[1:3] for n in range(len(at))]
        squares = [(weight * residual**2).sum() / weight.sum() for residual, weight in found]
        return torch.stack(squares).sqrt() * self.deviation_mm

    def _points(self, at: Parameters) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Of one candidate's outer contour points: their edges [E, 2], residuals [E] in standard deviations (negative
        outside the mask), weights [E] in measurements, gradients of the distance [E, 2] by (column, row)."""
        seen = at.seen(at.vertices(self.family), self.view)
        screen = self.cameras.project(seen)[:, 0]
        _, start, stop = contour_edges(screen, self.topology)
        edges = torch.stack([start, stop], 1)
        ends = screen[0, :, :2][edges]
        place = ends.mean(1)
        shadow = ray_thickness(seen, self.family.surfaces, self.cameras)[0, 0, 0].cpu().numpy() > 0
        depth = distance_transform_edt(np.pad(shadow, 1))[1:-1, 1:-1]
        inside = torch.from_numpy(depth).to(place)[None, None]
        rows, columns = self.cameras.size
        on_image = ((place > -0.5) & (place < place.new_tensor([columns, rows]) - 0.5)).all(1)
        outer = on_image & (_sampled(inside, place)[0] < BORDER_PX)
        edges, place = edges[outer], place[outer]
        length = (ends[outer, 1] - ends[outer, 0]).norm(dim=1) * self.pixel_mm
        distance, across, down = _sampled(self.field, place)
        residual = -distance * self.pixel_mm / self.deviation_mm
        return edges, residual, length / self.correlation_mm, torch.stack([across, down], 1)


def _sampled(images: Tensor, place: Tensor) -> Tensor:
    """[C, E] values of images [1, C, H, W] at (column, row) [E, 2], linear between pixels."""
    rows, columns = images.shape[-2:]
    unit = 2 * place / place.new_tensor([max(columns - 1, 1), max(rows - 1, 1)]) - 1
    return torch.nn.functional.grid_sample(
        images, unit[None, None].to(images), align_corners=True, padding_mode="border"
    )[0, :, 0]

"""Discs made to fit: a template stretched between the endplates of two neighbouring vertebrae.

Every template vertex has coordinates that mean the same in every disc: angle around the axis, radius as a
fraction of the outline, and height as a fraction between the endplates. Discs of all levels and people so
keep one topology.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import LinearNDInterpolator, NearestNDInterpolator
from scipy.ndimage import gaussian_filter1d

from mri2mesh.anatomy.regions import Region
from mri2mesh.errors import InputError
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.transforms import frame

_ANGLES = 72
_OVERHANG = 1.02
"""The annulus inserts on the ring just outside the endplate proper."""
_LEAST_THICKNESS_MM = 0.3


@dataclass(frozen=True)
class Bulge:
    """How far the annulus stands out beyond the line between the rims, at mid-height, mm.

    around_mm: everywhere. focal_mm: a bump (protrusion) centred at focal_angle_deg, in degrees from
    posterior, positive to the patient's right, with standard deviation focal_width_deg. descent: -1..1 moves
    the bump towards the lower (-) or upper (+) rim.
    """

    around_mm: float = 0.8
    focal_mm: float = 0.0
    focal_angle_deg: float = 0.0
    focal_width_deg: float = 18.0
    descent: float = 0.0


@dataclass(frozen=True)
class Endplate:
    """The vertices of an endplate and, as ``lip``, those of the wall just around it; its centre, and the
    unit normal of its plane, pointing up."""

    points: NDArray[np.float64]
    lip: NDArray[np.float64]
    centre: NDArray[np.float64]
    normal: NDArray[np.float64]

    @classmethod
    def of(cls, mesh: Mesh, region: Region, up: NDArray | None = None) -> Endplate:
        """Raises InputError when the surface has no such region. up: [3], by default +z."""
        chosen = np.zeros(len(mesh.vertices), bool) if mesh.regions is None else mesh.regions == region
        if chosen.sum() < 6:
            raise InputError(
                f"the mesh has no {region.name.lower()} region: use one made from this project's template"
            )
        points = mesh.vertices[chosen].astype(np.float64)
        centre = (points.min(0) + points.max(0)) / 2
        mean = points.mean(0)
        normal = np.linalg.svd(points - mean, full_matrices=False)[2][-1]
        up = np.array([0.0, 0.0, 1.0]) if up is None else up
        normal = normal * np.sign(normal @ up)
        # The middle of the bounding box does not lean to where vertices are dense; below it goes back on the plane.
        centre = centre - ((centre - mean) @ normal) * normal
        touched = np.zeros(len(chosen), bool)
        touched[mesh.faces[chosen[mesh.faces].any(axis=1)]] = True
        lip = mesh.vertices[touched & ~chosen & (np.asarray(mesh.regions) == Region.BODY)].astype(np.float64)
        return cls(points, lip, centre, normal)


def disc_between(
    template_disc: Mesh,
    upper: Mesh,
    lower: Mesh,
    *,
    bulge: Bulge | None = None,
    gap_mm: float = 0.5,
    anterior: NDArray | None = None,
    up: NDArray | None = None,
) -> Mesh:
    """The disc between two placed vertebrae: template topology and regions, world coordinates.

    upper, lower: vertebrae (or the sacrum) with endplate regions. gap_mm: cartilage between bone and disc on
    each side; less where the endplates come closer than that. anterior, up: [3] rough directions, by default
    +y and +z. Raises InputError when an endplate region is missing or the endplates are in the wrong order.
    """
    bulge = bulge or Bulge()
    top = Endplate.of(upper, Region.INFERIOR_ENDPLATE, up)
    bottom = Endplate.of(lower, Region.SUPERIOR_ENDPLATE, up)
    to_world = disc_frame(top, bottom, np.array([0.0, 1.0, 0.0]) if anterior is None else anterior)
    axes, middle = to_world[:3, :3], to_world[:3, 3]
    centres = [(plate.centre - middle) @ axes for plate in (bottom, top)]
    if centres[1][2] <= centres[0][2]:
        raise InputError("the upper vertebra is not above the lower one: check their order")

    angle, radius, height = disc_coordinates(template_disc)
    floor, roof = (_Relief(plate, axes, middle, side) for plate, side in ((bottom, 1.0), (top, -1.0)))
    outlines = [_OVERHANG * floor.outline, _OVERHANG * roof.outline]
    extent = (1 - height) * _at(outlines[0], angle) + height * _at(outlines[1], angle)
    centre = (1 - height)[:, None] * centres[0][:2] + height[:, None] * centres[1][:2]
    out = radius * extent + _bulge_mm(bulge, angle, height)
    plane = centre + out[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])

    low, high = floor.height_at(plane), roof.height_at(plane)
    gap = np.clip((high - low - _LEAST_THICKNESS_MM) / 2, 0.0, gap_mm)
    thickness = np.maximum(high - low - 2 * gap, _LEAST_THICKNESS_MM)
    z = (low + high) / 2 + (height - 0.5) * thickness
    return template_disc.with_vertices(middle + np.column_stack([plane, z]) @ axes.T)


class _Relief:
    """An endplate as a height over the plane of the disc: as it is inside, the smoothed height of its rim
    outside.

    side: 1 for the endplate below the disc, -1 for the one above. Where rim and lip differ the one nearer to
    the disc counts, so that no disc cuts into a lip.
    """

    def __init__(self, plate: Endplate, axes: NDArray, middle: NDArray, side: float) -> None:
        self.side = side
        self.centre = ((plate.centre - middle) @ axes)[:2]
        inside, lip = (plate.points - middle) @ axes, (plate.lip - middle) @ axes
        self.outline = outline(inside[:, :2] - self.centre)
        self.rim = self._rim_of(inside)
        raised = side * (lip[:, 2] - _at(self.rim, self._polar(lip[:, :2])[0])) > -0.3
        self.points = np.concatenate([inside, lip[raised]])
        self.rim = self._rim_of(self.points)

    def _rim_of(self, points: NDArray) -> NDArray[np.float64]:
        angle, fraction = self._polar(points[:, :2])
        edge = fraction > 0.85
        return self.side * _around(angle[edge], self.side * points[edge, 2])

    def _polar(self, plane: NDArray) -> tuple[NDArray, NDArray]:
        offset = plane - self.centre
        angle = np.arctan2(offset[:, 1], offset[:, 0])
        return angle, np.hypot(*offset.T) / _at(self.outline, angle)

    def height_at(self, plane: NDArray) -> NDArray[np.float64]:
        """[M] height at [M, 2]."""
        angle, fraction = self._polar(plane)
        rim = _at(self.rim, angle)
        inner = LinearNDInterpolator(self.points[:, :2], self.points[:, 2])(plane)
        inner = np.where(np.isnan(inner), rim, inner)
        outer = np.clip((fraction - 0.85) / 0.15, 0, 1)
        blend = inner + outer * (rim - inner)
        return np.where(outer < 1, self.side * np.maximum(self.side * inner, self.side * blend), rim)


def disc_frame(top: Endplate, bottom: Endplate, anterior: NDArray) -> NDArray[np.float64]:
    """4x4 local-to-world: origin midway between the endplates, z along their mean normal, y near
    ``anterior``."""
    return frame((top.centre + bottom.centre) / 2, top.normal + bottom.normal, anterior)


def disc_coordinates(disc: Mesh) -> tuple[NDArray, NDArray, NDArray]:
    """Per vertex of a disc in its local frame: angle (radians, 0 = right, pi/2 = anterior), radius as a
    fraction of the endplate outline (above 1 on a bulging annulus), and height between the endplates (0
    lower, 1 upper)."""
    if disc.regions is None:
        raise InputError("the disc has no region labels: use this project's disc template")
    return _coordinates(disc.vertices.tobytes(), np.asarray(disc.regions, dtype=np.int64).tobytes())


@lru_cache(maxsize=4)
def _coordinates(vertex_bytes: bytes, region_bytes: bytes) -> tuple[NDArray, NDArray, NDArray]:
    """Once per template: every disc of every spine needs the same numbers."""
    vertices = np.frombuffer(vertex_bytes, np.float32).reshape(-1, 3).astype(np.float64)
    regions = np.frombuffer(region_bytes, np.int64)
    upper, lower = regions == Region.ENDPLATE_SUPERIOR, regions == Region.ENDPLATE_INFERIOR
    plates = vertices[upper | lower]
    centre = (plates[:, :2].min(0) + plates[:, :2].max(0)) / 2
    plane = vertices[:, :2] - centre
    angle = np.arctan2(plane[:, 1], plane[:, 0])
    rim = np.minimum(outline(plane[upper]), outline(plane[lower]))
    radius = np.hypot(*plane.T) / _at(rim, angle)
    height = np.where(upper, 1.0, 0.0)
    wall = ~(upper | lower)
    on_rim = centre + plane[wall] * (np.minimum(1.0, 0.98 / radius[wall]))[:, None]
    low, high = _height_at(vertices[lower], on_rim), _height_at(vertices[upper], on_rim)
    height[wall] = np.clip((vertices[wall, 2] - low) / np.maximum(high - low, 1e-6), 0.0, 1.0)
    return angle, np.minimum(radius, np.where(wall, 1.06, 1.0)), height


def outline(points: NDArray) -> NDArray[np.float64]:
    """Radius of a star-shaped outline around the origin at 72 equally spaced angles, from the points it
    encloses [N, 2]."""
    return _around(np.arctan2(points[:, 1], points[:, 0]), np.hypot(*points.T))


def _around(angle: NDArray, values: NDArray) -> NDArray[np.float64]:
    """Largest of the values in each of the 72 sectors, as a smooth function of the angle."""
    sector = np.floor((angle % (2 * np.pi)) / (2 * np.pi) * _ANGLES).astype(int) % _ANGLES
    largest = np.full(_ANGLES, np.nan)
    for shift in (-1, 0, 1):  # three overlapping sectors, since a rim vertex may be missing from one
        np.fmax.at(largest, (sector + shift) % _ANGLES, values)
    seen = np.isfinite(largest)
    grid = np.arange(_ANGLES)
    return np.asarray(
        gaussian_filter1d(np.interp(grid, grid[seen], largest[seen], period=_ANGLES), 1.5, mode="wrap")
    )


def _at(values: NDArray, angle: NDArray) -> NDArray[np.float64]:
    position = (angle % (2 * np.pi)) / (2 * np.pi) * _ANGLES - 0.5
    return np.interp(position, np.arange(_ANGLES), values, period=_ANGLES)


def _height_at(points: NDArray, plane: NDArray) -> NDArray[np.float64]:
    """Height of the surface through [N, 3] points at [M, 2]; beyond its edge the height of the edge."""
    height = LinearNDInterpolator(points[:, :2], points[:, 2])(plane)
    outside = np.isnan(height)
    if outside.any():
        height[outside] = NearestNDInterpolator(points[:, :2], points[:, 2])(plane[outside])
    return height


def _bulge_mm(bulge: Bulge, angle: NDArray, height: NDArray) -> NDArray[np.float64]:
    """Outward displacement, largest at mid-height (or where the protrusion lies) and none at the rims."""
    profile = 4 * height * (1 - height)
    off = np.degrees((angle + np.pi / 2 - np.radians(bulge.focal_angle_deg) + np.pi) % (2 * np.pi) - np.pi)
    focal = np.exp(-0.5 * (off / bulge.focal_width_deg) ** 2)
    lean = profile * (1 + bulge.descent * (2 * height - 1))
    return bulge.around_mm * profile + bulge.focal_mm * focal * lean

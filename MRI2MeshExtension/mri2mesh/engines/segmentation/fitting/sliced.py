"""Labels drawn on some slices, or on thick ones: contours where they were drawn, and bounds between them.

A voxel of a thick slice is labelled where bone fills more than half of its slab. So a wall that runs through the slab
passes, on the average over the slab, where the contour is; and a surface that ends between two slices is only bounded
by them: the labelled one says that it goes on at least to its middle, the empty one that it ends before.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, gaussian_filter, map_coordinates
from scipy.sparse import csr_matrix
from scipy.spatial import cKDTree

from mri2mesh.engines.segmentation.fitting.observations import Observations, robust, selection
from mri2mesh.engines.segmentation.patch import Patch
from mri2mesh.geometry.edges import edges
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.sampling import vertex_normals

CONTOUR_STEP_MM = 1.0
NORMAL_MM = (8.0, 3.0)
"""What a unit of difference between normals in the plane is worth where the nearest point of a contour is sought: far
away, and near."""
NEAR_MM = 2.0
SLABS = (-1 / 3, 0.0, 1 / 3)
"""Where in a slab, as a fraction of its thickness, a surface is cut to average over it."""
THIN_MM = 2.0
"""Slices up to this are cut at their middle alone."""
FACING = 0.6
"""Cosine between normal and slice axis from which on a piece of surface ends the bone along the axis."""
OPPOSITE, OPPOSITE_MM = 24, 3.0
"""Where the other side of a piece of surface is looked for: among so many points, this near across the axis."""
MIDDLE_WEIGHT = 0.02
"""How strongly a surface that is only bounded is drawn to the middle of its bounds."""
BETWEEN_WEIGHT = 1.0
"""How strongly a wall between two contours counts against a contour itself, where they lie over one another."""
LEANING = 1.0
"""Distance of the contours of two slices, as a share of the distance of the slices, at which a wall between them is
believed half as much."""
AROUND_MM = 12.0
"""How far beyond a bone's labels it is known that there is nothing of it in a slice."""
APART = 1e4
"""mm that keep the points of different planes from being each other's nearest."""


@dataclass(frozen=True)
class _Section:
    """Where edges of a surface meet planes. plane: [N] which. place: [N, 2] mm in the plane. points: [N, V] sparse
    weights. normal: [N, 3] of the surface, RAS. across: [N, 2] its part in the plane, of length 1. steep: [N] length
    that part had."""

    plane: NDArray[np.int64]
    place: NDArray[np.float64]
    points: csr_matrix
    normal: NDArray[np.float64]
    across: NDArray[np.float64]
    steep: NDArray[np.float64]


class SlicedLabels:
    """Evidence of one bone from the slices of a grid that were drawn on.

    drawn: indices, in the image, of the slices along the axis (0 = i, 1 = j, 2 = k) on which everything that is to
    be seen of the bone was drawn, nothing where nothing is. slab_mm: how thick the slices are.
    """

    def __init__(self, bone: Patch, axis: int, drawn: NDArray[np.int64], slab_mm: float) -> None:
        self.axis, self.slab_mm, grid = axis, slab_mm, bone
        self.drawn = _around_the_bone(np.sort(drawn) - bone.low[axis], bone.array.shape[2 - axis])
        self.pitch = float(grid.spacing[axis])
        self.across_axes = [a for a in range(3) if a != axis]
        self.in_plane = grid.spacing[self.across_axes]
        directions = grid.ijk_to_ras[:3, :3] / grid.spacing
        self.u, self.w = directions[:, self.across_axes].T
        normal = np.cross(self.u, self.w)
        self.normal = normal / np.linalg.norm(normal) * np.sign(normal @ directions[:, axis])
        self.grid = bone
        first, last = bone.first[self.across_axes], bone.last[self.across_axes]
        self.inner = first + 0.1, last - 0.1
        slices = np.moveaxis(np.transpose(bone.array, (2, 1, 0)), axis, 0)
        there = (self.drawn >= 0) & (self.drawn < len(slices))
        stack = np.zeros((len(there), *slices.shape[1:]), bool)  # [S, u, w]
        stack[there] = slices[self.drawn[there]]
        self.pad = np.ceil(AROUND_MM / self.in_plane).astype(int)
        self.depth = np.stack([self._signed(one) for one in stack])
        self.offsets = SLABS if slab_mm > THIN_MM else (0.0,)
        self._contours(stack)

    def _signed(self, one: NDArray[np.bool_]) -> NDArray[np.float32]:
        """Signed distance to the contour of a slice, mm, positive inside; its steps smoothed."""
        padded = np.pad(one, [(width, width) for width in self.pad], mode="edge")
        if not one.any():
            return np.full(padded.shape, -1e3, np.float32)
        inside = distance_transform_edt(padded, sampling=self.in_plane)
        outside = distance_transform_edt(~padded, sampling=self.in_plane)
        half = float(self.in_plane.mean()) / 2
        signed = np.where(padded, inside - half, half - outside)
        return gaussian_filter(signed, 0.8).astype(np.float32)

    def _contours(self, stack: NDArray[np.bool_]) -> None:
        plane, place, across = [], [], []
        for number, depth in enumerate(self.depth):
            if not stack[number].any():
                continue
            points = (_zero_crossings(depth) - self.pad) * self.in_plane
            index = points / self.in_plane
            points = points[((index > self.inner[0]) & (index < self.inner[1])).all(axis=1)]
            points = points[_even(points, CONTOUR_STEP_MM)]
            place.append(points)
            across.append(-self._slope(number, points))
            plane.append(np.full(len(points), number))
        self.plane = np.concatenate(plane) if plane else np.zeros(0, np.int64)
        self.place = np.concatenate(place) if place else np.zeros((0, 2))
        self.across = np.concatenate(across) if across else np.zeros((0, 2))
        ijk = np.empty((len(self.plane), 3))
        ijk[:, self.across_axes] = self.place / self.in_plane
        ijk[:, self.axis] = self.drawn[self.plane]
        self.outline = self.grid.ras_from_ijk(ijk)
        self._trees: dict[float, cKDTree] = {}

    def _slope(self, number: int, points: NDArray) -> NDArray[np.float64]:
        """[N, 2] unit gradient of a slice's signed distance at points of it."""
        step = 0.6 * float(self.in_plane.mean())
        at = np.stack(
            [
                self._depth(np.full(len(points), number), points + sign * step * direction)
                for direction in np.eye(2)
                for sign in (1, -1)
            ],
            axis=1,
        )
        slope = np.stack([at[:, 0] - at[:, 1], at[:, 2] - at[:, 3]], axis=1)
        return np.asarray(slope / np.maximum(np.linalg.norm(slope, axis=1, keepdims=True), 1e-9))

    def _depth(self, number: NDArray, place: NDArray) -> NDArray[np.float64]:
        index = np.column_stack([number, place / self.in_plane + self.pad])
        return np.asarray(map_coordinates(self.depth, index.T, order=1, mode="nearest"), dtype=np.float64)

    def _in_slices(self, points: NDArray) -> tuple[NDArray, NDArray]:
        """Slice coordinate [N] and place in the plane [N, 2], mm."""
        ijk = self.grid.ijk_from_ras(points)
        return ijk[:, self.axis], ijk[:, self.across_axes] * self.in_plane

    def observe(self, vertices: NDArray, faces: NDArray, used: NDArray, spread: float) -> Observations:
        normals = vertex_normals(Mesh(vertices, faces))
        bounds = self._bounds(vertices, normals, np.flatnonzero(used), spread)
        between = self._between(vertices, normals, np.flatnonzero(used), spread)
        section = self._section(vertices, normals, faces, used)
        if not len(section.plane) or not len(self.plane):
            return bounds.joined(between)
        return self._walls(section, spread).joined(bounds).joined(between)

    def _section(self, vertices: NDArray, normals: NDArray, faces: NDArray, used: NDArray) -> _Section:
        """The surface cut by every drawn plane, at each offset within the slab."""
        pairs = edges(faces[used[faces].all(axis=1)])
        height, place = self._in_slices(vertices)
        share = self.slab_mm / self.pitch
        heights = (self.drawn[:, None] + share * np.asarray(self.offsets)).ravel()
        order = np.argsort(heights)
        levels = heights[order]
        ends = height[pairs]
        first = np.searchsorted(levels, ends.min(axis=1), "right")
        count = np.searchsorted(levels, ends.max(axis=1), "left") - first
        edge = np.repeat(np.arange(len(pairs)), np.maximum(count, 0))
        within = np.arange(len(edge)) - np.repeat(
            np.cumsum(np.maximum(count, 0)) - np.maximum(count, 0), np.maximum(count, 0)
        )
        level = first[edge] + within
        a, b = pairs[edge].T
        t = (levels[level] - height[a]) / (height[b] - height[a])
        rows = np.arange(len(edge))
        points = csr_matrix(
            (np.concatenate([1 - t, t]), (np.concatenate([rows, rows]), np.concatenate([a, b]))),
            (len(edge), len(vertices)),
        )
        normal = (1 - t)[:, None] * normals[a] + t[:, None] * normals[b]
        normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-9)
        across = np.column_stack([normal @ self.u, normal @ self.w])
        steep = np.linalg.norm(across, axis=1)
        where = (1 - t)[:, None] * place[a] + t[:, None] * place[b]
        across = across / np.maximum(steep, 1e-9)[:, None]
        return _Section(order[level], where, points, normal, across, steep)

    def _walls(self, section: _Section, spread: float) -> Observations:
        normal_mm = NORMAL_MM[0] if spread > NEAR_MM else NORMAL_MM[1]
        per_slice = len(self.offsets)
        # From the contours: each point meets the surface at every offset of its slab, and counts on their average.
        tree = cKDTree(_features(section.plane, section.place, section.across, normal_mm))
        total = np.zeros(len(self.plane))
        offset, direction = np.zeros(len(self.plane)), np.zeros((len(self.plane), 3))
        weight = np.zeros(len(self.plane))
        rows = csr_matrix((len(self.plane), section.points.shape[1]))
        for number in range(per_slice):
            planes = self.plane * per_slice + number
            far, hit = tree.query(_features(planes, self.place, self.across, normal_mm))
            hit = np.minimum(hit, len(section.plane) - 1)
            met = (far < APART / 2) & (np.einsum("nd,nd->n", section.across[hit], self.across) > 0.3)
            away = self.place - section.place[hit]
            along = np.einsum("nd,nd->n", away, self.across) * section.steep[hit]
            trust = met * robust(np.linalg.norm(away, axis=1), spread) * section.steep[hit] ** 2
            picked = section.points[hit].multiply(trust[:, None]).tocsr()
            rows = rows + picked
            total += trust
            offset += trust * along
            direction += trust[:, None] * section.normal[hit]
            weight = np.maximum(weight, trust)
        believed = total > 1e-6
        scale = 1 / np.maximum(total, 1e-6)
        direction /= np.maximum(np.linalg.norm(direction, axis=1, keepdims=True), 1e-9)
        from_contours = Observations(
            csr_matrix(rows.multiply(scale[:, None])),
            direction,
            offset * scale,
            weight * believed,
        )
        # From the surface: where it runs in a slice, at its middle, a contour should be.
        middle = np.flatnonzero(section.plane % per_slice == per_slice // 2)
        if normal_mm not in self._trees:
            self._trees[normal_mm] = cKDTree(_features(self.plane, self.place, self.across, normal_mm))
        features = _features(
            section.plane[middle] // per_slice, section.place[middle], section.across[middle], normal_mm
        )
        far, hit = self._trees[normal_mm].query(features)
        met = far < APART / 2
        middle, hit = middle[met], hit[met]
        away = self.place[hit] - section.place[middle]
        steep = section.steep[middle]
        agree = np.einsum("nd,nd->n", section.across[middle], self.across[hit]) > 0.3
        trust = robust(np.linalg.norm(away, axis=1), spread) * steep**2 * agree
        along = np.einsum("nd,nd->n", away, self.across[hit]) * steep
        return from_contours.joined(
            Observations(section.points[middle], section.normal[middle], along, trust)
        )

    def _bounds(self, vertices: NDArray, normals: NDArray, own: NDArray, spread: float) -> Observations:
        """Vertices whose surface ends the bone along the slices' axis, and the slices that bound it there."""
        facing = normals[own] @ self.normal
        ends = np.abs(facing) > FACING
        own, facing = own[ends], facing[ends]
        height, place = self._in_slices(vertices[own])
        up = facing > 0
        depth, gap = _to_the_other_side(height, place, up)
        # Seen from the bone, `behind` is the nearest drawn slice that the bone should reach, `ahead` the next beyond.
        above = np.searchsorted(self.drawn, height, "left")
        behind, ahead = np.where(up, above - 1, above), np.where(up, above, above - 1)
        last = len(self.drawn) - 1
        has_behind, has_ahead = (behind >= 0) & (behind <= last), (ahead >= 0) & (ahead <= last)
        behind, ahead = np.clip(behind, 0, last), np.clip(ahead, 0, last)
        margin = float(self.in_plane.mean())
        # Only where the surface says otherwise: a slice beyond the thickness of a process says nothing of its end.
        empty = (
            has_behind
            & (self._depth(behind, place) < -margin)
            & (np.abs(self.drawn[behind] - height) < depth)
        )
        full = has_ahead & (self._depth(ahead, place) > margin) & (np.abs(self.drawn[ahead] - height) < gap)
        to_behind = (self.drawn[behind] - height) * self.pitch
        to_ahead = (self.drawn[ahead] - height) * self.pitch
        bounded = has_behind & has_ahead & ~empty & ~full
        move = np.where(
            empty, to_behind, np.where(full, to_ahead, np.where(bounded, (to_behind + to_ahead) / 2, 0.0))
        )
        trust = np.where(
            empty | full, robust(move, max(spread, self.pitch)), np.where(bounded, MIDDLE_WEIGHT, 0.0)
        )
        said = trust > 0
        direction = np.broadcast_to(self.normal, (int(said.sum()), 3))
        return Observations(selection(own[said], len(vertices)), direction, move[said], trust[said])

    def _between(self, vertices: NDArray, normals: NDArray, own: NDArray, spread: float) -> Observations:
        """Where the contours of two slices lie nearly over one another, a wall runs from one to the other: signed
        distances interpolated between slices (Raya and Udupa 1990) say where. The further the contours are apart, the
        less that is to be believed."""
        height, place = self._in_slices(vertices[own])
        above = np.searchsorted(self.drawn, height, "left")
        inner = (above > 0) & (above < len(self.drawn))
        own, height, place, above = own[inner], height[inner], place[inner], above[inner]
        low, high = self.drawn[above - 1], self.drawn[above]
        share = (height - low) / (high - low)
        below_depth, above_depth = self._depth(above - 1, place), self._depth(above, place)
        depth = (1 - share) * below_depth + share * above_depth
        gap = (high - low) * self.pitch
        slope = np.zeros((len(own), 3))
        for direction, axis in ((self.u, 0), (self.w, 1)):
            step = np.zeros(2)
            step[axis] = 0.6 * float(self.in_plane.mean())
            change = [
                (1 - share) * self._depth(above - 1, place + sign * step)
                + share * self._depth(above, place + sign * step)
                for sign in (1, -1)
            ]
            slope += ((change[0] - change[1]) / (2 * step[axis]))[:, None] * direction
        slope += ((above_depth - below_depth) / gap)[:, None] * self.normal
        steep = np.linalg.norm(slope, axis=1)
        outward = -slope / np.maximum(steep, 1e-6)[:, None]
        offset = depth / np.maximum(steep, 0.3)
        agree = np.einsum("nd,nd->n", outward, normals[own])
        leaning = (above_depth - below_depth) / (LEANING * gap)
        trust = BETWEEN_WEIGHT / (1 + leaning**2) * robust(offset, spread) * (agree > 0.5) * (steep > 0.3)
        said = trust > 1e-4
        return Observations(selection(own[said], len(vertices)), outward[said], offset[said], trust[said])

    def covers(self, vertices: NDArray, normals: NDArray) -> NDArray[np.float64]:
        height, place = self._in_slices(vertices)
        nearest = np.clip(np.searchsorted(self.drawn, height - 0.5), 0, len(self.drawn) - 1)
        before = np.maximum(nearest - 1, 0)
        closer = np.abs(self.drawn[before] - height) < np.abs(self.drawn[nearest] - height)
        nearest = np.where(closer, before, nearest)
        away = np.abs(self.drawn[nearest] - height) * self.pitch
        within = np.clip(1.5 - away / (self.slab_mm / 2), 0.0, 1.0)
        near_contour = robust(np.abs(self._depth(nearest, place)), 1.5)
        return np.asarray(within * np.where(np.abs(normals @ self.normal) > FACING, 1.0, near_contour))


def _to_the_other_side(
    height: NDArray, place: NDArray, up: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Of points of a surface that end it along an axis: how thick it is behind each, and how far it is to the next
    piece of it ahead, as differences of height; infinite where nothing is found.

    height: [N]. place: [N, 2] mm across. up: [N] which way they face.
    """
    depth, gap = np.full(len(height), np.inf), np.full(len(height), np.inf)
    for side in (True, False):
        one, other = np.flatnonzero(up == side), np.flatnonzero(up != side)
        if not len(one) or not len(other):
            continue
        count = min(OPPOSITE, len(other))
        away, there = cKDTree(place[other]).query(place[one], k=np.arange(1, count + 1))
        ahead = (height[other][there] - height[one][:, None]) * (1.0 if side else -1.0)
        ahead[away > OPPOSITE_MM] = np.nan
        depth[one] = np.fmin.reduce(np.where(ahead < 0, -ahead, np.inf), axis=1)
        gap[one] = np.fmin.reduce(np.where(ahead > 0, ahead, np.inf), axis=1)
    return depth, gap


def _around_the_bone(drawn: NDArray[np.int64], length: int) -> NDArray[np.int64]:
    """The drawn slices that a bone of so many slices is on, and two beyond each end."""
    within = np.flatnonzero((drawn >= 0) & (drawn < length))
    return drawn[max(within[0] - 2, 0) : within[-1] + 3]


def _features(plane: NDArray, place: NDArray, across: NDArray, normal_mm: float) -> NDArray[np.float64]:
    return np.column_stack([APART * plane, place, normal_mm * across])


def _zero_crossings(depth: NDArray) -> NDArray[np.float64]:
    """[N, 2] places in pixels where a field [u, w] changes sign between neighbouring pixels."""
    found = []
    for axis in range(2):
        before = np.moveaxis(depth, axis, 0)[:-1].astype(np.float64)
        after = np.moveaxis(depth, axis, 0)[1:].astype(np.float64)
        where = np.argwhere((before > 0) != (after > 0))
        a, b = before[tuple(where.T)], after[tuple(where.T)]
        places = where.astype(np.float64)
        places[:, 0] += a / (a - b)
        found.append(places if axis == 0 else places[:, ::-1])
    return np.concatenate(found)


def _even(place: NDArray, step: float) -> NDArray[np.int64]:
    """Indices of one point for each square, of this side, that holds any: as dense everywhere."""
    _, first = np.unique(np.floor(place / step).astype(np.int64), axis=0, return_index=True)
    return np.sort(first)

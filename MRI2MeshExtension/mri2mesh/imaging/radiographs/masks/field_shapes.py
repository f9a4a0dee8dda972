"""The shape of the exposed field: the circle of an image intensifier and the straight edges of blades.

The field is convex: a circle cut by straight edges. The circle is fitted where its outline touches its convex
hull, an edge where (nearly) nothing of the field lies beyond it; metal and thick anatomy at the rim do neither.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.optimize import least_squares
from scipy.spatial import ConvexHull, QhullError

from mri2mesh.imaging.radiographs.masks.working_size import shrink

SHADOW = 0.25
"""Fraction of the light in the middle of the picture that may reach pixels behind lead: scatter only."""
BRIGHT = 85
"""Percentile of the middle of the picture that is in the field even where blades leave a fifth of the middle free."""
MARKS = 0.05
"""Fraction of the picture behind a blade that letters and markers may cover."""
BLANKED = 0.998
"""Least value, of the full scale, of pixels that software blanked at the bright end."""
ON_HULL_PX, ON_CIRCLE_PX, ON_EDGE_PX = 6.0, 2.0, 4.0
"""Distances at the working size; an intensifier bends straight edges by several pixels (pincushion)."""
OFF_CIRCLE_PX = 8.0
"""Least distance of a straight edge from the circle: nearer to it, a short arc would pass for an edge."""
LEAST_ARC_DEG, LEAST_RUN_DEG = 60, 35
"""Of the rim on the circle: in all, and in one piece. A straight edge keeps within twice `ON_CIRCLE_PX` of a circle
that it touches over some 20 degrees."""
LEAST_ROUND = 0.25
"""Least fraction of the image inside the circle of an intensifier: less is a bubble of gas, a head of bone, air."""
LEAST_EDGE = 0.2
"""Least length of an edge, as a fraction of the shorter side of the image."""
MOST_EDGES = 8
BEYOND, SAMPLE = 0.005, 4000
"""Fraction of the field that glare may carry beyond an edge; number of the field's pixels it is judged by."""
BLUR_PX = 12.0
"""Half of the width over which the shadow of a blade, far from the detector, fades."""
ALIGNED_DEG = 0.5
TRIALS = 400


@dataclass(frozen=True)
class Circle:
    """In pixels; the field is inside."""

    column: float
    row: float
    radius: float

    def beyond(self, columns: NDArray, rows: NDArray) -> NDArray[np.float64]:
        """Distance outside the circle, negative inside."""
        return np.hypot(columns - self.column, rows - self.row) - self.radius


@dataclass(frozen=True)
class Edge:
    """A straight edge in pixels; the field is where column * x + row * y <= offset, (x, y) a unit vector."""

    x: float
    y: float
    offset: float

    def beyond(self, columns: NDArray, rows: NDArray) -> NDArray[np.float64]:
        """Distance behind the edge, negative in the field."""
        return np.asarray(columns * self.x + rows * self.y - self.offset)

    @property
    def aligned(self) -> bool:
        """Along the rows or columns of the image."""
        return min(abs(self.x), abs(self.y)) < np.sin(np.radians(ALIGNED_DEG))


def find_field(picture: NDArray, *, dark: bool) -> tuple[Circle | None, list[Edge]]:
    """Circle and straight edges around the field of a picture, [rows, columns] in 0..1.

    dark: whether what is outside the field is looked for at the dark or at the bright end of the scale.
    """
    small, step = shrink(picture)
    light = small if dark else 1 - small
    circle, edges = None, list[Edge]()
    for number, covered in enumerate(_shadowed(small) if dark else [small >= BLANKED]):
        field = _field(covered)
        circle = _circle(_convex_rim(field), light)
        edges = [
            _refined_edge(edge, field, light)
            for edge in _edges(field, circle)
            if _is_sharp(edge, field, light)
        ]
        if number > 0:
            # beside what is brightest a bone's straight shaft is dark too, but not all that lies behind it
            edges = [edge for edge in edges if _all_behind(edge, covered)]
            circle = circle if circle is not None and _all_behind(circle, covered) else None
        if circle is not None or edges:
            break
    # A block's centre lies (step - 1) / 2 pixels after its first pixel.
    shift = (step - 1) / 2
    if circle is not None:
        circle = Circle(step * circle.column + shift, step * circle.row + shift, step * circle.radius)
    scaled = [Edge(edge.x, edge.y, step * edge.offset + shift * (edge.x + edge.y)) for edge in edges]
    return circle, scaled


def _shadowed(picture: NDArray) -> Iterator[NDArray[np.bool_]]:
    """[rows, columns] what lies in the dark beside the middle of the picture; then, beside the brightest there, for
    blades may cover most of the middle too."""
    rows, columns = picture.shape
    middle = picture[rows // 4 : rows - rows // 4, columns // 4 : columns - columns // 4]
    smooth = ndimage.gaussian_filter(picture, 1.0)
    for share in (50, BRIGHT):
        yield np.asarray(smooth < SHADOW * np.percentile(middle, share))


def _field(covered: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """[rows, columns]; the largest part that is not covered from the frame of the image inwards."""
    labels, _ = ndimage.label(covered)
    frame = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    outside = np.isin(labels, np.unique(frame[frame > 0]))
    parts, count = ndimage.label(ndimage.binary_opening(~outside, iterations=3))
    if not outside.any() or not count:
        return np.zeros(covered.shape, dtype=bool)
    return np.asarray(parts == 1 + np.argmax(np.bincount(parts.ravel())[1:]))


def _rim(field: NDArray[np.bool_]) -> NDArray[np.float64]:
    """[n, 2] (column, row) on the outline of the field, none at the frame of the image."""
    rim = field & ~ndimage.binary_erosion(field)
    rim[:3] = rim[-3:] = False
    rim[:, :3] = rim[:, -3:] = False
    return np.argwhere(rim)[:, ::-1].astype(np.float64)


def _convex_rim(field: NDArray[np.bool_]) -> NDArray[np.float64]:
    """[n, 2] (column, row) on the outline of the field where it is convex."""
    points = _rim(field)
    try:
        hull = ConvexHull(points)
    except (QhullError, ValueError):  # too few points, or all on a line
        return np.empty((0, 2))
    depth = -(points @ hull.equations[:, :2].T + hull.equations[:, 2]).max(axis=1)
    return points[depth <= ON_HULL_PX]


def _circle(points: NDArray, light: NDArray) -> Circle | None:
    """The circle with the most points on it, if they cover enough of an arc, through where the light falls."""
    if len(points) < 30:
        return None
    random = np.random.default_rng(0)
    best, most = None, 0
    for _ in range(TRIALS):
        candidate = _through(points[random.choice(len(points), 3, replace=False)])
        if candidate is None or not 0.2 <= candidate.radius / max(light.shape) <= 0.8:
            continue
        on_it = int((np.abs(candidate.beyond(*points.T)) < ON_CIRCLE_PX).sum())
        if on_it > most:
            best, most = candidate, on_it
    if best is None:
        return None
    for _ in range(2):
        near = points[np.abs(best.beyond(*points.T)) < ON_CIRCLE_PX]
        outward = (near - [best.column, best.row]) / best.radius
        steepest = _where_light_falls(light, near, outward)
        fitted = least_squares(
            lambda p, xy=steepest: np.hypot(xy[:, 0] - p[0], xy[:, 1] - p[1]) - p[2],
            [best.column, best.row, best.radius],
            loss="soft_l1",
        ).x
        best = Circle(*(float(value) for value in fitted))
    near = points[np.abs(best.beyond(*points.T)) < 2 * ON_CIRCLE_PX]
    runs = _runs_deg(np.degrees(np.arctan2(near[:, 1] - best.row, near[:, 0] - best.column)))
    rows, columns = np.mgrid[: light.shape[0], : light.shape[1]]
    wide = (best.beyond(columns, rows) < 0).mean() >= LEAST_ROUND
    on_it = len(near) >= len(points) / 5 and sum(runs) >= LEAST_ARC_DEG and max(runs) >= LEAST_RUN_DEG
    return best if wide and on_it else None


def _runs_deg(angles: NDArray) -> list[float]:
    """Lengths of the arcs without a gap of 5 degrees that angles [n] cover."""
    filled = np.zeros(72, dtype=bool)
    filled[(angles // 5).astype(int) % 72] = True
    if filled.all():
        return [360.0]
    start = int(np.argmin(filled))
    labels, count = ndimage.label(np.roll(filled, -start))
    return [5.0 * float((labels == number).sum()) for number in range(1, count + 1)] or [0.0]


def _through(three: NDArray) -> Circle | None:
    """The circle through three points (column, row), None where they lie on a line."""
    matrix = np.c_[2 * three, np.ones(3)]
    if abs(np.linalg.det(matrix)) < 1e-6:
        return None
    column, row, rest = np.linalg.solve(matrix, (three**2).sum(axis=1))
    return Circle(float(column), float(row), float(np.sqrt(max(rest + column**2 + row**2, 0))))


def _edges(field: NDArray[np.bool_], circle: Circle | None) -> Iterator[Edge]:
    """Straight edges, longest first, among the points that are not on the circle; the field ends at each."""
    points, shape = _rim(field), field.shape
    inside = np.argwhere(field)[:: max(1, int(field.sum()) // SAMPLE), ::-1]
    random = np.random.default_rng(0)
    if circle is not None:
        points = points[np.abs(circle.beyond(*points.T)) >= OFF_CIRCLE_PX]
    for _ in range(MOST_EDGES):
        best = np.zeros(len(points), dtype=bool)
        for _ in range(TRIALS if len(points) >= LEAST_EDGE * min(shape) / 2 else 0):
            first, second = points[random.choice(len(points), 2, replace=False)]
            along = (second - first) / np.linalg.norm(second - first)
            across = np.array([-along[1], along[0]])
            on_it = np.abs((points - first) @ across) < ON_EDGE_PX
            if on_it.sum() > best.sum() and _least_side((inside - first) @ across) < BEYOND:
                best = on_it
        if not best.any():
            return
        middle = points[best].mean(axis=0)
        along = np.linalg.svd(points[best] - middle, full_matrices=False)[2][0]
        length = np.ptp((points[best] - middle) @ along)
        if length < LEAST_EDGE * min(shape) or best.sum() < length / 2:
            return
        across = np.array([-along[1], along[0]])
        across = across if np.median((inside - middle) @ across) < 0 else -across
        yield Edge(float(across[0]), float(across[1]), float(across @ middle))
        points = points[~best]


def _refined_edge(edge: Edge, field: NDArray[np.bool_], light: NDArray) -> Edge:
    """The edge moved to where the light falls fastest."""
    points = _rim(field)
    points = points[np.abs(edge.beyond(*points.T)) < ON_EDGE_PX]
    outward = np.broadcast_to([edge.x, edge.y], points.shape)
    moved = np.median(edge.beyond(*_where_light_falls(light, points, outward).T))
    return Edge(edge.x, edge.y, edge.offset + float(moved))


def _where_light_falls(light: NDArray, points: NDArray, outward: NDArray) -> NDArray[np.float64]:
    """[n, 2] points (column, row) moved along unit vectors to the steepest fall of the light nearby.

    Where a threshold is crossed depends on how bright the field is beside it; the steepest fall does not.
    """
    reach = np.arange(-BLUR_PX, BLUR_PX / 2 + 0.5)
    places = points[:, None] + reach[:, None] * outward[:, None]
    profiles = ndimage.map_coordinates(light, places[..., ::-1].transpose(2, 0, 1), order=1, mode="nearest")
    falls = -ndimage.gaussian_filter1d(profiles, 1.0, axis=1, order=1)
    return np.asarray(points + reach[falls.argmax(axis=1)][:, None] * outward)


def _is_sharp(edge: Edge, field: NDArray[np.bool_], light: NDArray) -> bool:
    """Whether the light falls to less than half within the shadow's blur, as it does not where anatomy fades."""
    points = _rim(field)
    points = points[np.abs(edge.beyond(*points.T)) < ON_EDGE_PX]
    either_side = BLUR_PX * np.array([[[edge.y, edge.x]], [[-edge.y, -edge.x]]])
    places = (points[:, ::-1] + either_side).transpose(2, 0, 1)
    behind, before = ndimage.map_coordinates(light, places, order=1, mode="nearest")
    return bool(np.median(behind) < np.median(before) / 2)


def _all_behind(shape: Circle | Edge, covered: NDArray[np.bool_]) -> bool:
    """Whether the whole picture outside a circle or behind an edge is covered, but for the blur and a few marks."""
    rows, columns = np.mgrid[: covered.shape[0], : covered.shape[1]]
    behind = shape.beyond(columns, rows) > BLUR_PX / 2
    return bool(behind.any()) and bool(covered[behind].mean() > 1 - MARKS)


def _least_side(distances: NDArray) -> float:
    """Of the points clearly off a line, the share on the side that has fewer."""
    return float(min((distances > ON_EDGE_PX).mean(), (distances < -ON_EDGE_PX).mean()))

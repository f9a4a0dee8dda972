"""Surfaces that fold or run into each other, mended before anybody sees them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from mri2mesh.anatomy.clearance import keep_apart
from mri2mesh.anatomy.structures import STRUCTURES
from mri2mesh.anatomy.templates import template
from mri2mesh.geometry.checks import crossing_faces
from mri2mesh.geometry.connectivity import neighbour_average
from mri2mesh.geometry.distances import signed_distance
from mri2mesh.geometry.intersections import self_intersecting_pairs
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.repair import untangle
from mri2mesh.geometry.sampling import vertex_normals
from mri2mesh.geometry.transforms import rigid_fit
from mri2mesh.quality.departure import Departure

GAP_MM = 0.2
FACET_GAP_MM = 0.6
STEP_MM = 1.0
"""The most that a vertex is pushed in a round: the nearest way out of a deep overlap may be the wrong one, and a long
push along it tears a surface apart."""

ROUNDS = 6
PASSES = 3
"""Number of passes: taking folds out can bring neighbours together again, and parting one pair can press another
together."""

UNFOLDING_ROUNDS = 8
CALMER = (1.0, 0.7, 0.4, 0.0)
"""Shares of its shape that a surface keeps against the template's where its folds cannot be smoothed away."""

CLEARLY_MM, CLEARLY_TURNED = 1.0, 0.5
"""A point so far in front of the surface around its nearest vertex, and by so much of its distance, is outside."""

SPREAD_STEPS = 3
"""Smoothing of the moves over a surface, so that a push leaves a dent and no spike."""


def separate(
    meshes: dict[str, Mesh],
    alive: Callable[[], None] = lambda: None,
    *,
    homes: Mapping[str, Mesh] | None = None,
    bend_arches: bool = True,
    left_as_found: Collection[frozenset[str]] = (),
) -> dict[str, Mesh]:
    """Closed surfaces, keyed by structure and ordered along the spine, without folds and without overlap.

    Between bone and disc the disc gives way; between bones both do. A fold is smoothed away where it is; freedom
    from folds comes last, so it holds even where some overlap of neighbours is left.
    alive: called between the steps; what it raises ends the work. homes: for each surface one of the same faces that
    has no folds, by default the template of its kind. bend_arches: whether facets that cross are bent past one another,
    as where a network put them; labels have them on the right side already.
    left_as_found: sets of names that are too deep in one another to be parted: pushing them out would tear them, so
    their overlap stays, for the checks to mark.
    """

    def clean(name: str) -> Mesh:
        alive()
        home = template(STRUCTURES[name].kind) if homes is None else homes[name]
        return unfolded(meshes[name], home)

    def parted(first: str, second: str) -> bool:
        return not any({first, second} <= together for together in left_as_found)

    meshes = {name: clean(name) for name in meshes}
    if bend_arches:
        _bend_arches(meshes, parted)
    for _ in range(PASSES):
        changed: set[str] = set()
        for first, second in touching_pairs(meshes):
            alive()
            if not parted(first, second):
                continue
            apart = _apart(meshes[first], meshes[second], _share(first, second))
            for name, mesh in zip((first, second), apart, strict=True):
                if mesh is not meshes[name]:
                    meshes[name] = mesh
                    changed.add(name)
        if not changed:
            break
        meshes.update({name: clean(name) for name in changed})
    return meshes


def _bend_arches(meshes: dict[str, Mesh], wanted: Callable[[str, str], bool]) -> None:
    """Neighbouring vertebrae whose facets cross are bent apart, the upper's behind the lower's.

    A facet deep in its partner has no nearest way out that is the right one: that takes anatomy, not geometry.
    """
    bones = [
        name for name in meshes if STRUCTURES[name].kind == "vertebra" and meshes[name].regions is not None
    ]
    home = template("vertebra").vertices.astype(np.float64)
    for upper, lower in pairwise(bones):
        if not wanted(upper, lower):
            continue
        frame = rigid_fit(home, meshes[lower].vertices.astype(np.float64))
        meshes[upper], meshes[lower] = keep_apart(meshes[upper], meshes[lower], frame, gap_mm=FACET_GAP_MM)


def unfolded(mesh: Mesh, home: Mesh) -> Mesh:
    """The surface without self-intersections: how it departs from ``home`` is made smooth around each fold.

    What remains is untangled as any surface is, in the end nearer to ``home``.
    """
    pairs = crossing_faces(mesh)
    if not len(pairs):
        return mesh
    departure = Departure(mesh, home)
    for number in range(UNFOLDING_ROUNDS):
        tangled = np.zeros(len(mesh.vertices), bool)
        tangled[mesh.faces[pairs]] = True
        free = departure.smooth(tangled, number)
        mesh = departure.mesh()
        near: NDArray[np.bool_] = np.any(free[mesh.faces], axis=1)
        pairs = self_intersecting_pairs(mesh.vertices.astype(np.float64), mesh.faces, near)
        if not len(pairs):
            return mesh
    for share in CALMER:
        result = untangle(departure.mesh(share))
        if not result.remaining:
            break
    return result.mesh


def touching_pairs(meshes: dict[str, Mesh]) -> list[tuple[str, str]]:
    """Pairs of structures whose bounding boxes overlap: only they can run into each other."""
    names = list(meshes)
    low = {name: mesh.vertices.min(0) for name, mesh in meshes.items()}
    high = {name: mesh.vertices.max(0) for name, mesh in meshes.items()}
    return [
        (a, b)
        for n, a in enumerate(names)
        for b in names[n + 1 :]
        if (low[a] <= high[b]).all() and (low[b] <= high[a]).all()
    ]


def _share(first: str, second: str) -> float:
    """Share of the way that the first gives: all of it when only it is a disc."""
    soft = [STRUCTURES[name].kind == "disc" for name in (first, second)]
    return {(True, False): 1.0, (False, True): 0.0}.get((soft[0], soft[1]), 0.5)


def _apart(a: Mesh, b: Mesh, share: float) -> tuple[Mesh, Mesh]:
    for _ in range(ROUNDS):
        moved = False
        if share > 0:
            a, deep = _pushed_out(a, b, share)
            moved |= deep
        if share < 1:
            b, deep = _pushed_out(b, a, 1 - share)
            moved |= deep
        if not moved:
            break
    return a, b


def _pushed_out(mesh: Mesh, other: Mesh, share: float) -> tuple[Mesh, bool]:
    """Vertices of ``mesh`` inside ``other`` moved towards its surface; False when none was inside.

    The way out is along the normal of the other surface nearby. A vertex of the other inside this mesh is met by
    moving this mesh's nearest vertices inwards, so that thin plates, all of whose vertices are outside, part too.
    """
    vertices = mesh.vertices.astype(np.float64)
    move = np.zeros_like(vertices)
    mine, nearest = _maybe_inside(vertices, other)
    if len(mine):
        depth = -signed_distance(vertices[mine], other)
        way = np.where(depth > 0, np.minimum(depth + GAP_MM, STEP_MM), 0.0)
        move[mine] = share * way[:, None] * vertex_normals(other)[nearest]
    points = other.vertices.astype(np.float64)
    theirs, hit = _maybe_inside(points, mesh)
    if len(theirs):
        depth = -signed_distance(points[theirs], mesh)
        normals = vertex_normals(mesh)
        for vertex, deep in zip(hit[depth > 0], depth[depth > 0], strict=True):
            wanted = -share * min(deep + GAP_MM, STEP_MM) * normals[vertex]
            if np.linalg.norm(wanted) > np.linalg.norm(move[vertex]):
                move[vertex] = wanted
    if not move.any():
        return mesh, False
    return mesh.with_vertices(vertices + _spread(move, mesh)), True


def _maybe_inside(points: NDArray, other: Mesh) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Which of the points [N, 3] may lie inside a closed surface, and its vertex nearest to each of these.

    Exact distances cost most of the time here, so points are asked first that nobody needs them for: those beyond the
    box, and those clearly in front of the surface around its nearest vertex.
    """
    chosen = np.flatnonzero(((points >= other.vertices.min(0)) & (points <= other.vertices.max(0))).all(1))
    if not len(chosen):
        return chosen, chosen
    _, nearest = cKDTree(other.vertices).query(points[chosen])
    away = points[chosen] - other.vertices[nearest]
    in_front = np.einsum("nc,nc->n", away, vertex_normals(other)[nearest])
    maybe = in_front <= np.maximum(CLEARLY_MM, CLEARLY_TURNED * np.linalg.norm(away, axis=1))
    return chosen[maybe], nearest[maybe]


def _spread(move: NDArray, mesh: Mesh) -> NDArray:
    """Moves diffused to the neighbours; a vertex that has to move is not held back by those that need not."""
    average = neighbour_average(mesh.faces, len(mesh.vertices))
    wanted = np.linalg.norm(move, axis=1, keepdims=True)
    spread = move
    for _ in range(SPREAD_STEPS):
        spread = 0.5 * spread + 0.5 * (average @ spread)
    return np.where(wanted > 0, move, spread)

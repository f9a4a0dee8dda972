"""Films of the chest, for what a network of lumbar vertebrae must not take for them: a trunk with the spine and the
ribs above T9 added, and a camera that looks at them.

T9 with its ribs serves for all levels above it, smaller from one to the next and bent forwards: what matters is that
there are vertebrae with ribs. What of T11 to L5 is in view has its truth as in other films.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from mri2mesh.anatomy.lumbar_region import BONES
from mri2mesh.rendering.surfaces import ClosedSurfaces
from mri2mesh.synthesis.films.case import TRUTH_GRID, FilmCase, bone_paths, surface_truth
from mri2mesh.synthesis.films.lumbar.parts import SIDES, trunk_parts
from mri2mesh.synthesis.films.lumbar.region import LumbarRegion
from mri2mesh.synthesis.films.lumbar.tissue import lumbar_tissue
from mri2mesh.synthesis.films.lumbar.views import lumbar_geometry
from mri2mesh.synthesis.films.soft_tissue import Ellipsoid, interval, ray_directions
from mri2mesh.synthesis.films.views import View, rolled

ABOVE = 8
"""Vertebrae above T9."""
_SHRINKING = 0.965
_KYPHOSIS_DEG = (3.5, 1.2)
_COPIED = ("T9", *(f"rib {side} T9" for side in SIDES))


def make_chest_case(region: LumbarRegion, view: View, rng: np.random.Generator) -> FilmCase:
    """The film of a region with a chest on it. Raises InputError where a bone reaches the source."""
    parts, camera = trunk_parts(), view.camera
    vertices, surfaces, shell = _with_chest(region, rng)
    cortex, marrow = bone_paths(vertices, surfaces, shell, camera, rng)
    bones = region.vertices[: parts.bone_vertices]
    truth = surface_truth(
        bones, parts.faces, parts.label, parts.canonical, len(BONES), camera.coarser(TRUTH_GRID)
    )
    tissue = np.maximum(lumbar_tissue(region, camera, rng) + _heart(region, view, rng), 0)
    half = np.float16
    return FilmCase(
        cortex.astype(half), marrow.astype(half), tissue.astype(half), truth, camera,
        region.anchors.reshape(-1, 3), view.round_field, view.kind, BONES, bones,
    )  # fmt: skip


def draw_chest_view(region: LumbarRegion, rng: np.random.Generator, size: int = 256) -> View:
    """A square view from the front, from the back or from the side whose middle is above T9; a third of them over the
    small field of a C-arm."""
    small = rng.random() < 0.35
    if rng.random() < 0.35:
        primary = rng.choice([-90.0, 90.0]) + rng.normal(0, 4.0)
    else:
        primary = rng.choice([0.0, 180.0]) + rng.normal(0, 6.0)
    distance = rng.uniform(900, 1200) if small else rng.choice([1000.0, 1150.0, 1500.0, 1800.0])
    source = rng.uniform(520, 800) if small else distance - rng.uniform(120, 300)
    field = rng.uniform(190, 330) if small else rng.uniform(300, 430)
    low = middle_of(region, "T9")
    centre = low + _upwards(region) * rng.uniform(-10, 170) + rng.normal(0, [20.0, 10.0, 10.0])
    off = np.zeros(2) if small else rng.normal(0, 0.03 * size, 2)
    geometry = lumbar_geometry(size, field, distance, source, primary, rng.normal(0, 4.0), centre, off)
    camera = rolled(geometry.camera(), rng.normal(0, 4.0))
    return View(camera, small and rng.random() < 0.8, "chest")


def middle_of(region: LumbarRegion, name: str) -> NDArray[np.float64]:
    """[3] mean of a bone's vertices, mm."""
    return np.asarray(region.vertices[trunk_parts().rows[name]].mean(axis=0), dtype=np.float64)


def _upwards(region: LumbarRegion) -> NDArray[np.float64]:
    way = middle_of(region, "T9") - middle_of(region, "T12")
    return np.asarray(way / np.linalg.norm(way))


def _with_chest(
    region: LumbarRegion, rng: np.random.Generator
) -> tuple[NDArray[np.float32], ClosedSurfaces, NDArray[np.float32]]:
    """Vertices of the region and of what is above it, all their surfaces, the thickness of their shells."""
    parts = trunk_parts()
    rows = [parts.rows[name] for name in _COPIED]
    piece = np.concatenate([region.vertices[row] for row in rows]).astype(np.float64)
    faces, shell = _faces_of(rows), np.concatenate([parts.cortex_mm[row] for row in rows])
    about = middle_of(region, "T9")
    step = float(np.linalg.norm(about - middle_of(region, "T10")))
    up, size, bent = _upwards(region), 1.0, 0.0
    bend = float(np.clip(rng.normal(*_KYPHOSIS_DEG), 0.5, 6.0))
    pieces = list[NDArray]()
    place = about
    for _ in range(ABOVE):
        size *= _SHRINKING * float(np.exp(rng.normal(0, 0.01)))
        bent += bend
        # Patients' spines bend forwards above T9: about the axis to the right, +z goes to +y by a negative turn.
        turn = Rotation.from_euler("xyz", [-bent, rng.normal(0, 1.5), rng.normal(0, 2.0)], degrees=True)
        place = place + Rotation.from_euler("x", -bent, degrees=True).apply(up) * step * size
        pieces.append(turn.apply(piece - about) * size + place)
    count, start = len(piece), len(region.vertices)
    more = [faces + start + number * count for number in range(ABOVE)]
    own = parts.surfaces
    surfaces = ClosedSurfaces.of(
        np.concatenate([own.faces.numpy(), *more]),
        start + ABOVE * count,
        np.concatenate([own.label.numpy(), np.ones(ABOVE * len(faces), np.int64)]),
    )
    vertices = np.concatenate([region.vertices, *pieces]).astype(np.float32)
    return vertices, surfaces, np.concatenate([parts.cortex_mm, *[shell] * ABOVE])


def _faces_of(rows: list[slice]) -> NDArray[np.int64]:
    """Faces of all surfaces of a trunk in these rows of its vertices, numbered among them."""
    everything, found, start = trunk_parts().surfaces.faces.numpy(), [], 0
    for row in rows:
        inside = (everything[:, 0] >= row.start) & (everything[:, 0] < row.stop)
        found.append(everything[inside] - row.start + start)
        start += row.stop - row.start
    return np.concatenate(found)


def _heart(region: LumbarRegion, view: View, rng: np.random.Generator) -> NDArray[np.float32]:
    """[H, W] mm of tissue in place of the lungs' air: heart, great vessels, what lies between the lungs."""
    ray, source = ray_directions(view.camera), view.camera.source_ras_mm
    low, up = middle_of(region, "T9"), _upwards(region)
    total = np.zeros(view.camera.size, np.float32)
    for share, centre, half in (
        (0.6, low + up * 30 + [-rng.uniform(10, 40), 75, 0], rng.uniform([45, 35, 45], [70, 55, 65])),
        (0.2, low + up * 110 + [0, 45, 0], np.array([rng.uniform(22, 38), 55, 110])),
    ):
        enter, leave = interval(Ellipsoid.of(centre, half), source, ray)
        total += share * rng.uniform(0.3, 1.0) * (leave - enter)
    return total

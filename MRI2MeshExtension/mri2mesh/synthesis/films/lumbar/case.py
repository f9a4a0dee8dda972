"""One film of a lumbar region before it is developed."""

from __future__ import annotations

import numpy as np

from mri2mesh.anatomy.lumbar_region import BONES
from mri2mesh.rendering.surfaces import ClosedSurfaces
from mri2mesh.synthesis.films.case import TRUTH_GRID, FilmCase, bone_paths, surface_truth
from mri2mesh.synthesis.films.lumbar.parts import trunk_parts
from mri2mesh.synthesis.films.lumbar.region import LumbarRegion
from mri2mesh.synthesis.films.lumbar.tissue import lumbar_tissue
from mri2mesh.synthesis.films.views import View


def make_lumbar_case(region: LumbarRegion, view: View, rng: np.random.Generator) -> FilmCase:
    """The film of a region in a view, with its bones' surfaces. Raises InputError where one reaches the source."""
    parts, camera = trunk_parts(), view.camera
    cortex, marrow = bone_paths(region.vertices, parts.surfaces, parts.cortex_mm, camera, rng)
    bones = region.vertices[: parts.bone_vertices]
    truth = surface_truth(
        bones, parts.faces, parts.label, parts.canonical, len(BONES), camera.coarser(TRUTH_GRID)
    )
    half = np.float16
    return FilmCase(
        cortex.astype(half), marrow.astype(half), lumbar_tissue(region, camera, rng).astype(half), truth, camera,
        region.anchors.reshape(-1, 3), view.round_field, view.kind, BONES, bones,
    )  # fmt: skip


def make_lone_case(region: LumbarRegion, level: str, view: View, rng: np.random.Generator) -> FilmCase:
    """One vertebra cut out, with nothing around it, as the DRRs of published data show it."""
    parts, camera = trunk_parts(), view.camera
    rows = parts.rows[level]
    vertices, faces = region.vertices[rows], parts.vertebra_faces
    surfaces = ClosedSurfaces.of(faces, len(vertices))
    cortex, marrow = bone_paths(vertices, surfaces, parts.cortex_mm[rows], camera, rng)
    label = np.zeros(len(faces), np.int64)
    truth = surface_truth(vertices, faces, label, parts.canonical[rows], 1, camera.coarser(TRUTH_GRID))
    half = np.float16
    return FilmCase(
        cortex.astype(half), marrow.astype(half), np.zeros_like(cortex, half), truth, camera,
        region.anchors.reshape(-1, 3), view.round_field, view.kind, (level,), vertices,
    )  # fmt: skip

"""Films of hips and pelves, for what a network of lumbar vertebrae must not take for them. What of L2 to L5 and of the
sacrum is in view has its truth as in other films; femora, hips and the rest of the film belong to nothing."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from mri2mesh.anatomy import hip_region
from mri2mesh.anatomy.lumbar_region import BONES, VERTEBRAE
from mri2mesh.anatomy.pelvis_shapes import PelvisShapes
from mri2mesh.anatomy.regions import Region
from mri2mesh.anatomy.shape_models.file import read_shape_model
from mri2mesh.anatomy.shapes import VertebraShapes
from mri2mesh.synthesis.films.case import TRUTH_GRID, FilmCase, bone_paths, surface_truth
from mri2mesh.synthesis.films.lumbar.parts import trunk_parts
from mri2mesh.synthesis.films.lumbar.region import ANCHORS
from mri2mesh.synthesis.films.lumbar.trunks import Trunks
from mri2mesh.synthesis.films.posed_region import PosedRegion, RegionMaker
from mri2mesh.synthesis.films.region_shapes import RegionShapes, joint_shapes, laid
from mri2mesh.synthesis.films.soft_tissue import soft_tissue
from mri2mesh.synthesis.films.spines import LEVELS, LowerSpines, endplate_frame
from mri2mesh.synthesis.films.views import View

_ON_PLATE_MM = 3.0
_SPACING_MM = 36.0


def hip_maker(trunks: Trunks) -> RegionMaker:
    """Hips of the package's joint model of pelvis and femora, with the lower spines of these trunks on them."""
    return RegionMaker(_shapes(), _spines_of(trunks))


@cache
def _shapes() -> RegionShapes:
    joint = read_shape_model("pelvis_femur")
    rows, onto = joint.part_vertices("sacrum"), _mean_sacrum()
    distance = cKDTree(onto[_sacral_plate()]).query(laid(joint.mean[rows], onto))[0]
    return joint_shapes(joint, rows[distance < _ON_PLATE_MM])


def make_hip_case(maker: RegionMaker, region: PosedRegion, view: View, rng: np.random.Generator) -> FilmCase:
    """The film of hips in a view, with the truth of `lumbar_region.BONES`. Raises InputError where a bone reaches the
    source."""
    camera = view.camera
    cortex, marrow = bone_paths(region.vertices, maker.surfaces, maker.cortex_mm, camera, rng)
    faces, label, canonical = _labelled(maker)
    truth = surface_truth(region.vertices, faces, label, canonical, len(BONES), camera.coarser(TRUTH_GRID))
    half = np.float16
    return FilmCase(
        cortex.astype(half), marrow.astype(half), soft_tissue(region, camera, rng).astype(half), truth, camera,
        _anchors(region), view.round_field, view.kind, BONES,
    )  # fmt: skip


def _labelled(maker: RegionMaker) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
    """Faces of sacrum and L2 to L5 among a region's vertices, the number of each face's bone in `BONES`, and the place
    on the mean bone of each of the vertices."""
    sacral = maker.bone_faces[maker.bone_label == hip_region.BONES.index("sacrum")]
    faces, label = [sacral], [np.full(len(sacral), BONES.index("sacrum"))]
    family = VertebraShapes.load()
    canonical, start = [_places()], len(maker.canonical)
    for level in LEVELS:
        faces.append(family.faces + start)
        label.append(np.full(len(family.faces), BONES.index(level)))
        canonical.append(family.mean(level).vertices.astype(np.float32))
        start += len(canonical[-1])
    return np.concatenate(faces), np.concatenate(label), np.concatenate(canonical)


@cache
def _places() -> NDArray[np.float32]:
    """[bone vertices, 3] mm: those of the joint model, its mean sacrum moved rigidly onto that of trunks."""
    places, rows = _shapes().canonical(), _shapes().template.part_vertices("sacrum")
    places[rows] = laid(places[rows].astype(np.float64), _mean_sacrum())
    return places


def _mean_sacrum() -> NDArray[np.float64]:
    return PelvisShapes.load().vertices["sacrum"].mean(axis=0).astype(np.float64)


def _spines_of(trunks: Trunks) -> LowerSpines:
    """L2 to L5 of each trunk in the frame of its sacral endplate."""
    parts, plate, spines = trunk_parts(), _sacral_plate(), []
    for vertices in trunks.vertices:
        points = vertices[parts.rows["sacrum"]][plate].astype(np.float64)
        back = np.linalg.inv(endplate_frame(points, points.mean(axis=0)))
        spines.append([vertices[parts.rows[level]] @ back[:3, :3].T + back[:3, 3] for level in LEVELS])
    return LowerSpines(np.array(spines, np.float32), parts.vertebra_faces)


@cache
def _sacral_plate() -> NDArray[np.int64]:
    """Vertices of a trunk's sacrum on the endplate of S1."""
    family = PelvisShapes.load()
    plate = family.vertices["s1"].mean(axis=0)[family.s1_regions == Region.SUPERIOR_ENDPLATE]
    distance = cKDTree(plate).query(family.vertices["sacrum"].mean(axis=0))[0]
    return np.asarray(np.flatnonzero(distance < _ON_PLATE_MM))


def _anchors(region: PosedRegion) -> NDArray[np.float64]:
    """[A, 3] the middles of vertebrae in place of all of each one's anchors; those above L2 are where they would be."""
    spine = region.vertices[region.bone_vertices :].reshape(len(LEVELS), -1, 3).mean(axis=1)
    found = np.empty((len(VERTEBRAE), len(ANCHORS), 3))
    for row, level in enumerate(VERTEBRAE):
        above = VERTEBRAE.index(LEVELS[0]) - row
        middle = spine[LEVELS.index(level)] if level in LEVELS else spine[0] + [0, 0, _SPACING_MM * above]
        found[row] = middle
    return found.reshape(-1, 3)

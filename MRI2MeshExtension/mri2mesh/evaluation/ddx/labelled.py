"""``mri2mesh evaluate ddx --labelled``: films of other people by another simulator.

Labelled CT volumes become pseudo-CTs, tissue by tissue, and their line integrals films; the surfaces of the labels are
the truth. Nothing of them is in the films of training. Without point correspondence, surfaces are aligned by closest
points.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import ConvexHull, Delaunay, cKDTree
from tqdm import tqdm

from mri2mesh.engines.ddx.engine import SAMPLES
from mri2mesh.engines.ddx.networks.stored import load_network
from mri2mesh.engines.ddx.region import complete_region
from mri2mesh.engines.ddx.seeing import look
from mri2mesh.engines.ddx.targets import Target, targets
from mri2mesh.engines.dense_maps.film import network_film
from mri2mesh.engines.dense_maps.inputs import STANDARD_REFERENCE_SD_MM, Reference, depth_of
from mri2mesh.errors import InputError
from mri2mesh.evaluation.ddx.evaluate import table
from mri2mesh.evaluation.ddx.scores import in_film
from mri2mesh.geometry.distances import point_to_surface
from mri2mesh.geometry.isosurface import surface_from_labels
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.sampling import sample_surface
from mri2mesh.geometry.transforms import apply, rigid_fit, similarity_fit
from mri2mesh.geometry.volume import Volume
from mri2mesh.geometry.xray_camera import XrayCamera
from mri2mesh.imaging.volumes.reading import read_volume
from mri2mesh.rendering.drr import WATER_PER_MM, attenuation_from_hu, render_drr
from mri2mesh.rendering.projective import ProjectiveCameras
from mri2mesh.synthesis.films.case import TRUTH_GRID, FilmCase, FilmTruth
from mri2mesh.synthesis.films.develop import Appearance, develop

PELVIS, FEMUR, SACRUM, SPINE, FIRST_MUSCLE = 1, 2, 3, 4, 5
"""Labels of ``pelvic_labels`` in the training data."""
AIR, FAT, MUSCLE, MARROW, CORTEX = -1000.0, -90.0, 50.0, 250.0, 950.0
SIZE, FIELD_MM, SOURCE_TO_DETECTOR_MM, SOURCE_TO_HIPS_MM = 256, 420.0, 1150.0, 1010.0
_SKIN_MM = 12.0
_SAMPLES = 6000
_ROUNDS = 40


@dataclass(frozen=True)
class LabelledFilm:
    """subject: the file's name. case: to be developed; its truth is empty. true: surfaces of the labels by target."""

    subject: str
    case: FilmCase
    true: dict[str, Mesh]


def evaluate_labelled(
    data: Path, out: Path, *, films: int = 2, weights_dir: Path | None = None
) -> list[dict[str, object]]:
    """Rows of all subjects, targets and methods; writes ``ddx_labelled.csv`` and prints the means.

    films: developments of each subject's film. Raises InputError where weights or volumes are missing.
    """
    trained, bones, rows = load_network(weights_dir), targets(), list[dict[str, object]]()
    paths = sorted((data / "pelvic_labels").glob("*_labels.nii.gz"))
    if not paths:
        raise InputError("there are no pelvic_labels in the folder of training data")
    for path in tqdm(paths, desc="labelled"):
        film = labelled_film(read_volume(path), path.name.split("_labels")[0])
        for number in range(films):
            rng = np.random.default_rng(number)
            image = develop(film.case, rng, Appearance(metal=0.0))
            depth = depth_of(film.case.camera, film.case.anchors_ras_mm.mean(axis=0))
            reference = Reference(depth + rng.normal() * STANDARD_REFERENCE_SD_MM)
            maps = look(trained, network_film(image, film.case.camera, trained.pixels), reference)
            completed = complete_region(maps, bones, trained.places, SAMPLES, reference)
            for target, found in zip(bones, completed, strict=True):
                head: dict[str, object] = {
                    "condition": "labelled CT",
                    "subject": film.subject,
                    "target": target.name,
                }
                if found is None:
                    rows.append(head | {"method": "ddx", "alignment": "refused"})
                    continue
                for row in _scores(found.vertices, target, film.true[target.name], film.case.camera):
                    rows.append(head | row)
    out.mkdir(parents=True, exist_ok=True)
    with (out / "ddx_labelled.csv").open("w", newline="", encoding="utf-8") as file:
        names = ["condition", "subject", "target", "method", "alignment", "assd", "hd95"]
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        writer.writerows(rows)
    print(table(rows))
    return rows


def labelled_film(labels: Volume, subject: str) -> LabelledFilm:
    """An AP film on a table of labels [K, J, I] (see `PELVIS`), both hips about its middle."""
    labels = _every_other(labels)
    true = {
        "pelvis": surface_from_labels(_where(labels, PELVIS, SACRUM)),
        **{
            f"femur_{side}": surface_from_labels(_half(labels, side), largest=True)
            for side in ("left", "right")
        },
    }
    midline = float(true["pelvis"].vertices[:, 0].mean())
    hips = np.stack([_head(true[f"femur_{side}"], midline) for side in ("left", "right")])
    camera = XrayCamera.from_c_arm(
        source_to_detector_mm=SOURCE_TO_DETECTOR_MM,
        source_to_isocentre_mm=SOURCE_TO_HIPS_MM,
        pixel_spacing_mm=(FIELD_MM / SIZE, FIELD_MM / SIZE),
        size=(SIZE, SIZE),
        primary_angle_deg=180.0,
        isocentre_ras_mm=hips.mean(axis=0) + [0, 0, 20.0],
    )
    water = _water_paths(pseudo_ct(labels), labels.ijk_to_ras, camera)
    nothing, small = np.zeros((SIZE, SIZE), np.float16), SIZE // TRUTH_GRID
    truth = FilmTruth(
        np.zeros((5, small, small), bool),
        np.zeros((5, 2, small, small), np.float32),
        np.zeros((5, 2, 3, small, small), np.float32),
    )
    case = FilmCase(nothing, nothing, water.astype(np.float16), truth, camera, hips, False, "table")
    return LabelledFilm(subject, case, true)


def pseudo_ct(labels: Volume) -> NDArray[np.float32]:
    """[K, J, I] HU: bones with a shell one voxel thick, muscles, and fat in between, up to a skin around all labels."""
    array = labels.array
    body = _body(labels)
    rng = np.random.default_rng(0)
    hu = np.full(array.shape, AIR, np.float32)
    hu[body] = FAT
    hu[array >= FIRST_MUSCLE] = MUSCLE
    bone = (array > 0) & (array < FIRST_MUSCLE)
    for label in (PELVIS, FEMUR, SACRUM, SPINE):
        part = array == label
        hu[part] = MARROW
        hu[part & ~ndimage.binary_erosion(part)] = CORTEX
    rough = ndimage.gaussian_filter(rng.standard_normal(array.shape, dtype=np.float32), 1.0)
    return np.where(bone, hu + 400 * rough, np.where(body, hu + 100 * rough, hu)).astype(np.float32)


def _body(labels: Volume) -> NDArray[np.bool_]:
    """[K, J, I] what is under the skin: in each slice the convex hull of the labels, below the pelvis of each thigh,
    and some fat around it. What slices lack is taken from their neighbours."""
    array = ndimage.maximum_filter1d((labels.array > 0).astype(np.uint8), 7, axis=0) > 0
    trunk = (
        ndimage.maximum_filter1d(np.isin(labels.array, (PELVIS, SACRUM, SPINE)).any((1, 2)).astype(int), 7)
        > 0
    )
    reach = round(_SKIN_MM / labels.spacing[0])
    body = np.zeros_like(array)
    middle = array.shape[2] // 2
    for k, part in enumerate(array):
        halves = [part] if trunk[k] else [part & _side_of(part, middle, side) for side in (0, 1)]
        hull = np.any([_hull(half) for half in halves], axis=0)
        body[k] = ndimage.binary_dilation(hull, iterations=reach)
    return body


def _side_of(part: NDArray, middle: int, side: int) -> NDArray[np.bool_]:
    columns = np.arange(part.shape[1]) < middle
    return np.broadcast_to(columns if side == 0 else ~columns, part.shape)


def _hull(part: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """[J, I] the convex hull of a mask; nothing where it has no area."""
    points = np.argwhere(part & ~ndimage.binary_erosion(part))
    if len(points) < 4 or min(np.ptp(points, axis=0)) == 0:
        return part
    inside = Delaunay(points[ConvexHull(points).vertices]).find_simplex(np.argwhere(np.ones_like(part))) >= 0
    return inside.reshape(part.shape)


def _water_paths(hu: NDArray, ijk_to_ras: NDArray, camera: XrayCamera) -> NDArray[np.float32]:
    """[H, W] mm of water that weaken each ray as much."""
    volume = attenuation_from_hu(torch.from_numpy(hu))
    image = render_drr(volume, torch.from_numpy(ijk_to_ras), ProjectiveCameras.of([camera]))
    return np.asarray(image[0].numpy() / WATER_PER_MM, dtype=np.float32)


def _scores(vertices: NDArray, target: Target, true: Mesh, camera: XrayCamera) -> Iterator[dict[str, object]]:
    beam = camera.axes_ras[2]
    shifted = _closest(vertices, true, camera, "beam", beam)
    similar = _closest(shifted, true, camera, "similarity", beam)
    placed = {"as placed": vertices, "depth corrected": shifted, "similarity": similar}
    for name, found in placed.items():
        yield {"method": "ddx", "alignment": name, **_apart(found, target.model.faces, true, camera)}
    start = apply(rigid_fit(target.model.mean, similar), target.model.mean)
    for name in ("rigid", "similarity"):
        found = _closest(start, true, camera, name, beam)
        label = "true pose" if name == "rigid" else name
        scores = _apart(found, target.model.faces, true, camera)
        yield {"method": "mean shape", "alignment": label, **scores}


def _closest(vertices: NDArray, true: Mesh, camera: XrayCamera, kind: str, beam: NDArray) -> NDArray:
    """Vertices laid on a surface by closest points of what is in the film, both ways."""
    points = true.vertices[in_film(true.vertices, camera)].astype(np.float64)
    points = points[:: max(1, len(points) // _SAMPLES)]
    tree, moved = cKDTree(points), np.asarray(vertices, dtype=np.float64)
    for _ in range(_ROUNDS):
        seen = np.flatnonzero(in_film(moved, camera) & (moved[:, 2] > points[:, 2].min()))
        there = cKDTree(moved).query(points)[1]
        here = np.concatenate([moved[seen], moved[there]])
        goal = np.concatenate([points[tree.query(moved[seen])[1]], points])
        if kind == "beam":
            moved = moved + ((goal - here) @ beam).mean() * beam
        else:
            fit = similarity_fit if kind == "similarity" else rigid_fit
            moved = apply(fit(here, goal), moved)
    return moved


def _apart(vertices: NDArray, faces: NDArray, true: Mesh, camera: XrayCamera) -> dict[str, object]:
    """ASSD and HD95 of what is in the film and in the volume, each to the whole of the other."""
    rng = np.random.default_rng(0)
    found = Mesh(vertices.astype(np.float32), faces)
    lowest = true.vertices[:, 2].min() + 6.0  # there the volume ends, not the bone
    distances = []
    for one, other in ((found, true), (true, found)):
        points = sample_surface(one, _SAMPLES, rng)[0]
        points = points[in_film(points, camera) & (points[:, 2] > lowest)]
        distances.append(point_to_surface(points, other))
    hd95 = max(float(np.percentile(apart, 95)) for apart in distances)
    return {"assd": float(np.mean(np.concatenate(distances))), "hd95": hd95}


def _every_other(labels: Volume) -> Volume:
    """Along the two finer axes: enough for films of 1.6 mm a pixel."""
    step = np.diag([2.0, 2.0, 1.0, 1.0])
    return Volume(np.ascontiguousarray(labels.array[:, ::2, ::2]), labels.ijk_to_ras @ step)


def _where(labels: Volume, *values: int) -> Volume:
    return Volume(np.isin(labels.array, values).astype(np.uint8), labels.ijk_to_ras)


def _half(labels: Volume, side: str) -> Volume:
    """The femur of one side: left has the smaller x in RAS."""
    mask = labels.array == FEMUR
    k, j, i = np.nonzero(mask)
    x = (np.stack([i, j, k, np.ones_like(i)], 1) @ labels.ijk_to_ras.T)[:, 0]
    chosen = x < np.median(x) if side == "left" else x >= np.median(x)
    half = np.zeros_like(mask)
    half[k[chosen], j[chosen], i[chosen]] = True
    return Volume(half.astype(np.uint8), labels.ijk_to_ras)


def _head(femur: Mesh, midline: float) -> NDArray[np.float64]:
    """[3] about the middle of a femur's head: of its uppermost 45 mm the half nearer to the body's middle."""
    top = femur.vertices[femur.vertices[:, 2] > femur.vertices[:, 2].max() - 45.0]
    aside = np.abs(top[:, 0] - midline)
    return np.asarray(top[aside < np.median(aside)].mean(axis=0), dtype=np.float64)

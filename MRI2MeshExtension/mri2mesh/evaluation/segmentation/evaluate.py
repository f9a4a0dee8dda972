"""Surfaces from whole labels and from every so many slices, against the whole labels, beside what costs nothing."""

from __future__ import annotations

import csv
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from mri2mesh.engines.segmentation.engine import reconstruct
from mri2mesh.engines.segmentation.label_map import LabelMap, read_label_map
from mri2mesh.engines.segmentation.parts import patches_of
from mri2mesh.engines.segmentation.patch import Patch
from mri2mesh.engines.segmentation.separate import take_apart
from mri2mesh.evaluation.segmentation.baselines import (
    marching_cubes,
    shape_based_interpolation,
    slicer_closed_surface,
    thinned,
)
from mri2mesh.evaluation.segmentation.in_image import distances_in_image
from mri2mesh.geometry.checks import is_watertight, self_intersections
from mri2mesh.geometry.connectivity import component_labels
from mri2mesh.geometry.edges import directed_edges
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.sampling import face_normals
from mri2mesh.reconstruction import Reconstruction

ENGINE = "segmentation engine"


@dataclass(frozen=True)
class Score:
    """One surface against the border of the whole label, in the image. assd_mm, hd95_mm: distances both ways.
    steps_deg: mean angle between faces that share an edge, which steps make large."""

    case: str
    drawn: str
    bone: str
    method: str
    assd_mm: float
    hd95_mm: float
    closed: bool
    pieces: int
    self_intersections: int
    steps_deg: float
    vertices: int


def evaluate(
    file: Path,
    out: Path,
    *,
    numbering: str | None = None,
    segments: Sequence[str] = (),
    every: int = 4,
    axis: int | None = None,
    say: Callable[[str], None] = print,
) -> list[Score]:
    """Measures one label map that is drawn on every slice; ``out`` receives ``scores.csv``.

    every, axis: for the sparse run, only every so many slices along a voxel axis (0 = i, 1 = j, 2 = k) are kept; by
    default the axis with the largest spacing, and of equal ones the one nearest to left-right.
    """
    label_map = read_label_map([file], {})
    axis = sliced_axis(label_map) if axis is None else axis
    case = file.name.removesuffix(".gz").rsplit(".", 1)[0]
    apart, taken = take_apart(label_map, numbering, segments)
    truth = patches_of(apart, taken.bones)
    scores: list[Score] = []
    for name, step in (("all slices", 1), (f"every {every}.", every)):
        started = time.perf_counter()
        result = reconstruct(kept_slices(label_map, axis, step), numbering=numbering, segments=segments)
        seconds = time.perf_counter() - started
        found = _scores(case, name, truth, result, axis, step)
        scores += found
        say(
            f"{case}, {name}: {seconds:.0f} s, {len(result.structures)} surfaces, overlap {_overlap(result):.2f} mm"
        )
        for line in summary(found):
            say(line)
    out.mkdir(parents=True, exist_ok=True)
    with (out / "scores.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, fieldnames=list(asdict(scores[0])))
        writer.writeheader()
        writer.writerows(asdict(score) for score in scores)
    return scores


def sliced_axis(label_map: LabelMap) -> int:
    """The voxel axis that a clinic would slice along."""
    largest = label_map.spacing >= 1.02 * label_map.spacing.min()
    if largest.any() and not largest.all():
        return label_map.slice_axis
    return int(np.argmax(np.abs(label_map.ijk_to_ras[0, :3])))


def kept_slices(label_map: LabelMap, axis: int, every: int) -> LabelMap:
    """Only every so many slices of it."""
    if every == 1:
        return label_map
    labels = np.zeros_like(label_map.labels)
    taken = [slice(None)] * 3
    taken[2 - axis] = slice(every // 2, None, every)
    labels[tuple(taken)] = label_map.labels[tuple(taken)]
    return replace(label_map, labels=labels, array=labels)


def _scores(
    case: str, drawn: str, truth: dict[str, Patch], result: Reconstruction, axis: int, every: int
) -> list[Score]:
    found = []
    for item in result.structures:
        bone = truth[item.name]
        given = bone if every == 1 else thinned(bone, axis, every, every // 2)
        whole = marching_cubes(bone)
        methods = {
            ENGINE: item.mesh,
            "marching cubes": marching_cubes(given),
            "3D Slicer's smoothed surface": slicer_closed_surface(given),
            "shape-based interpolation": shape_based_interpolation(given, axis),
        }
        found += [
            _score(case, drawn, bone, method, mesh, whole, item.name) for method, mesh in methods.items()
        ]
    return found


def _score(case: str, drawn: str, bone: Patch, method: str, mesh: Mesh, whole: Mesh, name: str) -> Score:
    assd, hd95 = distances_in_image(mesh, whole, bone)
    return Score(
        case,
        drawn,
        name,
        method,
        round(assd, 3),
        round(hd95, 3),
        is_watertight(mesh),
        component_labels(mesh)[0],
        self_intersections(mesh),
        round(steps_deg(mesh), 1),
        len(mesh.vertices),
    )


def steps_deg(mesh: Mesh) -> float:
    """Mean angle in degrees between the normals of faces that share an edge."""
    normals = face_normals(mesh)
    ends = np.sort(directed_edges(mesh.faces), axis=1)
    face = np.tile(np.arange(len(mesh.faces)), 3)
    order = np.lexsort((ends[:, 1], ends[:, 0]))
    ends, face = ends[order], face[order]
    shared = np.flatnonzero((ends[1:] == ends[:-1]).all(axis=1))
    cosine = np.einsum("ni,ni->n", normals[face[shared]], normals[face[shared + 1]])
    return float(np.degrees(np.arccos(np.clip(cosine, -1, 1))).mean())


def _overlap(result: Reconstruction) -> float:
    """The deepest overlap of two neighbours, mm."""
    return max((check.value for check in result.checks if check.name == "neighbours apart"), default=0.0)


def summary(scores: Sequence[Score]) -> list[str]:
    """A line for each method: medians over the bones, and the worst."""
    lines = []
    for method in dict.fromkeys(score.method for score in scores):
        of = [score for score in scores if score.method == method]
        assd = [score.assd_mm for score in of]
        lines.append(
            f"  {method:30s} ASSD {np.median(assd):.2f} mm (at most {max(assd):.2f}), HD95 "
            f"{np.median([score.hd95_mm for score in of]):.1f} mm, closed "
            f"{sum(score.closed for score in of)}/{len(of)}, "
            f"in one piece {sum(score.pieces == 1 for score in of)}/{len(of)}, not crossing itself "
            f"{sum(score.self_intersections == 0 for score in of)}/{len(of)}, "
            f"{np.median([score.steps_deg for score in of]):.0f} degrees between faces"
        )
    return lines

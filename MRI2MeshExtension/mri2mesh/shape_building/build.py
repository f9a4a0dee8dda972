"""A shape model of one's own subjects: correspondence, alignment, principal components, and how good it is."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mri2mesh.anatomy.shape_models.file import PREFIX, shape_model_bytes
from mri2mesh.anatomy.shape_models.measures import leave_one_out, specificity
from mri2mesh.anatomy.shape_models.model import ShapeModel
from mri2mesh.anatomy.shape_models.statistics import (
    aligned_rigidly,
    compactness,
    principal_components,
    vertex_areas,
)
from mri2mesh.engines.segmentation.fitting.priors import prior
from mri2mesh.errors import InputError
from mri2mesh.geometry.checks import self_intersections
from mri2mesh.geometry.transforms import apply, rigid_fit
from mri2mesh.shape_building.correspondence import Corresponding, corresponding
from mri2mesh.shape_building.subjects import FEWEST, files_in, read_subject
from mri2mesh.weights import store
from mri2mesh.weights_manifest import WeightsEntry, sha256_of, write_atomically

FAR_MM = 1.0
"""A subject whose surface is farther than this from what it became, on average, is left out: it is not in
correspondence."""
AT_ONCE = 2
REPORT = "shape_model_report.json"


@dataclass(frozen=True)
class Built:
    """The model, and what ``shape_model_report.json`` says of it."""

    model: ShapeModel
    report: dict[str, Any]


def build(
    folder: Path,
    bone: str,
    out: Path,
    *,
    numbering: str | None = None,
    segments: Sequence[str] = (),
    licence: str = "not stated",
    say: Callable[[str], None] = print,
) -> Built:
    """Writes ``shape_BONE.npz`` with its line of ``manifest.json``, as `mri2mesh weights import` and every fit take it,
    and the report.

    Raises InputError for a folder with too few subjects, files that cannot be read or do not have the bone, and where
    too few subjects come into correspondence.
    """
    files = files_in(folder)
    subjects = [read_subject(path, n, bone, numbering, segments) for n, path in enumerate(files, 1)]
    found: list[Corresponding] = []
    with ThreadPoolExecutor(max_workers=min(AT_ONCE, os.cpu_count() or 1)) as pool:
        for one in pool.map(lambda subject: corresponding(bone, subject), subjects):
            crossing = self_intersections(one.mesh)
            kept = one.distance_mm <= FAR_MM and not crossing
            why = "" if kept else f", left out ({crossing} places where it meets itself)"
            say(f"{one.subject.name}: {one.distance_mm:.2f} mm from its surface on average{why}")
            if kept:
                found.append(one)
    if len(found) < FEWEST:
        raise InputError(
            f"only {len(found)} of {len(subjects)} subjects came into correspondence with the template of {bone}: a "
            f"shape model needs {FEWEST}"
        )
    model = _model(bone, found, licence)
    report = measured(model, found, len(subjects))
    _write(model, report, out)
    return Built(model, report)


def _model(bone: str, found: Sequence[Corresponding], licence: str) -> ShapeModel:
    """In the frame, and with the landmarks and regions, of the shipped model of the bone."""
    shipped = prior(bone)
    shapes = aligned_rigidly(
        np.stack([one.mesh.vertices.astype(np.float64) for one in found]),
        vertex_areas(shipped.mean, shipped.faces),
    )
    mean, modes, variances, scores = principal_components(shapes)
    pose = rigid_fit(mean, shipped.mean)
    turn = pose[:3, :3]
    return ShapeModel(
        name=bone,
        mean=apply(pose, mean),
        modes=(modes @ turn.T).astype(np.float32),
        variances=variances,
        faces=shipped.faces,
        part=shipped.part,
        part_names=shipped.part_names,
        landmarks=shipped.landmarks,
        scores=scores,
        subjects=tuple(one.subject.name for one in found),
        mirrored=np.zeros(len(found), bool),
        attribution=({"name": bone, "source": f"{len(found)} subjects of a folder", "licence": licence},),
        licence=licence,
        frame=shipped.frame,
        regions=shipped.regions,
    )


def measured(model: ShapeModel, found: Sequence[Corresponding], given: int) -> dict[str, Any]:
    """Compactness, generalisation (each subject left out) and specificity (Davies 2002), as plain JSON types."""
    share = compactness(model)
    shapes = [(name, model.vertices(row)) for name, row in zip(model.subjects, model.scores, strict=True)]
    projected, mean = leave_one_out(model.without, shapes)

    def of(results: Sequence[Any]) -> dict[str, float]:
        return {
            "vertex_rms_mm": round(float(np.mean([one.rms_mm for one in results])), 3),
            "assd_mm": round(float(np.mean([one.distances.assd for one in results])), 3),
            "hd95_mm": round(float(np.mean([one.distances.hd95 for one in results])), 3),
        }

    return {
        "bone": model.name,
        "subjects": len(found),
        "subjects_given": given,
        "vertices": len(model.mean),
        "modes": len(model.modes),
        "compactness": [round(float(value), 4) for value in share],
        "modes_for_90_percent": int(np.searchsorted(share, 0.9)) + 1,
        "modes_for_95_percent": int(np.searchsorted(share, 0.95)) + 1,
        "generalisation": {"left_out_projected": of(projected), "left_out_mean_shape": of(mean)},
        "specificity_mm": round(specificity(model), 3),
        "correspondence_mm": {one.subject.name: round(one.distance_mm, 3) for one in found},
    }


def _write(model: ShapeModel, report: dict[str, Any], out: Path) -> None:
    data = shape_model_bytes(model)
    entry = WeightsEntry(
        name=PREFIX + model.name,
        file=f"{PREFIX}{model.name}.npz",
        sha256=sha256_of(data),
        licence=model.licence,
        origin=model.attribution[0]["source"],
        created_by="mri2mesh build-shape-model",
        metadata={"parts": list(model.part_names), "modes": len(model.modes), "vertices": len(model.mean)},
        folder=out,
    )
    store(entry, data)
    text = json.dumps(report, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    write_atomically(out / REPORT, text.encode())

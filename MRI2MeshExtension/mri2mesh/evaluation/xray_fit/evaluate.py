"""``mri2mesh evaluate xray-fit``: the engine as users run it, on simulated radiographs of subjects that no shape model
has seen: its own defaults, no start, no landmarks.

Films show the whole hip region (`region_films`) or, by option, one bone alone (`cases`), which flatters. Each subject
is left out of every model that is used, with its mirror image. Beside each fit stand the mean shape, put in place by
the truth, and the model's own projection of the truth. What is in the first film is measured.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from mri2mesh.anatomy.shape_models.file import read_shape_model
from mri2mesh.anatomy.shape_models.model import ShapeModel
from mri2mesh.engines.ddx.targets import targets
from mri2mesh.engines.xray_fit.engine import reconstruct
from mri2mesh.engines.xray_fit.fitting.support import in_field
from mri2mesh.errors import InputError
from mri2mesh.evaluation.xray_fit.cases import held_out, observe, one_row_each
from mri2mesh.evaluation.xray_fit.conditions import CONDITIONS, FIELDS
from mri2mesh.evaluation.xray_fit.region_films import FILM_CONDITIONS, REGION_ANATOMIES, RegionCases
from mri2mesh.evaluation.xray_fit.scores import (
    FitScore,
    Honesty,
    Outcome,
    Stated,
    Truth,
    baselines_of,
    honesty,
    score,
)
from mri2mesh.evaluation.xray_fit.tables import markdown, write
from mri2mesh.imaging.radiographs.radiograph import Radiograph
from mri2mesh.reconstruction import Reconstruction

FEW = 2
"""Subjects by default."""

Exam = tuple[str, Truth, list[Radiograph], float | None]
"""Condition, truth, radiographs, and what the user says of the distance from the hips to the detector."""


def evaluate(
    anatomy: str = "pelvis",
    conditions: Sequence[str] | None = None,
    subjects: int | None = FEW,
    out: Path | None = None,
    *,
    anatomy_files: Callable[[], tuple[Path, Path]] | None = None,
    alone: bool = False,
    seed: int = 0,
    device: str = "cpu",
) -> list[FitScore]:
    """Fit every subject under every condition; print each fit and a table of all.

    conditions: by default two views. subjects: how many, spread evenly over all; None for all. anatomy_files: gives the
    files of shapes and spines that whole regions are made from. alone: the bone alone in the picture. With ``out`` the
    files of `tables.write`, kept up to date after each fit. Raises InputError for an anatomy or a condition that is not
    known.
    """
    alone = alone or (anatomy in FIELDS and anatomy not in REGION_ANATOMIES)
    known = CONDITIONS if alone else FILM_CONDITIONS
    bones = FIELDS if alone else REGION_ANATOMIES
    if anatomy not in bones:
        raise InputError(
            f"{anatomy!r} cannot be evaluated: use {', '.join(dict.fromkeys([*bones, *FIELDS]))}"
        )
    asked = list(conditions or ["two-views"])
    if unknown := [name for name in asked if name not in known]:
        raise InputError(f"there is no condition {unknown[0]!r}: use {', '.join(known)}")
    if not alone and anatomy_files is None:
        raise InputError("whole regions are made from training data: give their folder, or --alone")
    exams = _alone(anatomy, asked, subjects, seed)
    if not alone and anatomy_files is not None:
        exams = _in_region(anatomy, asked, subjects, seed, *anatomy_files())
    scores: list[FitScore] = []
    for condition, truth, radiographs, distance in tqdm(exams, desc="fits"):
        result = fit_exam(condition, anatomy, truth, radiographs, device, distance)
        tqdm.write(_line(result))
        scores.append(result)
        if out is not None:
            write(scores, anatomy, seed, out)
    scores.sort(key=lambda result: asked.index(result.condition))
    print(markdown(scores, anatomy))
    if out is not None:
        write(scores, anatomy, seed, out)
    return scores


def _alone(anatomy: str, conditions: Sequence[str], subjects: int | None, seed: int) -> Iterator[Exam]:
    model = read_shape_model(anatomy)
    for row in one_row_each(model, subjects):
        case = held_out(model, row, seed)
        for name in conditions:
            # the same noise whatever other conditions are asked for
            radiographs = observe(
                case, FIELDS[anatomy], CONDITIONS[name], [seed, row, list(CONDITIONS).index(name)]
            )
            yield name, _truth(case.subject, case.model, case.truth, radiographs), radiographs, None


def _in_region(
    anatomy: str, conditions: Sequence[str], subjects: int | None, seed: int, shapes: Path, spines: Path
) -> Iterator[Exam]:
    films = RegionCases(shapes, spines)
    names = films.subjects(anatomy)
    count = len(names) if subjects is None else min(subjects, len(names))
    for number in np.linspace(0, len(names) - 1, count).round().astype(int):
        case = films.case(anatomy, names[number], seed)
        for name in conditions:
            radiographs = films.radiographs(case, FILM_CONDITIONS[name], seed)
            distance = films.hips_to_detector_mm(case, FILM_CONDITIONS[name], seed)
            yield name, _truth(case.subject, case.model, case.truth, radiographs), radiographs, distance


def _truth(subject: str, model: ShapeModel, vertices: NDArray, radiographs: Sequence[Radiograph]) -> Truth:
    camera = radiographs[0].camera
    return Truth(subject, model, vertices, in_field(vertices, camera, np.ones(camera.size, bool)))


def fit_exam(
    condition: str,
    anatomy: str,
    truth: Truth,
    radiographs: Sequence[Radiograph],
    device: str = "cpu",
    hips_to_detector_mm: float | None = None,
) -> FitScore:
    """One fit, of models that do not know the subject."""

    def without_subject(load: Callable[..., Any], *arguments: Any) -> Any:
        if arguments == (anatomy,):
            return truth.model
        if load is targets:
            return targets((truth.subject,))
        loaded = load(*arguments)
        if isinstance(loaded, ShapeModel) and truth.subject in loaded.subjects:
            return loaded.without(truth.subject)
        return loaded

    began = time.process_time()
    found = reconstruct(
        radiographs,
        anatomy=anatomy,
        device=device,
        cache=without_subject,
        hips_to_detector_mm=hips_to_detector_mm,
    )
    seconds = time.process_time() - began
    beam = radiographs[0].camera.axes_ras[2]
    return score(
        condition,
        truth,
        baselines_of(truth),
        _gathered(found, truth.model, lambda item: item.mesh.vertices),
        beam,
        honesty_of(found, truth, radiographs),
        Outcome(min(view["agreement"] for view in found.provenance["views"]), float(found.passed), seconds),
    )


def honesty_of(found: Reconstruction, truth: Truth, radiographs: Sequence[Radiograph]) -> Honesty:
    """How the errors of a result compare with what it says of them."""

    def gathered(name: str) -> NDArray:
        return _gathered(found, truth.model, lambda item: item.mesh.point_data[name])

    model = truth.model
    stated = Stated(
        _gathered(found, model, lambda item: item.uncertainty_mm),
        gathered("uncertainty_along_beam_mm"),
        gathered("uncertainty_across_mm"),
        _rays(truth.vertices, radiographs),
    )
    rival = next(check.value for check in found.checks if check.name == "unambiguous pose")
    return honesty(truth, _gathered(found, model, lambda item: item.mesh.vertices), stated, rival)


def _rays(vertices: NDArray, radiographs: Sequence[Radiograph]) -> NDArray[np.float64]:
    """[N, V, 3] unit vectors from each source."""
    rays = np.stack([vertices - one.camera.source_ras_mm for one in radiographs])
    return np.asarray(rays / np.linalg.norm(rays, axis=2, keepdims=True))


def _gathered(found: Reconstruction, model: ShapeModel, values: Callable[[Any], NDArray]) -> NDArray:
    """[V, ...] of all structures, in the model's order. Raises InputError where the fit gave none."""
    if not found.structures:
        raise InputError("the fit diverged: " + "; ".join(check.detail for check in found.checks))
    first = values(found.structures[0])
    result = np.zeros((len(model.mean), *first.shape[1:]))
    for item in found.structures:
        result[model.part_vertices(item.name)] = values(item)
    return result


def _line(result: FitScore) -> str:
    return (
        f"{result.subject} {result.condition:<24} ASSD {result.raw_assd_mm:.2f} mm raw,"
        f" {result.similarity_assd_mm:.2f} similarity (mean shape {result.mean_assd_mm:.2f},"
        f" floor {result.floor_assd_mm:.2f}); {result.in_plane_deg:.1f} deg in plane,"
        f" {result.out_of_plane_deg:.1f} out, {result.along_mm:.1f} mm along; error {result.error_mm:.1f},"
        f" stated {result.stated_mm:.1f} mm; checks {'passed' if result.passed else 'failed'}; {result.seconds:.0f} s"
    )

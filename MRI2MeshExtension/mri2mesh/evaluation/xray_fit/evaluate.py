"""``mri2mesh evaluate xray-fit``: the engine as users run it, on simulated radiographs of subjects that no shape model
has seen: its own defaults, no start, no landmarks.

Films show the whole hip region (`region_films`) or, by option, one bone alone (`cases`), which flatters. Each subject
is left out of every model that is used, with its mirror image. Beside each fit stand the mean shape, put in place by
the truth, and the model's own projection of the truth. What is in the first film is measured.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from mri2mesh.anatomy.shape_models.file import read_shape_model
from mri2mesh.anatomy.shape_models.model import ShapeModel
from mri2mesh.engines.ddx.targets import plain_targets
from mri2mesh.engines.xray_fit.engine import reconstruct
from mri2mesh.engines.xray_fit.fitting.support import in_field
from mri2mesh.errors import InputError
from mri2mesh.evaluation.xray_fit.cases import held_out, observe, one_row_each
from mri2mesh.evaluation.xray_fit.conditions import CONDITIONS, FIELDS
from mri2mesh.evaluation.xray_fit.foreign import foreign_case, foreign_subjects
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


@dataclass(frozen=True)
class Exam:
    """truth: what is measured. hips_to_detector_mm: what the user says of it. fitted: the model, where it is another
    than the truth's; carried: from what its vertices carry [..., C] to what the truth's do."""

    condition: str
    truth: Truth
    radiographs: list[Radiograph]
    hips_to_detector_mm: float | None = None
    fitted: ShapeModel | None = None
    carried: Callable[[NDArray], NDArray] = np.asarray

    @property
    def model(self) -> ShapeModel:
        return self.truth.model if self.fitted is None else self.fitted


def evaluate(
    anatomy: str = "pelvis",
    conditions: Sequence[str] | None = None,
    subjects: int | None = FEW,
    out: Path | None = None,
    *,
    anatomy_files: Callable[[], tuple[Path, Path]] | None = None,
    alone: bool = False,
    foreign: str | None = None,
    seed: int = 0,
    device: str = "cpu",
) -> list[FitScore]:
    """Fit every subject under every condition; print each fit and a table of all.

    conditions: by default two views. subjects: how many, spread evenly over all; None for all. anatomy_files: gives the
    files of shapes and spines that whole regions are made from. alone: the bone alone in the picture. foreign: pelves
    of one of `foreign.SOURCES`, fitted with the other's model. With ``out`` the files of `tables.write`, kept up to
    date after each fit. Raises InputError for an anatomy or a condition that is not known, and for what cannot be
    combined.
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
    if foreign is not None and (alone or anatomy != "pelvis"):
        raise InputError(
            "people of another source are pelves in whole regions: leave out --alone and --anatomy"
        )
    if not alone and anatomy_files is None:
        raise InputError("whole regions are made from training data: give their folder, or --alone")
    exams = _alone(anatomy, asked, subjects, seed)
    if not alone and anatomy_files is not None:
        files = anatomy_files()
        exams = (
            _in_region(anatomy, asked, subjects, seed, *files)
            if foreign is None
            else _of_strangers(foreign, asked, subjects, seed, *files)
        )
    scores: list[FitScore] = []
    for exam in tqdm(exams, desc="fits"):
        result = fit_exam(exam, anatomy, device)
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
            yield Exam(name, _truth(case.subject, case.model, case.truth, radiographs), radiographs)


def _in_region(
    anatomy: str, conditions: Sequence[str], subjects: int | None, seed: int, shapes: Path, spines: Path
) -> Iterator[Exam]:
    films = RegionCases(shapes, spines)
    for subject in _spread(films.subjects(anatomy), subjects):
        case = films.case(anatomy, subject, seed)
        for name in conditions:
            radiographs = films.radiographs(case, FILM_CONDITIONS[name], seed)
            distance = films.hips_to_detector_mm(case, FILM_CONDITIONS[name], seed)
            yield Exam(name, _truth(case.subject, case.model, case.truth, radiographs), radiographs, distance)


def _of_strangers(
    source: str, conditions: Sequence[str], subjects: int | None, seed: int, shapes: Path, spines: Path
) -> Iterator[Exam]:
    films = RegionCases(shapes, spines)
    for subject in _spread(foreign_subjects(films, source), subjects):
        case = foreign_case(films, subject, source, seed)
        for name in conditions:
            radiographs = films.radiographs(case.films, FILM_CONDITIONS[name], seed)
            yield Exam(
                name,
                _truth(subject, case.measured, case.truth, radiographs),
                radiographs,
                films.hips_to_detector_mm(case.films, FILM_CONDITIONS[name], seed),
                case.fitted,
                case.carried,
            )


def _spread(names: Sequence[str], count: int | None) -> list[str]:
    """So many of them, evenly over all."""
    few = len(names) if count is None else min(count, len(names))
    return [names[number] for number in np.linspace(0, len(names) - 1, few).round().astype(int)]


def _truth(subject: str, model: ShapeModel, vertices: NDArray, radiographs: Sequence[Radiograph]) -> Truth:
    camera = radiographs[0].camera
    return Truth(subject, model, vertices, in_field(vertices, camera, np.ones(camera.size, bool)))


def fit_exam(exam: Exam, anatomy: str, device: str = "cpu") -> FitScore:
    """One fit, of models that do not know the subject."""
    subject = exam.truth.subject

    def without_subject(load: Callable[..., Any], *arguments: Any) -> Any:
        if arguments == (anatomy,):
            return exam.model
        if load is plain_targets:
            return plain_targets((subject,))
        loaded = load(*arguments)
        if isinstance(loaded, ShapeModel) and subject in loaded.subjects:
            return loaded.without(subject)
        return loaded

    began = time.process_time()
    found = reconstruct(
        exam.radiographs,
        anatomy=anatomy,
        device=device,
        cache=without_subject,
        hips_to_detector_mm=exam.hips_to_detector_mm,
    )
    seconds = time.process_time() - began
    return score(
        exam.condition,
        exam.truth,
        baselines_of(exam.truth),
        _gathered(found, exam, lambda item: item.mesh.vertices),
        exam.radiographs[0].camera.axes_ras[2],
        honesty_of(found, exam),
        Outcome(min(view["agreement"] for view in found.provenance["views"]), float(found.passed), seconds),
    )


def honesty_of(found: Reconstruction, exam: Exam) -> Honesty:
    """How the errors of a result compare with what it says of them."""

    def gathered(name: str) -> NDArray:
        return _gathered(found, exam, lambda item: item.mesh.point_data[name])

    stated = Stated(
        _gathered(found, exam, lambda item: item.uncertainty_mm),
        gathered("uncertainty_along_beam_mm"),
        gathered("uncertainty_across_mm"),
        _rays(exam.truth.vertices, exam.radiographs),
    )
    rival = next(check.value for check in found.checks if check.name == "unambiguous pose")
    return honesty(exam.truth, _gathered(found, exam, lambda item: item.mesh.vertices), stated, rival)


def _rays(vertices: NDArray, radiographs: Sequence[Radiograph]) -> NDArray[np.float64]:
    """[N, V, 3] unit vectors from each source."""
    rays = np.stack([vertices - one.camera.source_ras_mm for one in radiographs])
    return np.asarray(rays / np.linalg.norm(rays, axis=2, keepdims=True))


def _gathered(found: Reconstruction, exam: Exam, values: Callable[[Any], NDArray]) -> NDArray:
    """[V, ...] of all structures, in the order of the truth's model. Raises InputError where the fit gave none."""
    if not found.structures:
        raise InputError("the fit diverged: " + "; ".join(check.detail for check in found.checks))
    first = values(found.structures[0])
    result = np.zeros((len(exam.model.mean), *first.shape[1:]))
    for item in found.structures:
        result[exam.model.part_vertices(item.name)] = values(item)
    return exam.carried(result) if result.ndim > 1 else exam.carried(result[:, None])[:, 0]


def _line(result: FitScore) -> str:
    return (
        f"{result.subject} {result.condition:<24} ASSD {result.raw_assd_mm:.2f} mm raw,"
        f" {result.similarity_assd_mm:.2f} similarity (mean shape {result.mean_assd_mm:.2f},"
        f" floor {result.floor_assd_mm:.2f}); {result.in_plane_deg:.1f} deg in plane,"
        f" {result.out_of_plane_deg:.1f} out, {result.along_mm:.1f} mm along; error {result.error_mm:.1f},"
        f" stated {result.stated_mm:.1f} mm; checks {'passed' if result.passed else 'failed'}; {result.seconds:.0f} s"
    )

"""``mri2mesh evaluate xray-fit``: fits to simulated radiographs of subjects that the shape model has not seen.

Every subject is left out of the model that is fitted to it, with its mirror image. What is measured is the fit: the
shapes are those of the atlas, the radiographs are simulated (`synthesis.films.single_bone`), without other bones.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from mri2mesh.anatomy.shape_models.file import read_shape_model
from mri2mesh.engines.xray_fit.fitting.coarse_to_fine import FitSettings
from mri2mesh.engines.xray_fit.fitting.family import SurfaceFamily
from mri2mesh.engines.xray_fit.fitting.parameters import Parameters
from mri2mesh.engines.xray_fit.fitting.second_fit import fit_twice_if_doubtful
from mri2mesh.engines.xray_fit.fitting.starts import coarse_search
from mri2mesh.engines.xray_fit.fitting.uncertainty import (
    MODEL_RESIDUAL_MM,
    UNKNOWN_RESIDUAL_MM,
    pose_check,
    uncertainty_of,
)
from mri2mesh.errors import InputError
from mri2mesh.evaluation.xray_fit.cases import HeldOut, first_parameters, held_out, observe, one_row_each
from mri2mesh.evaluation.xray_fit.conditions import CONDITIONS, FIELDS, Condition, Field
from mri2mesh.evaluation.xray_fit.scores import Baselines, FitScore, baselines_of, honesty, score
from mri2mesh.evaluation.xray_fit.tables import markdown, write


def evaluate(
    anatomy: str = "pelvis",
    conditions: Sequence[str] = tuple(CONDITIONS),
    subjects: int | None = None,
    out: Path | None = None,
    *,
    seed: int = 0,
    device: str = "cpu",
) -> list[FitScore]:
    """Fit every subject under every condition; print each fit and a table of all.

    subjects: how many, spread evenly over the atlas; None for all. With ``out`` the files of `xray_tables.write`, kept
    up to date after each subject. Raises InputError for an anatomy or a condition that is not known.
    """
    if anatomy not in FIELDS:
        raise InputError(f"{anatomy!r} cannot be evaluated: use {', '.join(FIELDS)}")
    if unknown := [name for name in conditions if name not in CONDITIONS]:
        raise InputError(f"there is no condition {unknown[0]!r}: use {', '.join(CONDITIONS)}")
    model = read_shape_model(anatomy)
    scores: list[FitScore] = []
    for row in tqdm(one_row_each(model, subjects), desc="subjects"):
        case = held_out(model, row, seed)
        baselines = baselines_of(case)
        family = SurfaceFamily(case.model, device)
        for name in conditions:
            result = fit_case(name, case, baselines, family, FIELDS[anatomy], CONDITIONS[name], [seed, row])
            tqdm.write(_line(result))
            scores.append(result)
        if out is not None:
            write(scores, anatomy, seed, out)
    scores.sort(key=lambda result: list(conditions).index(result.condition))
    print(markdown(scores, anatomy))
    if out is not None:
        write(scores, anatomy, seed, out)
    return scores


def fit_case(
    name: str,
    case: HeldOut,
    baselines: Baselines,
    family: SurfaceFamily,
    field: Field,
    condition: Condition,
    seed: Sequence[int],
) -> FitScore:
    """One subject under one condition."""
    # the same noise whatever other conditions are asked for
    views = observe(case, field, condition, [*seed, list(CONDITIONS).index(name)])
    expected = first_parameters(case, len(views), family.mean.device)
    settings = FitSettings(prior=condition.prior)
    began = time.perf_counter()
    # as the engine starts where no landmarks are picked
    starts = Parameters.joined([expected, coarse_search(views, family, expected)])
    found = fit_twice_if_doubtful(views, family, starts, settings, expected=expected)
    seconds = time.perf_counter() - began
    fitted = found.parameters.by_first_view(family)[0].cpu().numpy()
    beam = views[0].camera.axes_ras[2]
    residual = MODEL_RESIDUAL_MM.get(case.model.name, UNKNOWN_RESIDUAL_MM)
    stated = uncertainty_of(found, family, [seen.camera for seen in views], residual)
    honest = honesty(case, fitted, stated, pose_check(found, family).value)
    return score(name, case, baselines, fitted, beam, min(found.agreement), honest, seconds)


def _line(result: FitScore) -> str:
    return (
        f"{result.subject} {result.condition:<24} ASSD {result.raw_assd_mm:.2f} mm raw,"
        f" {result.similarity_assd_mm:.2f} similarity (mean shape {result.mean_assd_mm:.2f},"
        f" floor {result.floor_assd_mm:.2f}); {result.in_plane_deg:.1f} deg in plane,"
        f" {result.out_of_plane_deg:.1f} out, {result.along_mm:.1f} mm along; error {result.error_mm:.1f},"
        f" stated {result.stated_mm:.1f} mm; {result.seconds:.0f} s"
    )

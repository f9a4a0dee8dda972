"""What ``mri2mesh evaluate revert`` measures on: films of a left-out subject under several conditions, or films of a
labelled person by another simulator."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from mri2mesh.engines.revert.training.films import LEFT_OUT
from mri2mesh.errors import InputError
from mri2mesh.evaluation.revert.evaluate import Row, evaluate
from mri2mesh.evaluation.revert.films import MeasuredFilm, labelled_films, simulated_films

_SEED = 991
Change = Callable[[MeasuredFilm], MeasuredFilm]


def turned(film: MeasuredFilm, degrees: float) -> MeasuredFilm:
    """The camera is believed to stand so far around the body's long axis from where it was. Surfaces come out turned
    with it, so that scores after alignment are what tells."""
    middle = np.mean(list(film.centres.values()), axis=0)
    turn = Rotation.from_euler("z", degrees, degrees=True).as_matrix()
    camera = film.camera
    source = middle + turn @ (camera.source_ras_mm - middle)
    return replace(film, camera=replace(camera, source_ras_mm=source, axes_ras=camera.axes_ras @ turn.T))


def further(film: MeasuredFilm, factor: float) -> MeasuredFilm:
    """The distance from source to detector is believed to be wrong by a factor; the detector stays."""
    camera = film.camera
    more = (factor - 1) * camera.source_to_detector_mm
    believed = replace(
        camera,
        source_ras_mm=camera.source_ras_mm - more * camera.axes_ras[2],
        source_to_detector_mm=factor * camera.source_to_detector_mm,
    )
    return replace(film, camera=believed)


def noisy(film: MeasuredFilm, share: float = 0.25) -> MeasuredFilm:
    """Noise of so much of the film's standard deviation on every pixel."""
    noise = np.random.default_rng(0).standard_normal(film.image.shape)
    return replace(film, image=(film.image + share * film.image.std() * noise).astype(np.float32))


CHANGES: dict[str, Change] = {
    "standard": lambda film: film,
    "tools": lambda film: film,
    **{f"turned {angle}": lambda film, angle=angle: turned(film, angle) for angle in (5, 10, 20)},  # type: ignore[misc]
    "distance 0.95": lambda film: further(film, 0.95),
    "distance 1.05": lambda film: further(film, 1.05),
    "noise": noisy,
}
"""By name, what becomes of a film; "tools" has hardware in every film, the others in one of eight."""


def evaluate_conditions(
    conditions: Sequence[str],
    cases: Path,
    out: Path,
    *,
    films: int,
    weights_dir: Path | None = None,
    refined: bool = False,
    points_dir: Path | None = None,
) -> list[Row]:
    """Films of every view of the subject that nothing learned from. Raises InputError for an unknown condition."""
    if unknown := set(conditions) - set(CHANGES):
        raise InputError(f"no condition is called {sorted(unknown)[0]!r}: use some of {', '.join(CHANGES)}")
    rows: list[Row] = []
    for condition in conditions:
        some = simulated_films(cases, films, _SEED, metal=1.0 if condition == "tools" else 0.12)
        changed = [CHANGES[condition](film) for film in some]
        rows += evaluate(
            changed,
            out,
            condition=condition,
            weights_dir=weights_dir,
            left_out=LEFT_OUT,
            refined=refined,
            baselines=condition == "standard",
            points_dir=points_dir,
        )
    return rows


def evaluate_labels(
    labels: Path,
    out: Path,
    *,
    films: int,
    alone: bool = False,
    weights_dir: Path | None = None,
    refined: bool = False,
    points_dir: Path | None = None,
) -> list[Row]:
    """Films of the vertebrae of a label map by line integrals through its voxels; nothing learned from the person may
    be among the weights. Raises InputError for labels that are none."""
    subject = labels.name.split(".")[0]
    some = labelled_films(labels, subject, films, _SEED, alone=alone)
    return evaluate(
        some,
        out,
        condition="labels, alone" if alone else "labels",
        weights_dir=weights_dir,
        left_out=LEFT_OUT,
        refined=refined,
        points_dir=points_dir,
    )

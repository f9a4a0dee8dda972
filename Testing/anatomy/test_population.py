"""The population of postures: round trips, agreement with the landmarks, and how the landmarks are read."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path

import numpy as np
import pytest

from building.build_spine_model import clean, fit_gaussian, posture_of, read_scans
from mri2mesh.anatomy.population import (
    FEATURES,
    SpinePopulation,
    SpinePosture,
    features_from_posture,
    posture_from_features,
    rotations_from_angles,
)
from mri2mesh.anatomy.structures import VERTEBRA_LEVELS

N = len(VERTEBRA_LEVELS)


@pytest.fixture(scope="module")
def population() -> SpinePopulation:
    return SpinePopulation.load()


def curved_spine() -> SpinePosture:
    """Levels on a circle in the sagittal plane, 35 mm and 4 degrees apart, lordotic."""
    tilt = 4.0 * (np.arange(N)[::-1] - 4.0)
    features = np.zeros(len(FEATURES))
    features[: N * 5] = np.column_stack([tilt, np.zeros((N, 2)), np.full(N, 30.0), np.full(N, 25.0)]).ravel()
    features[N * 5 :: 3] = 35.0
    return posture_from_features(features)


def as_landmarks(posture: SpinePosture, path: Path, shuffle: bool) -> None:
    """The file a reader of that spine would have written."""
    rng = np.random.default_rng(0)
    rows = []
    for rotation, centre, width, depth, level in zip(
        posture.rotations, posture.centres, posture.widths, posture.depths, VERTEBRA_LEVELS, strict=True
    ):
        back = centre - depth * rotation[:, 1]
        for name, point in (
            ("body", centre), ("left", back - width / 2 * rotation[:, 0]), ("right", back + width / 2 * rotation[:, 0])
        ):  # fmt: skip
            rows.append(["scan", level if name == "body" else "", name, -point[0], -point[1], point[2]])
    if shuffle:
        bodies = [row for row in rows if row[2] == "body"]
        others = [row for row in rows if row[2] != "body"]
        rows = bodies + [others[i] for i in rng.permutation(len(others))]
    with gzip.open(path, "wt", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["scan", "level", "landmark", "x_lps_mm", "y_lps_mm", "z_lps_mm"])
        writer.writerows(rows)


def test_features_and_posture_are_inverses(population: SpinePopulation) -> None:
    posture = population.sample(np.random.default_rng(5))
    again = posture_from_features(features_from_posture(posture))
    assert again.centres == pytest.approx(posture.centres, abs=1e-6)
    assert again.angles == pytest.approx(posture.angles, abs=1e-6)


def test_rotations_are_right_handed_and_tilt_lifts_the_front() -> None:
    rotation = rotations_from_angles(np.array([10.0, 0.0, 0.0]))
    assert np.linalg.det(rotation) == pytest.approx(1)
    assert rotation[:, 1] == pytest.approx([0, np.cos(np.radians(10)), np.sin(np.radians(10))])


def test_levels_run_from_head_to_foot_with_l3_at_the_origin(population: SpinePopulation) -> None:
    posture = population.mean_posture
    assert (np.diff(posture.centres[:, 2]) < -15).all()
    assert posture.centres[VERTEBRA_LEVELS.index("L3")] == pytest.approx([0, 0, 0])


@pytest.mark.parametrize("shuffle", [False, True])
def test_a_spine_written_as_landmarks_is_read_back(tmp_path: Path, shuffle: bool) -> None:
    truth = curved_spine()
    as_landmarks(truth, tmp_path / "landmarks.csv.gz", shuffle)
    ((scan, usable),) = read_scans(tmp_path / "landmarks.csv.gz")
    posture = posture_of(scan)
    assert usable
    assert posture.widths == pytest.approx(truth.widths, abs=1e-6)
    assert posture.depths == pytest.approx(truth.depths, abs=1e-6)
    assert posture.spacings == pytest.approx(truth.spacings, abs=1e-6)
    assert posture.angles[1:-1] == pytest.approx(truth.angles[1:-1], abs=0.1)
    assert np.isnan(posture.angles[0, 0])  # nothing above T7: no tangent


def test_a_scan_with_swapped_sides_is_not_used(tmp_path: Path) -> None:
    path = tmp_path / "landmarks.csv.gz"
    as_landmarks(curved_spine(), path, shuffle=False)
    text = gzip.decompress(path.read_bytes()).decode()
    text = text.replace("left", "L").replace("right", "left").replace(",L,", ",right,")
    path.write_bytes(gzip.compress(text.encode()))
    ((_, usable),) = read_scans(path)
    assert not usable


def test_gaussian_with_gaps_is_recovered() -> None:
    rng = np.random.default_rng(0)
    mean, covariance = (
        np.array([1.0, -2.0, 3.0]),
        np.array([[2.0, 1.2, 0.3], [1.2, 1.5, 0.5], [0.3, 0.5, 1.0]]),
    )
    data = rng.multivariate_normal(mean, covariance, 4000)
    data[(data[:, 0] > 1.5), 2] = (
        np.nan
    )  # missing where another value is high: a plain average would be wrong
    estimated_mean, estimated = fit_gaussian(data)
    assert estimated_mean == pytest.approx(mean, abs=0.12)
    assert estimated == pytest.approx(covariance, abs=0.2)


def test_samples_agree_with_the_landmarks_they_come_from(
    population: SpinePopulation, training_data: Path
) -> None:
    scans = read_scans(training_data / "vertebra_landmarks" / "landmarks.csv.gz")
    data = clean(np.array([features_from_posture(posture_of(scan)) for scan, usable in scans if usable]))
    rng = np.random.default_rng(0)
    drawn = np.array([features_from_posture(population.sample(rng)) for _ in range(1000)])
    assert len(data) > 1600
    for i, name in enumerate(FEATURES):
        if name.startswith("L") and name.endswith(("width", "depth", "spacing", "tilt")):
            seen = data[np.isfinite(data[:, i]), i]
            assert drawn[:, i].mean() == pytest.approx(seen.mean(), abs=0.15 * seen.std()), name
            assert drawn[:, i].std() == pytest.approx(seen.std(), rel=0.12), name


def test_lordosis_is_that_of_people_lying_down(population: SpinePopulation) -> None:
    rng = np.random.default_rng(1)
    lordosis = [population.sample(rng).lordosis for _ in range(500)]
    assert np.mean(lordosis) == pytest.approx(28.5, abs=2)
    assert np.std(lordosis) == pytest.approx(10, abs=1.5)

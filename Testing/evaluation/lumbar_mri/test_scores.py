"""Scores of surfaces against labels: right for known offsets, honest about misses and wrong names."""

import numpy as np
import pytest

from geometry.solids import sphere
from mri2mesh.errors import InputError
from mri2mesh.evaluation.lumbar_mri.exams import Exam, read_exams, structure_names
from mri2mesh.evaluation.lumbar_mri.scores import score_exam, summarise
from mri2mesh.geometry.volume import Volume
from mri2mesh.geometry.voxelise import voxelise

CENTRES = {"L5": (3.0, 4.0, -35.0), "L4": (3.0, 6.0, 0.0), "L3": (3.0, 4.0, 35.0)}


def exam() -> Exam:
    matrix = np.eye(4)
    matrix[:3, 3] = [-30, -30, -60]
    grid = Volume(np.zeros((120, 64, 64), np.uint8), matrix)
    for value, centre in enumerate(CENTRES.values(), start=1):
        grid.array[voxelise(sphere(12.0, centre), grid)] = value
    return Exam("x", grid, grid, {name: value for value, name in enumerate(CENTRES, start=1)})


def test_a_perfect_surface_scores_the_voxel_staircase_and_no_more():
    scores = score_exam(exam(), "m", {name: sphere(12.0, centre) for name, centre in CENTRES.items()})
    assert all(score.called == score.structure for score in scores)
    assert min(score.dice for score in scores) > 0.99
    assert max(score.assd_mm for score in scores) < 0.3


def test_a_surface_grown_by_two_millimetres_is_two_millimetres_off():
    scores = score_exam(exam(), "m", {name: sphere(14.0, centre) for name, centre in CENTRES.items()})
    for score in scores:
        assert score.assd_mm == pytest.approx(2.0, abs=0.2)
        assert score.hd95_mm == pytest.approx(2.0, abs=0.4)


def test_a_level_off_by_one_is_found_but_called_wrong():
    shifted = dict(zip(("L4", "L3", "L2"), (sphere(12.0, c) for c in CENTRES.values()), strict=True))
    summary = summarise(score_exam(exam(), "m", shifted))
    assert summary["found"] == 1.0
    assert summary["level_correct"] == 0.0


def test_what_is_missing_or_far_away_is_not_found():
    scores = score_exam(
        exam(), "m", {"L5": sphere(12.0, CENTRES["L5"]), "L4": sphere(12.0, (3.0, 6.0, 12.0))}
    )
    assert [score.called for score in scores] == ["L5", None, None]
    assert summarise(scores)["found"] == pytest.approx(1 / 3)


def test_labels_count_upwards_from_what_each_collection_starts_with():
    assert structure_names("vb1", 3) == ["S1", "L5", "L4"]
    assert structure_names("vb2", 7)[-1] == "T11"
    assert structure_names("ivd", 5) == ["L5-S1", "L4-L5", "L3-L4", "L2-L3", "L1-L2"]
    with pytest.raises(InputError, match="not known"):
        structure_names("knee", 2)


def test_an_empty_folder_is_bad_input(tmp_path):
    with pytest.raises(InputError, match="holds no exam"):
        list(read_exams(tmp_path))

"""Pelves of another source than the model that is fitted."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from mri2mesh.anatomy.shape_models.file import read_shape_model
from mri2mesh.engines.ddx.training.run import LEFT_OUT
from mri2mesh.errors import InputError
from mri2mesh.evaluation.xray_fit.evaluate import Exam, evaluate
from mri2mesh.evaluation.xray_fit.foreign import HIPS, foreign_subjects
from mri2mesh.evaluation.xray_fit.scores import Truth
from mri2mesh.synthesis.films.region_shapes import joint_shapes


def test_strangers_are_of_one_source_and_no_network_has_seen_them():
    films = SimpleNamespace(shapes=joint_shapes(read_shape_model("pelvis_femur")))
    found = foreign_subjects(films, "limb")
    assert found == [name for name in films.shapes.pelvis_subjects if name in LEFT_OUT]
    assert len(found) == 4 and foreign_subjects(films, "atlas") == []


def test_a_fit_of_another_model_is_measured_where_the_truth_is():
    joint = read_shape_model("pelvis_femur")
    fitted, measured = joint.only(*HIPS, "sacrum"), joint.only(*HIPS)
    truth = Truth("limb04", measured, measured.mean, np.ones(len(measured.mean), bool))
    assert Exam("two-views", truth, []).model is measured
    rows = np.concatenate([fitted.part_vertices(name) for name in HIPS])
    exam = Exam("two-views", truth, [], fitted=fitted, carried=lambda values: values[rows])
    assert exam.model is fitted
    assert exam.carried(fitted.mean).shape == measured.mean.shape


@pytest.mark.parametrize(("anatomy", "alone"), [("femur_left", False), ("pelvis", True)])
def test_strangers_are_pelves_in_whole_regions(anatomy, alone):
    with pytest.raises(InputError, match="pelves in whole regions"):
        evaluate(anatomy, alone=alone, foreign="atlas")

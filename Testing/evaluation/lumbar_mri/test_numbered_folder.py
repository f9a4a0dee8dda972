"""Exams in the layout of fine-tuning, numbered as in VerSe, can be measured on."""

import json

import numpy as np
import pytest

from mri2mesh.errors import InputError
from mri2mesh.evaluation.lumbar_mri.exams import read_exams
from mri2mesh.geometry.volume import Volume
from mri2mesh.imaging.volumes.writing import write_volume


@pytest.fixture
def folder(tmp_path):
    """One exam with L5, L4 and the disc between them as blocks."""
    labels = np.zeros((80, 40, 40), np.uint8)
    for value, low in ((24, 8), (123, 26), (23, 36)):
        labels[low : low + (8 if value > 100 else 16), 8:32, 6:34] = value
    for name in ("images", "labels"):
        (tmp_path / name).mkdir()
        array = labels if name == "labels" else labels.astype(np.float32)
        write_volume(Volume(array, np.eye(4)), tmp_path / name / "clinic_3.nii.gz")
    return tmp_path


def test_structures_are_named_by_their_numbers(folder):
    (exam,) = read_exams(folder)
    assert list(exam.values.items()) == [("L5", 24), ("L4", 23), ("L4-L5", 123)]
    assert exam.collection == "clinic"
    assert exam.frame("L5")[2, 2] > 0.99
    assert np.allclose(exam.centre("L5"), [19.5, 19.5, 15.5], atol=0.3)


def test_whole_vertebrae_are_the_default_and_bodies_are_said(folder):
    assert not next(read_exams(folder)).bodies_only
    (folder / "cases.json").write_text(json.dumps({"clinic_3": {"vertebrae": "body"}}))
    assert next(read_exams(folder)).bodies_only


def test_labels_on_some_slices_only_cannot_be_measured_on(folder):
    (folder / "cases.json").write_text(json.dumps({"clinic_3": {"labelled_slices": [8, 12, 16]}}))
    with pytest.raises(InputError, match="every slice"):
        list(read_exams(folder))

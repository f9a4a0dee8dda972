"""Scores of reconstructed bones, against errors that were put in."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh

from mri2mesh.evaluation.ddx.evaluate import table
from mri2mesh.evaluation.ddx.scores import in_film, scores_of
from mri2mesh.geometry.xray_camera import XrayCamera

CAMERA = XrayCamera.from_c_arm(
    source_to_detector_mm=1150.0,
    source_to_isocentre_mm=1000.0,
    pixel_spacing_mm=(3.0, 3.0),
    size=(128, 128),
    primary_angle_deg=180.0,
)
BOX = trimesh.creation.icosphere(3, 60.0)


def test_a_shift_along_the_beam_is_put_right_and_one_across_it_is_not():
    true = np.asarray(BOX.vertices)
    found = true + 10 * CAMERA.axes_ras[2] + 4 * CAMERA.axes_ras[0]
    scores = scores_of(found, true, BOX.faces, CAMERA)
    assert scores["as placed"].along_mm == pytest.approx(10.0, abs=1e-6)
    assert scores["as placed"].across_mm == pytest.approx(4.0, abs=1e-6)
    # A sphere moved by d is on average d / 2 away from itself.
    assert scores["as placed"].assd == pytest.approx(np.hypot(10, 4) / 2, rel=0.05)
    assert scores["depth corrected"].assd == pytest.approx(2.0, rel=0.05)
    assert scores["similarity"].assd < 0.05


def test_size_is_forgiven_by_the_similarity_alone():
    true = np.asarray(BOX.vertices)
    scores = scores_of(1.1 * true, true, BOX.faces, CAMERA)
    assert scores["as placed"].assd == pytest.approx(6.0, rel=0.05)
    assert scores["depth corrected"].assd == pytest.approx(6.0, rel=0.05)
    assert scores["similarity"].assd < 0.05


def test_what_is_outside_the_film_does_not_count():
    true = np.asarray(BOX.vertices) + [0, 0, -160.0]  # half below the film's lower edge
    seen = in_film(true, CAMERA)
    assert 0.3 < seen.mean() < 0.7
    found = true.copy()
    found[true[:, 2] < true[seen, 2].min() - 15] += [0, 50.0, 0]
    assert scores_of(found, true, BOX.faces, CAMERA)["as placed"].assd < 0.05


def test_the_table_has_a_line_for_every_target_method_and_alignment():
    row = {"condition": "standard", "target": "pelvis", "method": "ddx", "alignment": "as placed"}
    rows = [row | {"assd": 1.0, "hd95": 3.0}, row | {"assd": 2.0, "hd95": 5.0}]
    lines = table([*rows, row | {"alignment": "refused"}]).splitlines()
    assert lines[2] == "| standard | pelvis | ddx | as placed | 2 | 1.50 | 4.00 |"
    assert lines[3] == "| standard | pelvis | ddx | refused | 1 | - | - |"

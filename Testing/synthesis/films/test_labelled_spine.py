"""Films of real people through their voxels: lengths are right, places are where the labels are."""

from __future__ import annotations

import numpy as np
import pytest

from mri2mesh.errors import InputError
from mri2mesh.geometry.volume import Volume
from mri2mesh.rendering.drr import WATER_PER_MM
from mri2mesh.synthesis.films.lumbar.labelled import LabelledSpine, make_labelled_case
from mri2mesh.synthesis.films.lumbar.views import lumbar_geometry
from mri2mesh.synthesis.films.views import View

RADIUS, MIDDLE = 18.0, np.array([10.0, -15.0, 30.0])


@pytest.fixture(scope="module")
def labels() -> Volume:
    """A ball that is called L3, on voxels of 1.5 mm whose first axis runs to the left."""
    matrix = np.diag([-1.5, 1.5, 1.5, 1.0])
    matrix[:3, 3] = MIDDLE + [45.0, -45.0, -45.0]
    grid = Volume(np.zeros((60, 60, 60), np.uint8), matrix)
    k, j, i = np.indices(grid.array.shape)
    apart = np.linalg.norm(grid.ras_from_ijk(np.stack([i, j, k], -1)) - MIDDLE, axis=-1)
    return grid.with_array(np.where(apart < RADIUS, 22, 0).astype(np.uint8))


def view() -> View:
    geometry = lumbar_geometry(64, 100.0, 1000.0, 800.0, 180.0, 0.0, MIDDLE, np.zeros(2))
    return View(geometry.camera(), False, "around")


def test_the_longest_way_through_a_ball_is_its_diameter(labels: Volume):
    case = make_labelled_case(LabelledSpine.of(labels), "L3", view(), np.random.default_rng(0), alone=True)
    bone = case.cortex.astype(float) + case.marrow.astype(float)
    assert bone.max() == pytest.approx(2 * RADIUS, abs=1.5)
    assert case.cortex.max() > 8 and case.tissue.max() == 0
    rows, columns = np.nonzero(case.truth.mask[0])
    assert (columns.mean(), rows.mean()) == pytest.approx((15.5, 15.5), abs=0.5)
    near, far = case.truth.depth[0][:, 15, 15]
    assert (near, far) == pytest.approx((800 - RADIUS, 800 + RADIUS), abs=1.0)


def test_a_ct_is_taken_as_it_is(labels: Volume):
    hu = np.where(labels.array > 0, 500.0, -1000.0).astype(np.float32)
    spine = LabelledSpine.of(labels, labels.with_array(hu))
    case = make_labelled_case(spine, "L3", view(), np.random.default_rng(0))
    assert case.tissue.max() == pytest.approx(1.5 * 2 * RADIUS, rel=0.06)  # water counts as 1, this as 1.5
    assert not case.cortex.any() and WATER_PER_MM > 0


def test_what_is_no_label_volume_is_refused(labels: Volume):
    with pytest.raises(InputError, match="fractions"):
        LabelledSpine.of(labels.with_array(labels.array * 0.3))
    with pytest.raises(InputError, match="VerSe"):
        LabelledSpine.of(labels.with_array(np.where(labels.array, 3, 0)))
    moved = Volume(labels.array.astype(np.float32), labels.ijk_to_ras + np.diag([0, 0, 0.5, 0]))
    with pytest.raises(InputError, match="not on one grid"):
        spine = LabelledSpine.of(labels, moved)
        make_labelled_case(spine, "L3", view(), np.random.default_rng(0), alone=True)


def test_a_vertebra_at_the_edge_is_cut(labels: Volume):
    assert LabelledSpine.of(labels).whole("L3")
    cut = labels.with_array(np.roll(labels.array, -25, axis=0))
    assert not LabelledSpine.of(cut).whole("L3")

"""A sacrum with its coccyx, and one that was drawn without."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from engines.segmentation.painted import label_map
from mri2mesh.anatomy.regions import closed_part
from mri2mesh.anatomy.shape_models.file import read_shape_model
from mri2mesh.engines.segmentation.engine import reconstruct
from mri2mesh.geometry.checks import is_watertight
from mri2mesh.geometry.distances import surface_distances

SACRUM = 26


@cache
def sacrum():
    """A random member of the model, and which of its vertices are not the coccyx."""
    model = read_shape_model("sacrum")
    above = np.ones(len(model.mean), bool)
    above[model.landmarks["coccyx"]] = False
    return model.mesh(0.7 * model.sample(np.random.default_rng(3), 1.5)), above


@pytest.mark.parametrize("drawn_with_it", [True, False])
def test_the_coccyx_is_there_where_it_was_drawn_and_only_there(drawn_with_it):
    whole, above = sacrum()
    truth = whole if drawn_with_it else closed_part(whole, above)
    result = reconstruct(label_map({SACRUM: truth}, (1.5, 1.5, 1.5)), segments=("26=sacrum",))
    (one,) = result.structures
    assert result.passed and is_watertight(one.mesh)
    assert surface_distances(one.mesh, truth).assd < 0.5
    assert abs(one.mesh.vertices[:, 2].min() - truth.vertices[:, 2].min()) < 2.5
    if drawn_with_it:
        assert len(one.mesh.vertices) == len(whole.vertices)


def test_the_model_is_closed_and_its_coccyx_is_its_lower_end():
    model = read_shape_model("sacrum")
    mean, tip = model.mesh(), model.landmarks["coccyx"]
    assert is_watertight(mean)
    assert model.mean[tip, 2].max() < np.delete(model.mean[:, 2], tip).min() + 1e-3
    assert 20.0 < np.ptp(model.mean[tip, 2]) < 50.0

"""Support says how much of a surface the image shows; a structure of which it shows too little is not returned."""

import numpy as np
import pytest

from engines.mri2mesh.quality.painted_spine import PaintedSpine
from mri2mesh.anatomy.semantic import Semantic
from mri2mesh.engines.mri2mesh.localisation.evidence import Evidence
from mri2mesh.engines.mri2mesh.quality.support import seen_enough, support_of
from mri2mesh.geometry.volume import Volume


def half_seen() -> tuple[Volume, Evidence]:
    """An image of 40 x 40 x 40 mm; below its middle all is body, above it disc, both with probability 0.8."""
    grid = np.diag([4.0, 2.0, 2.0, 1.0])
    semantic = np.zeros((len(Semantic), 20, 20, 10), np.float32)
    semantic[Semantic.BODY, :10] = 0.8
    semantic[Semantic.DISC, 10:] = 0.8
    evidence = Evidence(semantic, np.zeros((3, 20, 20, 10), np.float32), np.ones((20, 20, 10), bool), grid)
    return Volume(np.zeros((40, 40, 40), np.float32), np.eye(4)), evidence


def test_support_is_the_probability_of_the_structure_s_own_tissue():
    volume, evidence = half_seen()
    points = np.array([[20.0, 20.0, 8.0], [20.0, 20.0, 30.0]])
    assert np.allclose(support_of(points, "vertebra", volume, evidence), [0.8, 0.0])
    assert np.allclose(support_of(points, "disc", volume, evidence), [0.0, 0.8])
    assert np.allclose(support_of(points, "sacrum", volume, evidence), 0.0)


def test_posterior_elements_support_a_vertebra_too_and_never_more_than_wholly():
    volume, evidence = half_seen()
    for posterior, support in ((0.1, 0.9), (0.3, 1.0)):
        evidence.semantic[Semantic.POSTERIOR] = posterior
        found = support_of(np.array([[20.0, 20.0, 8.0]]), "vertebra", volume, evidence)
        assert found.dtype == np.float32
        assert np.allclose(found, support)


def test_between_voxels_support_is_linear_and_at_the_rim_of_the_image_that_of_its_last_voxel():
    volume, evidence = half_seen()
    half_way = np.array([[20.0, 20.0, 21.0], [20.0, 20.0, 20.5]])
    assert np.allclose(support_of(half_way, "vertebra", volume, evidence), [0.4, 0.6])
    assert np.allclose(support_of(np.array([[20.0, -0.4, 8.0]]), "vertebra", volume, evidence), 0.8)


def test_tissue_within_a_voxel_supports_a_surface_that_is_a_little_off():
    volume, evidence = half_seen()
    near, far = np.array([[20.0, 20.0, 20.0]]), np.array([[20.0, 20.0, 23.0]])
    assert np.allclose(support_of(near, "vertebra", volume, evidence), 0.8)
    assert np.allclose(support_of(far, "vertebra", volume, evidence), 0.0)


def test_outside_the_image_nothing_is_supported():
    volume, evidence = half_seen()
    points = np.array([[20.0, 20.0, -3.0], [45.0, 20.0, 8.0]])
    assert np.allclose(support_of(points, "vertebra", volume, evidence), 0.0)


@pytest.mark.parametrize(
    ("share", "enough"), [(0.0, False), (0.2, False), (0.25, True), (0.3, True), (1.0, True)]
)
def test_a_quarter_of_a_structure_has_to_be_seen(share, enough):
    support = np.zeros(100, np.float32)
    support[: int(100 * share)] = 1
    assert seen_enough(support) is enough


def test_a_vertebra_in_view_is_seen_and_one_beyond_the_image_is_not(spine: PaintedSpine):
    mesh = spine.mesh("L3")
    here = support_of(mesh.vertices, "vertebra", spine.volume, spine.evidence)
    away = support_of(mesh.vertices + [0, 0, 300], "vertebra", spine.volume, spine.evidence)
    assert seen_enough(here)
    assert not seen_enough(away)

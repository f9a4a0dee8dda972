"""What lies in the canal, as a scan shows it: below L4 the sac leaves the back walls of the bodies."""

import numpy as np
import pytest

from mri2mesh.anatomy.spine_model import LumbarSpineModel
from mri2mesh.synthesis.mr.canal import _dural_sac
from mri2mesh.synthesis.mr.spine_access import body_centre


@pytest.fixture(scope="module")
def spine():
    return LumbarSpineModel.load().sample(np.random.default_rng(2))


def test_fat_lies_between_sac_and_bodies_at_l5_and_little_higher_up(spine):
    heights = np.array([body_centre(spine, name)[2] for name in ("L5", "L2")])
    gaps = []
    for seed in range(60):
        size, forward = _dural_sac(spine, heights, np.random.default_rng(seed), {})
        gaps.append(1 - (size + forward))  # of the canal's radius
    lower, upper = np.array(gaps).T
    assert np.median(lower) > np.median(upper) + 0.1
    assert lower.min() > -0.05, "the sac stays within the canal in front"
    assert lower.std() > 0.08, "and patients differ"


def test_the_sac_stays_within_the_canal_behind(spine):
    heights = np.linspace(body_centre(spine, "S1")[2], body_centre(spine, "L1")[2], 60)
    for seed in range(30):
        size, forward = _dural_sac(spine, heights, np.random.default_rng(seed), {})
        assert (size - forward).max() < 1.1

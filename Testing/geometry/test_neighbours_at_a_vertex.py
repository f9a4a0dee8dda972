"""Faces with one common vertex: most are cleared cheaply, and none of those meets the other anywhere else."""

import numpy as np

from mri2mesh.geometry import intersections


def test_pairs_that_are_passed_over_meet_nowhere_else():
    rng = np.random.default_rng(4)
    a, b = rng.normal(size=(2, 4000, 3, 3))
    b[:, 2] = a[:, 0]
    common = np.zeros((len(a), 3, 3), bool)
    common[:, 0, 2] = True
    passed_over = intersections._beside_the_vertex(a, b, common)
    assert 0.3 < passed_over.mean() < 0.9
    assert intersections._fold_at_vertex(a, b, common).any()
    assert not intersections._fold_at_vertex(a[passed_over], b[passed_over], common[passed_over]).any()

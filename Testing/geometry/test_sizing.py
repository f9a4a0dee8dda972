"""A frame that carries size takes the template exactly to a turned, stretched, displaced copy of it."""

import numpy as np
from scipy.spatial.transform import Rotation

from mri2mesh.anatomy.templates import template
from mri2mesh.geometry.sizing import sized_fit
from mri2mesh.geometry.transforms import apply, compose


def test_rotation_axis_scales_and_place_are_recovered():
    home = template("vertebra").vertices.astype(np.float64)
    turn = Rotation.from_euler("xyz", [25, -10, 40], degrees=True).as_matrix()
    truth = compose(turn * np.array([1.2, 0.9, 1.05]), [30.0, -40.0, 12.0])
    fitted = sized_fit(home, apply(truth, home))
    assert np.abs(apply(fitted, home) - apply(truth, home)).max() < 1.5
    assert np.abs(np.linalg.norm(fitted[:3, :3], axis=0) - [1.2, 0.9, 1.05]).max() < 0.03


def test_a_rigid_copy_is_met_exactly():
    home = template("disc").vertices.astype(np.float64)
    truth = compose(Rotation.from_euler("z", 30, degrees=True).as_matrix(), [1.0, 2.0, 3.0])
    assert np.allclose(sized_fit(home, apply(truth, home)), truth, atol=1e-6)

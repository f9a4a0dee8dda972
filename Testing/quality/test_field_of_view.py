"""An image shows what lies within its voxels, up to their outer faces."""

import numpy as np

from mri2mesh.geometry.volume import Volume
from mri2mesh.quality.field_of_view import inside_image


def test_points_are_inside_up_to_the_outer_face_of_the_outermost_voxels():
    volume = Volume(np.zeros((5, 6, 7), np.float32), np.diag([2.0, 1.0, 1.0, 1.0]))
    along_x = np.array([[12.9, 2, 2], [13.1, 2, 2], [-0.9, 2, 2], [-1.1, 2, 2]])
    assert inside_image(volume, along_x).tolist() == [True, False, True, False]
    along_y = np.array([[2, 5.4, 2], [2, 5.6, 2], [2, -0.4, 2], [2, -0.6, 2]])
    assert inside_image(volume, along_y).tolist() == [True, False, True, False]
    along_z = np.array([[2, 2, 4.4], [2, 2, 4.6], [2, 2, -0.4], [2, 2, -0.6]])
    assert inside_image(volume, along_z).tolist() == [True, False, True, False]

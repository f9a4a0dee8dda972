"""What is varied between passes is varied in place: shifted slices show the same patient, a crop finds its template."""

import numpy as np
import torch
from scipy.spatial.transform import Rotation

from mri2mesh.engines.mri2mesh.deformation.graphs import build_graphs
from mri2mesh.engines.mri2mesh.deformation.predict import _recentred, _slices_moved
from mri2mesh.geometry.transforms import apply, compose
from mri2mesh.geometry.volume import Volume


def ramp() -> Volume:
    """Thick slices along i; intensity is the position across slices in mm."""
    matrix = np.diag([4.0, 1.0, 1.0, 1.0])
    matrix[:3, 3] = [-30, 5, 9]
    array = np.broadcast_to((4.0 * np.arange(16) - 30).astype(np.float32), (10, 12, 16)).copy()
    return Volume(array, matrix)


def test_slices_sampled_further_along_show_the_same_patient_at_the_same_place():
    volume = ramp()
    for shift in (0.25, -0.25, 0.5):
        moved, matrix = _slices_moved(torch.from_numpy(volume.array), volume, shift)
        position = matrix[0, 0] * np.arange(16) + matrix[0, 3]
        assert np.allclose(moved[0, 4, 5, 1:-1].numpy(), position[1:-1], atol=1e-4)
        assert abs(matrix[0, 3] - volume.ijk_to_ras[0, 3]) == 4.0 * abs(shift)


def test_beyond_the_first_and_the_last_slice_there_is_nothing_but_that_slice():
    image = torch.from_numpy(ramp().array)
    before, _ = _slices_moved(image, ramp(), -0.25)
    beyond, _ = _slices_moved(image, ramp(), 0.5)
    assert torch.equal(before[0, ..., 0], image[..., 0])
    assert torch.equal(beyond[0, ..., -1], image[..., -1])


def test_recentring_undoes_a_displaced_crop():
    """Where the surface found is the template displaced in the crop, the new frame has it at home."""
    graph = build_graphs()["level"]
    turn = Rotation.from_euler("xyz", [6, -4, 9], degrees=True).as_matrix()
    displaced = compose(turn, [3.0, -2.0, 4.0])
    frame = compose(Rotation.from_euler("zx", [20, 10], degrees=True).as_matrix(), [10.0, 20.0, -30.0])
    found = apply(displaced, graph.vertices.numpy())
    home = np.linalg.inv(_recentred(frame, found, graph)) @ frame
    assert np.allclose(apply(home, found), graph.vertices.numpy(), atol=1e-3)

"""Volumes in words."""

from __future__ import annotations

import numpy as np
import pytest

from imaging.ramps import oblique_matrix
from mri2mesh.geometry.volume import Volume
from mri2mesh.imaging.volumes.recognise import describe, orientation

ARRAY = np.zeros((3, 4, 5), np.uint8)


@pytest.mark.parametrize(("axis", "plane"), [(0, "sagittal"), (1, "coronal"), (2, "axial")])
def test_the_plane_is_the_one_across_the_largest_spacing(axis, plane):
    spacing = [0.6, 0.6, 0.6]
    spacing[axis] = 4.0
    assert orientation(Volume(ARRAY, np.diag([*spacing, 1.0]))) == plane
    tilted = Volume(ARRAY, oblique_matrix(tuple(spacing), (12, 9, -10)))
    assert describe(tilted) == f"{plane}, 4.0 mm slices, 0.60 x 0.60 mm in plane"


def test_a_strong_tilt_is_called_oblique():
    assert orientation(Volume(ARRAY, oblique_matrix((0.6, 0.6, 4.0), (35, 0, 0)))) == "oblique axial"


def test_gaps_modality_and_missing_orientation_are_named(sagittal_matrix):
    volume = Volume(ARRAY, sagittal_matrix, 3.5, {"modality": "MR", "orientation": "unknown"})
    assert describe(volume) == (
        "MR, sagittal, 3.5 mm slices every 4.0 mm, 0.70 x 0.80 mm in plane, "
        "orientation in the patient not recorded"
    )


def test_cubic_voxels_have_no_slice_direction():
    volume = Volume(ARRAY, oblique_matrix((1.0, 1.0, 1.0), (5, 5, 5)))
    assert orientation(volume) is None
    assert describe(volume) == "1.00 mm isotropic voxels"
    nearly = Volume(ARRAY, oblique_matrix((1.0, 0.9, 1.05), (5, 5, 5)))
    assert describe(nearly) == "1.00 x 0.90 x 1.05 mm voxels"

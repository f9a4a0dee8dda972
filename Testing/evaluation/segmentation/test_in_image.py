"""Distances as far as the image reaches."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh

from mri2mesh.engines.segmentation.patch import Patch
from mri2mesh.evaluation.segmentation.in_image import distances_in_image
from mri2mesh.geometry.mesh import Mesh


def cylinder(height: float, radius: float = 10.0) -> Mesh:
    """Upright, its upper end at z = 20."""
    bone = (
        trimesh.creation.cylinder(radius=radius, height=height, sections=64)
        .subdivide()
        .subdivide()
        .subdivide()
    )
    return Mesh(bone.vertices + [0, 0, 20.0 - height / 2], bone.faces)


def grid(low_z: float) -> Patch:
    matrix = np.eye(4)
    matrix[:3, 3] = (-20, -20, low_z)
    return Patch(np.zeros((140, 41, 41), bool), matrix, size=np.array([41, 41, 140]))


def test_what_is_made_up_beyond_the_image_does_not_count():
    cut, whole = cylinder(20.0), cylinder(120.0)
    assd, hd95 = distances_in_image(whole, cut, grid(0.0))
    assert assd < 0.05 and hd95 < 0.2
    assert distances_in_image(whole, cut, grid(-100.0))[0] > 5.0


def test_surfaces_one_millimetre_apart_are_one_millimetre_apart():
    assd, hd95 = distances_in_image(cylinder(120.0, 11.0), cylinder(20.0), grid(0.0))
    assert assd == pytest.approx(0.8, abs=0.2)  # the upper ends are the same
    assert hd95 == pytest.approx(1.0, abs=0.1)

"""What the maps of a network say, and what the maps of a network that learned single depth leave unsaid."""

from __future__ import annotations

import numpy as np

from mri2mesh.engines.dense_maps.maps import BoneMaps
from mri2mesh.geometry.xray_camera import XrayCamera


def two_overlapping_bones() -> BoneMaps:
    """Bone 0 in columns 0 to 4, bone 1 in columns 3 to 7; depths 900 and 950 mm, single depth 900 in the first map."""
    camera = XrayCamera.from_c_arm(
        source_to_detector_mm=1000.0,
        source_to_isocentre_mm=900.0,
        pixel_spacing_mm=(2.0, 2.0),
        size=(8, 8),
        primary_angle_deg=0.0,
        secondary_angle_deg=0.0,
        isocentre_ras_mm=(0.0, 0.0, 0.0),
    )
    presence = np.zeros((2, 8, 8), np.float32)
    presence[0, :, :5], presence[1, :, 3:] = 1.0, 1.0
    depth = np.full((2, 2, 8, 8), 950.0, np.float32)
    depth[0, 0] = 900.0
    return BoneMaps(presence, depth, np.zeros((2, 2, 3, 8, 8), np.float32), camera)


def test_both_faces_of_every_bone_give_samples():
    maps = two_overlapping_bones()
    assert [len(maps.samples(bone)) for bone in (0, 1)] == [2 * 8 * 5, 2 * 8 * 5]


def test_single_depth_gives_samples_of_the_front_where_one_bone_alone_is_seen():
    maps = two_overlapping_bones().first_surface()
    for bone in (0, 1):
        samples = maps.samples(bone)
        assert len(samples) == 8 * 3  # two columns of five show both bones
        assert not samples.back.any()
        depth = (samples.points - maps.camera.source_ras_mm) @ maps.camera.axes_ras[2]
        np.testing.assert_allclose(depth, 900.0)
    assert (maps.presence == two_overlapping_bones().presence).all()

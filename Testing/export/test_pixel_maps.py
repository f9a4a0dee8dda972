"""Maps of a radiograph as images on the detector, in place."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import SimpleITK as sitk

from mri2mesh.export.pixel_maps import write_pixel_maps
from mri2mesh.geometry.xray_camera import XrayCamera
from mri2mesh.reconstruction import PixelMaps


def test_each_bone_is_an_image_of_presence_and_depths_where_its_pixels_are(tmp_path: Path):
    camera = XrayCamera.from_c_arm(
        source_to_detector_mm=1100.0,
        source_to_isocentre_mm=950.0,
        pixel_spacing_mm=(6.0, 5.0),
        size=(40, 60),
        primary_angle_deg=170.0,
        secondary_angle_deg=8.0,
    )
    presence = np.zeros((2, 40, 60), np.float32)
    presence[0, 10:20, 30:40] = 0.9
    depth = np.full((2, 2, 40, 60), 900.0, np.float32)
    depth[:, 1] = 940.0
    write_pixel_maps(
        PixelMaps(("hip_left", "sacrum"), np.zeros((40, 60), np.float32), presence, depth, camera), tmp_path
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "hip_left.maps.nrrd", "maps.png", "sacrum.maps.nrrd",
    ]  # fmt: skip
    image = sitk.ReadImage(str(tmp_path / "hip_left.maps.nrrd"))
    values = sitk.GetArrayFromImage(image)[0]
    np.testing.assert_allclose(values[12, 35], [0.9, 900.0, 940.0], rtol=1e-6)
    assert (values[30, 5] == 0).all()
    lps = np.array(image.TransformIndexToPhysicalPoint((35, 12, 0)))
    np.testing.assert_allclose(lps * [-1, -1, 1], camera.on_detector([35, 12]), atol=1e-3)
    assert (sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / "sacrum.maps.nrrd"))) == 0).all()

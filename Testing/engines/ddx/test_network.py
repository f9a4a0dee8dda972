"""What goes into the network and what comes out."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from mri2mesh.engines.ddx.inputs import camera_channels
from mri2mesh.engines.ddx.networks.stored import load_network, new_network, save_network
from mri2mesh.engines.dense_maps.inputs import Reference
from mri2mesh.geometry.xray_camera import XrayCamera


def camera(primary: float, spacing: float = 3.4) -> XrayCamera:
    return XrayCamera.from_c_arm(
        source_to_detector_mm=1150.0,
        source_to_isocentre_mm=1000.0,
        pixel_spacing_mm=(spacing, spacing),
        size=(64, 96),
        primary_angle_deg=primary,
    )


def test_the_shipped_width_has_some_two_to_three_million_weights():
    assert 2e6 < sum(p.numel() for p in new_network().parameters()) < 3e6


def test_weights_come_back_from_their_file_but_for_rounding(tmp_path):
    torch.manual_seed(0)
    network = new_network((16, 16, 16, 16, 16))
    places = np.random.default_rng(0).normal(0, 100, (40, 3))
    save_network(
        tmp_path,
        network.state_dict(),
        places,
        {"widths": [16] * 5, "pixels": 96, "loss": "single", "left_out": ["nobody"]},
    )
    found = load_network(tmp_path)
    assert (found.pixels, found.loss, found.left_out) == (96, "single", ("nobody",))
    np.testing.assert_allclose(found.places, places, rtol=1e-3)
    for name, value in network.state_dict().items():
        largest = value.flatten(1).abs().amax(1) if value.ndim > 1 else value.abs()
        step = (largest / 127).view(-1, *[1] * (value.ndim - 1))
        assert ((found.network.state_dict()[name] - value).abs() <= 0.6 * step + 1e-4).all()


def test_the_network_sees_where_the_source_is_and_how_large_a_pixel_is():
    ap = camera_channels(camera(180.0), Reference(1000.0))
    pa = camera_channels(camera(0.0), Reference(1000.0))
    assert (ap[4] == 1).all()
    assert (pa[4] == -1).all()
    larger = camera_channels(camera(180.0, 6.8), Reference(1000.0))
    np.testing.assert_allclose(larger[2] - ap[2], 2 * np.log(2), rtol=1e-5)
    assert ap[0, 0, 0] == pytest.approx(-ap[0, 0, -1])
    assert abs(ap[0, 0, 0]) == pytest.approx(4 * 47.5 * 3.4 / 1150, rel=1e-5)

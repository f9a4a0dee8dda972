"""What goes into the network and what comes out."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from mri2mesh.engines.ddx.inputs import Reference, camera_channels, depth_of
from mri2mesh.engines.ddx.networks.stored import load_network, save_network
from mri2mesh.engines.ddx.networks.unet import DepthNet
from mri2mesh.geometry.xray_camera import XrayCamera


def camera(primary: float, spacing: float = 3.4) -> XrayCamera:
    return XrayCamera.from_c_arm(
        source_to_detector_mm=1150.0,
        source_to_isocentre_mm=1000.0,
        pixel_spacing_mm=(spacing, spacing),
        size=(64, 96),
        primary_angle_deg=primary,
    )


def test_maps_come_on_half_the_films_grid_for_every_bone():
    network = DepthNet(widths=(16, 16, 16, 16, 16))
    maps = network(torch.zeros(2, 1, 128, 192), torch.zeros(2, 6, 64, 96))
    assert maps.mask.shape == (2, 5, 64, 96)
    assert maps.log_depth.shape == (2, 5, 2, 64, 96)
    assert maps.canonical.shape == (2, 5, 2, 3, 64, 96)


def test_the_shipped_width_has_some_two_to_three_million_weights():
    assert 2e6 < sum(p.numel() for p in DepthNet().parameters()) < 3e6


def test_widths_that_do_not_fit_the_norms_are_refused():
    with pytest.raises(ValueError, match="multiples of 8"):
        DepthNet(widths=(8, 16, 16, 16, 16))


def test_weights_come_back_from_their_file_but_for_rounding(tmp_path):
    torch.manual_seed(0)
    network = DepthNet(widths=(16, 16, 16, 16, 16))
    places = np.random.default_rng(0).normal(0, 100, (40, 3))
    save_network(
        tmp_path, network.state_dict(), places, {"widths": [16] * 5, "pixels": 96, "left_out": ["nobody"]}
    )
    found = load_network(tmp_path)
    assert (found.pixels, found.left_out) == (96, ("nobody",))
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


def test_depth_is_along_the_beam_not_along_the_ray():
    view = camera(180.0)
    assert depth_of(view, np.zeros(3)) == pytest.approx(1000.0)
    assert depth_of(view, np.array([100.0, 0.0, 0.0])) == pytest.approx(1000.0)  # sideways: as deep
    assert depth_of(view, np.array([0.0, 50.0, 0.0])) == pytest.approx(
        950.0
    )  # in front of the patient: nearer


def test_a_few_steps_on_one_film_bring_every_loss_down():
    from mri2mesh.engines.ddx.training.batches import Batch
    from mri2mesh.engines.ddx.training.step import DdxStep

    torch.manual_seed(0)
    network = DepthNet(widths=(16, 16, 16, 16, 16))
    mask = torch.zeros(1, 5, 32, 32, dtype=torch.bool)
    mask[:, :, 8:24, 8:24] = True
    slope = torch.linspace(-0.1, 0.1, 32).expand(1, 5, 2, 32, 32)
    batch = Batch(
        torch.randn(1, 1, 64, 64),
        torch.zeros(1, 6, 32, 32),
        mask,
        slope.clone(),
        slope[:, :, :, None].expand(1, 5, 2, 3, 32, 32) * 5,
        torch.tensor([1000.0]),
    )
    step, optimiser = DdxStep(), torch.optim.Adam(network.parameters(), 1e-2)
    first = None
    for _ in range(12):
        loss, parts = step(network, batch)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        first = first or parts
    assert {name for name in parts if parts[name] > 0.9 * first[name]} == set()

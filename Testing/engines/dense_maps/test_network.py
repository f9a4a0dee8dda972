"""The network of dense maps: its grid, its size, its depths, and that it learns."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from mri2mesh.engines.dense_maps.inputs import depth_of
from mri2mesh.engines.dense_maps.network import DepthNet
from mri2mesh.engines.dense_maps.training.batches import Batch
from mri2mesh.engines.dense_maps.training.step import MapsStep
from mri2mesh.geometry.xray_camera import XrayCamera


def test_maps_come_on_half_the_films_grid_for_every_bone():
    network = DepthNet(5, 6, widths=(16, 16, 16, 16, 16))
    maps = network(torch.zeros(2, 1, 128, 192), torch.zeros(2, 6, 64, 96))
    assert maps.mask.shape == (2, 5, 64, 96)
    assert maps.log_depth.shape == (2, 5, 2, 64, 96)
    assert maps.canonical.shape == (2, 5, 2, 3, 64, 96)


def test_widths_that_do_not_fit_the_norms_are_refused():
    with pytest.raises(ValueError, match="multiples of 8"):
        DepthNet(5, 6, widths=(8, 16, 16, 16, 16))


def test_depth_is_along_the_beam_not_along_the_ray():
    view = XrayCamera.from_c_arm(
        source_to_detector_mm=1150.0,
        source_to_isocentre_mm=1000.0,
        pixel_spacing_mm=(3.4, 3.4),
        size=(64, 96),
        primary_angle_deg=180.0,
    )
    assert depth_of(view, np.zeros(3)) == pytest.approx(1000.0)
    assert depth_of(view, np.array([100.0, 0.0, 0.0])) == pytest.approx(1000.0)  # sideways: as deep
    assert depth_of(view, np.array([0.0, 50.0, 0.0])) == pytest.approx(
        950.0
    )  # in front of the patient: nearer


def test_a_few_steps_on_one_film_bring_every_loss_down():
    torch.manual_seed(0)
    network = DepthNet(5, 6, widths=(16, 16, 16, 16, 16))
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
    step, optimiser = MapsStep(), torch.optim.Adam(network.parameters(), 1e-2)
    first = None
    for _ in range(12):
        loss, parts = step(network, batch)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        first = first or parts
    assert {name for name in parts if parts[name] > 0.9 * first[name]} == set()

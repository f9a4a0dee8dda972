"""Losses against values worked out by hand."""

from __future__ import annotations

import math

import pytest
import torch

from mri2mesh.engines.dense_maps.losses import absolute_loss, canonical_loss, depth_loss, mask_loss

EVERYWHERE = torch.ones(1, 2, 4, 4, dtype=torch.bool)


def maps(first: float, second: float) -> torch.Tensor:
    """[1, 2, 2, 4, 4]: object 0 holds the first value, object 1 the second, on both faces."""
    values = torch.tensor([first, second]).view(1, 2, 1, 1, 1)
    return values.expand(1, 2, 2, 4, 4).clone()


@pytest.mark.parametrize("kind", ["dependent", "independent"])
def test_a_common_shift_costs_the_part_that_lambda_leaves(kind: str):
    # mean(g^2) - 0.85 mean(g)^2 = 0.15 g^2 for g the same everywhere
    value = depth_loss(maps(0.1, 0.1), maps(0.0, 0.0), EVERYWHERE, kind)
    assert float(value) == pytest.approx(math.sqrt(0.15) * 0.1, rel=1e-3)


def test_objects_shifted_against_each_other_cost_more_where_objects_depend_on_each_other():
    predicted, true = maps(0.1, -0.1), maps(0.0, 0.0)
    dependent = depth_loss(predicted, true, EVERYWHERE, "dependent")
    independent = depth_loss(predicted, true, EVERYWHERE, "independent")
    assert float(dependent) == pytest.approx(0.1, rel=1e-3)  # the mean over both is 0
    assert float(independent) == pytest.approx(math.sqrt(0.15) * 0.1, rel=1e-3)


def test_centre_aligned_does_not_see_the_common_shift():
    shifted = depth_loss(maps(0.3, 0.1), maps(0.0, 0.0), EVERYWHERE, "dependent", centred=True)
    around_zero = depth_loss(maps(0.1, -0.1), maps(0.0, 0.0), EVERYWHERE, "dependent")
    assert float(shifted) == pytest.approx(float(around_zero), rel=1e-4)


def test_single_depth_learns_the_nearest_surface_alone():
    true = torch.zeros(1, 2, 2, 4, 4)
    true[0, 0, 0], true[0, 1, 0] = 0.2, 0.1  # object 1 is nearer
    predicted = torch.full_like(true, 9.0)
    predicted[0, 0, 0] = 0.1
    assert float(depth_loss(predicted, true, EVERYWHERE, "single")) < 1e-4


def test_pixels_outside_the_masks_do_not_count():
    mask = EVERYWHERE.clone()
    mask[:, :, 2:] = False
    predicted = maps(0.0, 0.0)
    predicted[..., 2:, :] = 5.0
    assert float(depth_loss(predicted, maps(0.0, 0.0), mask)) < 1e-4
    places = torch.zeros(1, 2, 2, 3, 4, 4)
    wrong = places.clone()
    wrong[..., 2:, :] = 5.0
    assert float(canonical_loss(wrong, places, mask)) == 0.0


def test_a_film_without_objects_costs_nothing_and_teaches_nothing():
    predicted = maps(0.1, 0.2).requires_grad_(True)
    value = depth_loss(predicted, maps(0.0, 0.0), torch.zeros_like(EVERYWHERE))
    value.backward()
    assert float(value.detach()) == 0.0
    assert predicted.grad is not None
    assert bool((predicted.grad == 0).all())


def test_the_right_mask_costs_less_than_its_mirror_image():
    mask = torch.zeros(1, 2, 4, 4, dtype=torch.bool)
    mask[:, 0, :, :2], mask[:, 1, :, 2:] = True, True
    right, swapped = mask.float() * 20 - 10, mask.flip(1).float() * 20 - 10
    assert float(mask_loss(right, mask)) < 0.05 < 5 < float(mask_loss(swapped, mask))


def test_the_absolute_error_of_single_depth_teaches_nothing_of_other_surfaces():
    predicted = maps(0.3, 0.5).requires_grad_(True)
    absolute_loss(predicted, maps(0.2, 0.1), EVERYWHERE, "single").backward()
    assert predicted.grad is not None
    taught = predicted.grad != 0
    assert bool(taught[:, 0, 0].all())
    assert int(taught.sum()) == 16


def test_the_absolute_error_is_the_mean_over_objects_and_faces():
    assert float(absolute_loss(maps(0.3, 0.1), maps(0.1, 0.0), EVERYWHERE)) == pytest.approx(0.15)

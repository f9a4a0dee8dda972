"""The residual of a view: its cost, its slope, and what it does not care about."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from engines.xray_fit.fitting.lumps import c_arm, shadow, somewhere, standing, unit_steps
from mri2mesh.engines.xray_fit.fitting import robust
from mri2mesh.engines.xray_fit.fitting.image_term import ImageSettings, ImageTerm, Observation
from mri2mesh.engines.xray_fit.fitting.parameters import Parameters

DEPTH = 800.0
NEAR = (0.3, -0.2, 0.2)


def disturbed(seen: Observation, share: float = 0.05) -> Observation:
    noise = np.random.default_rng(0).normal(size=seen.image.shape) * share * seen.image.std()
    return replace(seen, image=(seen.image + noise).astype(np.float32))


def nearby(n_views: int = 1) -> Parameters:
    """Off by a degree, some millimetres and a third of a standard deviation."""
    at = standing(NEAR, n_views)
    step = torch.zeros(1, at.n_steps, dtype=torch.float64)
    step[0, :6] = torch.tensor([0.02, -0.01, 0.03, 1.0, 5.0, -1.5])
    return at.stepped(step)


def slopes(family, settings: ImageSettings, h: float = 5e-4) -> tuple[torch.Tensor, torch.Tensor]:
    """[n_steps] twice: what the normal equations say and what differences of the cost say, for steps that move the
    surface by about a millimetre."""
    seen = disturbed(shadow(family, standing(), c_arm()))
    term, at = ImageTerm(seen, 0, family, settings, DEPTH), nearby()
    parts, yardstick = term.linearise(at)
    widths = torch.tensor([0.02] * 3 + [1.0] * 3 + [0.02] + [0.5] * 3 + [0.02] * 3 + [1.0] * 3).double()
    measured = []
    for step in unit_steps(at) * widths:
        change = term.cost(at.stepped(h * step), yardstick) - term.cost(at.stepped(-h * step), yardstick)
        measured.append(-float(change[0]) / (2 * h))
    return parts.slope[0] * widths, torch.tensor(measured, dtype=torch.float64)


@pytest.mark.parametrize("settings", [ImageSettings(), ImageSettings(lattice=1, gradients=True)])
def test_without_outliers_the_slope_is_the_descent_of_the_cost(family, settings, monkeypatch):
    monkeypatch.setattr(robust, "HUBER", 1e4)
    said, measured = slopes(family, settings)
    assert float((said - measured).abs().max()) < 0.05 * float(measured.abs().max())


@pytest.mark.parametrize(
    "settings", [ImageSettings(), ImageSettings(gradients=True), ImageSettings(spongy=0.3)]
)
def test_the_slope_points_down_the_cost(family, settings):
    """Not exactly: the contrast is solved with weights of its own, and rims are sharper than pixels."""
    said, measured = slopes(family, settings)
    assert float(torch.nn.functional.cosine_similarity(said, measured, dim=0)) > 0.9


def test_the_precision_is_symmetric_and_says_that_depth_is_what_one_view_knows_least(family):
    term = ImageTerm(disturbed(shadow(family, standing(), c_arm())), 0, family, ImageSettings(), DEPTH)
    precision = term.linearise(nearby())[0].precision[0]
    torch.testing.assert_close(precision, precision.T)
    across, along, up = precision.diagonal()[3:6].tolist()
    assert along < 0.1 * min(across, up) and along > 0


def test_what_one_contrast_leaves_is_what_the_correlation_does_not_explain(family):
    seen = disturbed(shadow(family, standing(), c_arm()), 0.3)
    term = ImageTerm(seen, 0, family, ImageSettings(lattice=1), DEPTH)
    predicted = ImageTerm(shadow(family, nearby(), c_arm()), 0, family, ImageSettings(lattice=1), DEPTH)
    correlation = torch.nn.functional.cosine_similarity(term.observed, predicted.observed)
    # not quite: what does not fit counts less in the contrast
    torch.testing.assert_close(term.agreement(nearby()).float(), correlation, rtol=5e-3, atol=0)


def test_the_cost_is_least_at_the_truth(family):
    term = ImageTerm(disturbed(shadow(family, standing(NEAR), c_arm())), 0, family, ImageSettings(), DEPTH)
    truth = standing(NEAR)
    yardstick = term.linearise(truth)[1]
    least = float(term.cost(truth, yardstick)[0])
    for step in 0.02 * unit_steps(truth)[[0, 1, 2, 7, 8, 9]]:
        assert min(float(term.cost(truth.stepped(sign * step), yardstick)[0]) for sign in (-5, 5)) > least


@pytest.mark.parametrize("settings", [ImageSettings(), ImageSettings(spongy=0.3)], ids=["solid", "cortex"])
def test_brightness_and_contrast_of_the_image_change_nothing(family, settings):
    seen = disturbed(shadow(family, standing(), c_arm()))
    brighter = replace(seen, image=3 * seen.image + 7)
    one, other = (ImageTerm(image, 0, family, settings, DEPTH) for image in (seen, brighter))
    torch.testing.assert_close(one.cost(nearby()), other.cost(nearby()), rtol=1e-2, atol=0)
    torch.testing.assert_close(one.agreement(nearby()), other.agreement(nearby()), rtol=1e-4, atol=0)


def test_what_is_masked_does_not_count(family):
    seen = disturbed(shadow(family, standing(), c_arm()))
    mask = seen.mask.copy()
    mask[:, :20] = False
    dirty = seen.image.copy()
    dirty[~mask] = 99.0
    clean, spoiled = (
        ImageTerm(Observation(seen.camera, image, mask), 0, family, ImageSettings(), DEPTH)
        for image in (seen.image, dirty)
    )
    torch.testing.assert_close(clean.cost(nearby()), spoiled.cost(nearby()), rtol=0, atol=0)
    torch.testing.assert_close(clean.linearise(nearby())[0].slope, spoiled.linearise(nearby())[0].slope)


def test_candidates_do_not_feel_each_other(family):
    term = ImageTerm(disturbed(shadow(family, standing(), c_arm())), 0, family, ImageSettings(), DEPTH)
    both = somewhere(batch=2)
    together = term.linearise(both)[0]
    for number in range(2):
        alone = term.linearise(both.take(torch.tensor([number])))[0]
        # float32 sums in another order, and a robust spread made from them
        torch.testing.assert_close(together.cost[number], alone.cost[0], rtol=1e-3, atol=0)
        torch.testing.assert_close(together.slope[number], alone.slope[0], rtol=1e-2, atol=1.0)


def test_a_lump_of_metal_is_taken_for_something_else(family):
    """One part in fifty of the pixels saturated: the slope at the truth stays a small part of a real error's."""
    seen = disturbed(shadow(family, standing(), c_arm()))
    metal = seen.image.copy()
    metal[15:22, 22:29] = 40.0
    term = ImageTerm(replace(seen, image=metal), 0, family, ImageSettings(), DEPTH)
    clean = ImageTerm(seen, 0, family, ImageSettings(), DEPTH)
    assert float(term.agreement(standing())[0]) < 0.9 < float(clean.agreement(standing())[0])
    z_shift = 5
    step = torch.linalg.solve(
        *(lambda parts: (parts.precision[0, :6, :6], parts.slope[0, :6]))(term.linearise(standing())[0])
    )
    assert abs(float(step[z_shift])) < 0.5


def test_a_window_leaves_out_what_lies_far_from_the_bone(family):
    seen = disturbed(shadow(family, standing(), c_arm()))
    dirty = seen.image.copy()
    dirty[:, :3] += np.random.default_rng(0).normal(0, 5, dirty[:, :3].shape).astype(np.float32)
    settings = ImageSettings(window_mm=4.0, coarse_mm=4.0, lattice=1)
    clean, spoiled = (
        ImageTerm(replace(seen, image=image), 0, family, settings, DEPTH) for image in (seen.image, dirty)
    )
    torch.testing.assert_close(clean.cost(nearby()), spoiled.cost(nearby()), rtol=0.02, atol=0)
    whole = replace(settings, window_mm=0.0)
    clean, spoiled = (
        ImageTerm(replace(seen, image=image), 0, family, whole, DEPTH) for image in (seen.image, dirty)
    )
    assert float(spoiled.cost(nearby())[0]) > 1.5 * float(clean.cost(nearby())[0])


def test_by_windows_the_truth_ranks_before_a_place_beside_the_bone(family):
    seen = disturbed(shadow(family, standing(), c_arm()))
    term = ImageTerm(seen, 0, family, ImageSettings(window_mm=10.0), DEPTH)
    away = torch.zeros(1, standing().n_steps, dtype=torch.float64)
    away[0, 3] = 40.0
    ranks = term.rank_cost(Parameters.joined([standing(), nearby(), standing().stepped(away)]))
    assert ranks.tolist() == sorted(ranks.tolist()) and float(ranks[0]) < float(ranks[1])


def test_a_bone_beside_it_is_explained_and_pulls_no_more(family):
    """The shadow of a neighbour that overlaps: without it the truth is not where the fit wants to stay."""
    other = replace(standing(), position=torch.tensor([[38.0, 0.0, 6.0]], dtype=torch.float64))
    seen = shadow(family, standing(), c_arm())
    beside = shadow(family, other, c_arm()).image
    both = replace(seen, image=seen.image + beside)
    layers = torch.from_numpy(beside * 10)[None, None]
    alone = ImageTerm(both, 0, family, ImageSettings(lattice=1), DEPTH)
    explained = ImageTerm(both, 0, family, ImageSettings(lattice=1), DEPTH, layers)
    assert float(explained.agreement(standing())[0]) > 0.99 > float(alone.agreement(standing())[0])
    pulls = [float(term.linearise(standing())[0].slope[0, :6].norm()) for term in (alone, explained)]
    assert pulls[1] < 0.1 * pulls[0]

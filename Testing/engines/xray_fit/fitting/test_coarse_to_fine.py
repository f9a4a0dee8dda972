"""A whole fit: from bad starts, by what counts in the images, with someone watching."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from engines.xray_fit.fitting.lumps import c_arm, shadow, standing
from mri2mesh.engines.xray_fit.fitting.coarse_to_fine import FitSettings, depth_of, fit
from mri2mesh.engines.xray_fit.fitting.image_term import Observation
from mri2mesh.engines.xray_fit.fitting.levels import Level
from mri2mesh.engines.xray_fit.fitting.parameters import Parameters

TRUTH = (0.8, -0.6, 0.5)
SETTINGS = FitSettings(levels=(Level(24, 6, 1, 1, 40.0, tempered=True), Level(48, 25, 3, 1, 40.0)))

SHORT = FitSettings(levels=(Level(24, 2, 1, 1, 40.0, tempered=True), Level(48, 2, 3, 1, 40.0)))


@pytest.fixture
def views(family) -> list[Observation]:
    truth = standing(TRUTH, 2)
    return [shadow(family, truth, c_arm(angle), n) for n, angle in enumerate((180.0, 120.0))]


def starts(n_views: int = 2) -> Parameters:
    """Off by 14 and by 60 degrees, both by 15 mm."""
    at = standing(n_views=n_views).take(torch.tensor([0, 0]))
    step = torch.zeros(2, at.n_steps, dtype=torch.float64)
    step[:, :3] = torch.tensor([[0.15, -0.1, 0.15], [0.6, 0.6, 0.6]])
    step[:, 3:6] = torch.tensor([9.0, -8.0, 9.0])
    return at.stepped(step)


def farthest_mm(family, found: Parameters) -> float:
    return float((found.vertices(family) - standing(TRUTH).vertices(family)).norm(dim=-1).max())


def test_the_better_of_two_starts_leads_to_the_truth(family, views):
    likely = starts().take(torch.tensor([0]))
    found = fit(views, family, starts(), SETTINGS, expected=likely)
    assert len(found.parameters) == 1
    assert farthest_mm(family, found.parameters) < 0.5
    assert min(found.agreement) > 0.999
    torch.testing.assert_close(found.precision, found.precision.mT)


def test_masked_garbage_changes_nothing_about_the_answer(family, views):
    spoiled = []
    for seen in views:
        mask, image = seen.mask.copy(), seen.image.copy()
        mask[:18, :18] = False
        image[:18, :18] = 1000.0
        spoiled.append(Observation(seen.camera, image, mask))
    found = fit(spoiled, family, starts().take(torch.tensor([0])), SETTINGS)
    assert farthest_mm(family, found.parameters) < 0.5


def test_the_same_fit_gives_the_same_answer(family, views):
    first, second = (fit(views, family, starts(), SHORT).parameters for _ in range(2))
    torch.testing.assert_close(first.position, second.position, rtol=0, atol=1e-3)


def test_the_one_who_watches_sees_progress_and_may_end_it(family, views):
    shares = []
    fit(views[:1], family, starts(1), SHORT, watch=lambda best, share: shares.append((len(best), share)))
    assert all(batch == 1 for batch, _ in shares)
    assert np.all(np.diff([share for _, share in shares]) >= 0) and 0 < shares[0][1] <= shares[-1][1] <= 1

    def cancel(best: Parameters, share: float) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        fit(views[:1], family, starts(1), SHORT, watch=cancel)


def test_the_depth_is_along_the_beam_and_never_behind_the_source(family, views):
    assert depth_of(views[0], standing()) == pytest.approx(800.0)
    behind = standing()
    behind = replace(behind, position=torch.tensor([[0.0, 2000.0, 0.0]]).double())
    beam = views[0].camera.axes_ras[2]
    assert depth_of(views[0], behind) in (1.0, pytest.approx(800.0 + 2000.0 * beam[1]))

"""What is written on left-out cases: signed, wall by wall, and known for surfaces that are wrong by known amounts."""

import numpy as np
import pytest
import torch

from mri2mesh.engines.mri2mesh.deformation.graphs import build_graphs
from mri2mesh.engines.mri2mesh.training.validation import SurfaceValidation, validation_cases
from mri2mesh.errors import InputError


@pytest.fixture
def validation() -> SurfaceValidation:
    """Two levels whose true surfaces are the templates."""
    made = object.__new__(SurfaceValidation)
    made.graph = build_graphs()["level"]
    made.targets = made.graph.vertices.float().expand(2, -1, -1).clone()
    return made


def test_the_truth_has_no_error(validation):
    assert all(
        value == pytest.approx(0, abs=1e-5) for value in validation.figures(validation.targets).values()
    )


def test_bodies_too_wide_are_outside_at_both_sides_and_nowhere_else(validation):
    figures = validation.figures(validation.targets * torch.tensor([1.1, 1.0, 1.0]))
    assert 1.5 < figures["left_mm"] < 3.0
    assert figures["right_mm"] == pytest.approx(figures["left_mm"], abs=0.2)
    assert all(abs(figures[f"{name}_mm"]) < 0.5 for name in ("front", "back", "top", "bottom"))


def test_bodies_too_far_forward_are_outside_in_front_and_inside_behind(validation):
    figures = validation.figures(validation.targets + torch.tensor([0.0, 2.0, 0.0]))
    assert figures["front_mm"] > 1.6
    assert figures["back_mm"] < -1.6
    assert figures["body_mm"] == pytest.approx(2.0, abs=1e-3)


def test_widths_that_scatter_are_told_from_widths_that_are_wrong_alike(validation):
    alike = validation.figures(validation.targets * torch.tensor([1.1, 1.0, 1.0]))
    one_each_way = torch.tensor([1.1, 0.9]).view(2, 1, 1) * torch.tensor([1.0, 0, 0]) + torch.tensor(
        [0, 1.0, 1.0]
    )
    scattered = validation.figures(validation.targets * one_each_way)
    assert alike["width_sd_mm"] < 0.01
    assert scattered["width_sd_mm"] > 3
    assert np.isclose(scattered["left_mm"], 0, atol=0.2)


def test_an_empty_folder_is_bad_input(tmp_path):
    with pytest.raises(InputError, match="no synthetic cases"):
        validation_cases(tmp_path)

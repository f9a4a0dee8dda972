"""Radiographs with the outlines of what was reconstructed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread

from mri2mesh.export.overlays import write_overlay
from mri2mesh.imaging.radiographs.radiograph import Radiograph
from mri2mesh.imaging.radiographs.xray_geometry import assumed_geometry
from mri2mesh.reconstruction import Reconstruction

SIZE = (60, 80)


@pytest.fixture
def film() -> Radiograph:
    """Grey everywhere, its left quarter masked."""
    metal = np.zeros(SIZE, bool)
    metal[:, :20] = True
    geometry = assumed_geometry(SIZE).with_values("tag", pixel_spacing_mm=(2.0, 2.0))
    pixels = np.random.default_rng(0).normal(1, 0.1, SIZE).astype(np.float32)
    return Radiograph(pixels, geometry, "logarithmic", unusable={"metal": metal})


def blueness(picture: Path) -> tuple[float, float]:
    """How much more blue than red the left quarter and the rest of a picture are."""
    colours = imread(picture)[: -SIZE[0]]  # without the legend's corner
    apart = colours[..., 2] - colours[..., 0]
    quarter = apart.shape[1] // 4
    return float(np.median(apart[:, :quarter])), float(np.median(apart[:, quarter:]))


@pytest.mark.parametrize("masked", [True, False])
def test_masked_pixels_are_tinted_where_they_were_left_out(film: Radiograph, tmp_path: Path, masked: bool):
    empty = Reconstruction(
        engine="xray-fit", structures=[], checks=[], warnings=[], provenance={}, timings_s={}
    )
    left, rest = blueness(write_overlay(empty, film, tmp_path / "overlay.png", masked=masked))
    assert rest == pytest.approx(0.0, abs=0.01)
    assert (left > 0.1) == masked

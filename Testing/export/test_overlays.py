"""Radiographs with the outlines of what was reconstructed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread

from mri2mesh.engines.dense_maps.turned import turned
from mri2mesh.export.overlays import write_overlay
from mri2mesh.imaging.radiographs.radiograph import Radiograph
from mri2mesh.imaging.radiographs.xray_geometry import assumed_geometry
from mri2mesh.reconstruction import PixelMaps, Reconstruction

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


def test_what_was_seen_is_outlined_where_it_lies_though_its_pixels_are_turned(
    film: Radiograph, tmp_path: Path
):
    plain = replace(film, pixels=np.linspace(0, 1, SIZE[1], dtype=np.float32) * np.ones(SIZE, np.float32))
    disc = (np.hypot(*(np.indices(SIZE) - np.array([20, 55])[:, None, None])) < 8).astype(np.float32)
    presence, camera = turned(disc, film.camera, 30.0, 0.0)
    nothing = np.zeros((1, 2, *SIZE), np.float32)
    maps = PixelMaps(("femur_right",), presence, presence[None], nothing, camera)
    empty = Reconstruction(engine="xray-fit", structures=[])
    drawn = imread(write_overlay(empty, plain, tmp_path / "seen.png", masked=False, seen=maps))
    without = imread(write_overlay(empty, plain, tmp_path / "without.png", masked=False))
    changed = np.abs(drawn - without).max(axis=-1) > 0.1
    step = changed.shape[1] / SIZE[1]
    rows, columns = np.nonzero(changed)
    apart = np.hypot((columns + 0.5) / step - 0.5 - 55, (rows + 0.5) / step - 0.5 - 20)
    assert len(rows) > 100
    np.testing.assert_allclose(apart, 8, atol=1.2)

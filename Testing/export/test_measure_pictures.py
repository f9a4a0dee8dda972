"""The picture of the measures: each line where it was taken, and nothing where nothing was measured."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.image import imread

from measures import blocks
from mri2mesh.export.measure_files import describe_measure
from mri2mesh.export.measure_pictures import SHOWN, write_measures_on_slices
from mri2mesh.export.slices import AXIAL, CORONAL, SAGITTAL
from mri2mesh.geometry.volume import Volume
from mri2mesh.measures.definitions import DEFINITIONS
from mri2mesh.measures.stage import measure
from mri2mesh.reconstruction import Reconstruction


@pytest.fixture(scope="module")
def block() -> Reconstruction:
    return blocks.reconstruction({"L3": blocks.vertebra()})


@pytest.fixture(scope="module")
def image() -> Volume:
    affine = np.diag([3.0, 3.0, 3.0, 1.0])
    affine[:3, 3] = -60
    return Volume(np.full((40, 40, 40), 100, np.float32), affine)


def test_lines_are_drawn_in_their_plane_and_as_long_as_they_are(
    block: Reconstruction, image: Volume, tmp_path: Path
) -> None:
    rows = [describe_measure(one) for one in measure(block)]
    path = write_measures_on_slices(block, image, rows, tmp_path / "measures.png")
    assert path is not None
    picture = imread(path)[..., :3]
    for key in ("body_height_middle", "canal_depth"):
        colour = np.array(to_rgb(SHOWN[key][1]))
        assert (np.abs(picture - colour).max(axis=-1) < 0.1).sum() > 20, key


def test_without_any_measured_line_there_is_no_picture(
    block: Reconstruction, image: Volume, tmp_path: Path
) -> None:
    rows = [{**describe_measure(one), "value": None} for one in measure(block)]
    assert write_measures_on_slices(block, image, rows, tmp_path / "measures.png") is None
    assert not list(tmp_path.iterdir())


def test_every_measure_that_is_shown_is_a_length_and_is_seen_in_a_plane_that_holds_it(
    block: Reconstruction,
) -> None:
    across = {id(SAGITTAL): 0, id(CORONAL): 1, id(AXIAL): 2}
    for one in measure(block):
        if one.key in SHOWN and one.lines:
            assert DEFINITIONS[one.key].unit == "mm"
            points = np.concatenate(one.lines)
            extent = np.ptp(points, axis=0)
            assert extent[across[id(SHOWN[one.key][0])]] < 0.5 * extent.max(), one.key

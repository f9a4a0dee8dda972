"""Label maps from the scene are those of the command line, on the grid of the volume, wherever both were moved."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mri2mesh.errors import InputError
from mri2mesh.export.labelmaps import label_map
from mri2mesh.geometry.transforms import rotation_about, translation
from mri2mesh.imaging.volumes.reading import read_volume
from mri2mesh.imaging.volumes.writing import ENDINGS
from mri2mesh_slicer.export.labelmaps import grid_of, take_labelmaps
from mri2mesh_slicer.mrml_nodes import remove_node
from mri2mesh_slicer.runs.level_shift import shift_levels
from mri2mesh_slicer.runs.results import RunResult
from mri2mesh_slicer.runs.runs import RunNodes
from mri2mesh_slicer.runs.scene_building import add_run
from scene.made_runs import SPINE, lump
from scene.nodes import linear_transform, volume_node

GRID = np.array([[0, 0, 3.0, 5], [-2.0, 0, 0, -10], [0, -2.5, 0, 80], [0, 0, 0, 1]])
PLACES = {name: (20.0, -30.0, 60.0 - 25 * step) for step, name in enumerate(SPINE)}
MOVE = translation((5, 6, 7)) @ rotation_about((1, 2, 3), 40)


@pytest.fixture
def image(scene: Any) -> Any:
    return volume_node(scene, np.zeros((12, 50, 20), np.int16), GRID)


@pytest.fixture
def run(scene: Any, spine: RunResult, image: Any) -> RunNodes:
    return add_run(scene, spine, [image], name="run")


def expected(labels: dict[str, int], image: Any) -> np.ndarray:
    from mri2mesh_slicer.inputs import volume_of

    return label_map(((value, lump(PLACES[name])) for name, value in labels.items()), volume_of(image)).array


@pytest.mark.parametrize("ending", ENDINGS)
def test_they_lie_on_the_voxels_of_the_volume_with_the_values_of_verse(
    run: RunNodes, image: Any, tmp_path: Path, ending: str
) -> None:
    paths = take_labelmaps(run).write(tmp_path / "out", ending)
    names = ("discs", "vertebrae", "vertebral_bodies")
    assert [path.name for path in paths] == [name + ending for name in names]
    vertebrae, discs = (read_volume(tmp_path / "out" / f"{name}{ending}") for name in ("vertebrae", "discs"))
    np.testing.assert_allclose(vertebrae.ijk_to_ras, GRID, atol=1e-5)
    np.testing.assert_array_equal(vertebrae.array, expected({"T12": 19, "L1": 20}, image))
    np.testing.assert_array_equal(discs.array, expected({"T12-L1": 119}, image))
    assert set(np.unique(vertebrae.array)) == {0, 19, 20}


def test_transforms_that_both_share_change_nothing_and_one_on_the_models_alone_moves_them(
    scene: Any, run: RunNodes, image: Any, tmp_path: Path
) -> None:
    transform = linear_transform(scene, MOVE)
    for node in (image, *run.models):
        node.SetAndObserveTransformNodeID(transform.GetID())
    take_labelmaps(run).write(tmp_path / "both", ".nrrd")
    shared = read_volume(tmp_path / "both" / "vertebrae.nrrd")
    np.testing.assert_array_equal(shared.array, expected({"T12": 19, "L1": 20}, image))
    # The volume elsewhere alone, by whole voxels: the structures move the other way on its grid.
    image.SetAndObserveTransformNodeID(linear_transform(scene, translation((6.0, 0, 0))).GetID())
    for model in run.models:
        model.SetAndObserveTransformNodeID(None)
    take_labelmaps(run).write(tmp_path / "one", ".nrrd")
    moved = read_volume(tmp_path / "one" / "vertebrae.nrrd")
    np.testing.assert_array_equal(moved.array[:-2], shared.array[2:])
    assert moved.array.any()


def test_levels_are_those_of_after_a_shift(run: RunNodes, image: Any, tmp_path: Path) -> None:
    shift_levels(run, -1)
    take_labelmaps(run).write(tmp_path, ".nii.gz")
    np.testing.assert_array_equal(
        read_volume(tmp_path / "vertebrae.nii.gz").array, expected({"T12": 20, "L1": 21}, image)
    )


def test_without_the_volume_they_are_not_offered(
    scene: Any, run: RunNodes, femur: RunResult, image: Any
) -> None:
    films = [volume_node(scene, np.zeros((1, 48, 40))) for _ in range(2)]
    assert grid_of(add_run(scene, femur, films, name="fit")) is None
    assert grid_of(run) is image
    remove_node(scene, image)
    assert grid_of(run) is None
    with pytest.raises(InputError, match="no longer in the scene"):
        take_labelmaps(run)

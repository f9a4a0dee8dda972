"""Measures of a run in the scene: a table, and lines where they were taken; both follow the levels and the image."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from measures import blocks
from mri2mesh.export.results import write_results
from mri2mesh.geometry.volume import Volume
from mri2mesh_slicer.runs.level_shift import shift_levels
from mri2mesh_slicer.runs.measured_lines import NAME
from mri2mesh_slicer.runs.results import RunResult, read_run
from mri2mesh_slicer.runs.runs import RunNodes
from mri2mesh_slicer.runs.scene_building import add_run, remove_run
from scene.nodes import column, linear_transform, names_in, volume_node


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> RunResult:
    """L3, and a disc below it whose lower neighbour is not there."""
    folder = tmp_path_factory.mktemp("measured") / "run"
    mesh = blocks.moved(blocks.vertebra(), Rotation.identity(), (10, 20, 30))
    made = blocks.reconstruction({"L3": mesh, "L3-L4": blocks.block((40, 30, 8), (10, 20, 10))})
    image = Volume(np.random.default_rng(0).random((6, 8, 9), dtype=np.float32), np.diag([9.0, 9, 9, 1]))
    write_results(made, image, folder)
    return read_run(folder)


@pytest.fixture
def run(scene: Any, measured: RunResult) -> RunNodes:
    return add_run(scene, measured, [volume_node(scene, np.zeros((4, 5, 6)))], name="run")


def row_of(run: RunNodes, title: str, side: str = "") -> int:
    titles, sides = column(run.measures_table, "title"), column(run.measures_table, "side")
    return next(n for n, both in enumerate(zip(titles, sides, strict=True)) if both == (title, side))


def test_the_table_has_the_values(run: RunNodes) -> None:
    values = column(run.measures_table, "value")
    assert values[row_of(run, "Canal, depth")] == pytest.approx(blocks.CANAL, abs=0.05)
    assert values[row_of(run, "Pedicle, width", "left")] == pytest.approx(blocks.PEDICLE_LEFT, abs=0.05)
    unknown = row_of(run, "Slip")
    assert np.isnan(values[unknown])
    assert column(run.measures_table, "missing")[unknown] == "L4: not in the result"


def test_lines_lie_where_the_measure_was_taken_and_are_hidden(run: RunNodes) -> None:
    node = run.measured_lines
    assert node.GetName() == NAME and not node.GetDisplayNode().GetVisibility()
    owner = node.GetPolyData().GetCellData().GetArray("measure")
    row = row_of(run, "Body height, middle")
    (cell,) = (n for n in range(owner.GetNumberOfTuples()) if owner.GetValue(n) == row)
    points = node.GetPolyData().GetCell(cell).GetPoints()
    ends = np.array([points.GetPoint(n) for n in range(2)])
    np.testing.assert_allclose(ends[:, :2], [[10, 20]] * 2, atol=0.1)
    assert np.ptp(ends[:, 2]) == pytest.approx(column(run.measures_table, "value")[row], abs=0.02)


def test_lines_move_with_the_image(scene: Any, measured: RunResult) -> None:
    image = volume_node(scene, np.zeros((4, 5, 6)))
    image.SetAndObserveTransformNodeID(linear_transform(scene, np.eye(4)).GetID())
    run = add_run(scene, measured, [image], name="run")
    assert run.measured_lines.GetTransformNodeID() == image.GetTransformNodeID()


def test_names_follow_a_shift_of_the_levels_and_back(run: RunNodes) -> None:
    before = [column(run.measures_table, title) for title in ("place", "missing")]
    shift_levels(run, 1)
    assert set(column(run.measures_table, "place")) == {"L2", "L2-L3", "L1-S1"}
    assert column(run.measures_table, "missing")[row_of(run, "Slip")] == "L3: not in the result"
    shift_levels(run, -1)
    assert [column(run.measures_table, title) for title in ("place", "missing")] == before


def test_they_leave_with_their_run(scene: Any, run: RunNodes) -> None:
    remove_run(scene, run.folder_item)
    left = names_in(scene, scene.GetSubjectHierarchyNode().GetSceneItemID())
    assert not {"Measures", NAME} & set(left)
    assert not scene.GetFirstNodeByName(NAME)

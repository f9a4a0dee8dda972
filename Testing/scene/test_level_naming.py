"""A run whose levels are a guess, and the user who names one vertebra by a point in its body."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mri2mesh.anatomy.doubtful_levels import DISC_COLOUR, VERTEBRA_COLOUR
from mri2mesh.anatomy.structures import STRUCTURES
from mri2mesh.engines.mri2mesh.localisation.named_level import parse_level
from mri2mesh.errors import InputError
from mri2mesh_slicer.export.surfaces import export_run
from mri2mesh_slicer.runs.level_naming import IMAGE_LEVEL, body_at, name_level
from mri2mesh_slicer.runs.level_shift import shift_levels
from mri2mesh_slicer.runs.report_page import write_report_page
from mri2mesh_slicer.runs.results import RunResult, read_run
from mri2mesh_slicer.runs.runs import RunNodes
from mri2mesh_slicer.runs.scene_building import add_run
from scene.made_runs import GUESS, spine_run
from scene.nodes import column, linear_transform, segments, volume_node

ON_T12, ON_L1 = (20.0, -30.0, 60.0), (20.0, -30.0, 10.0)


@pytest.fixture(scope="session")
def guess_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return spine_run(tmp_path_factory.mktemp("guess"), GUESS)


@pytest.fixture
def guess(guess_folder: Path) -> RunResult:
    return read_run(guess_folder)


@pytest.fixture
def run(scene: Any, guess: RunResult) -> RunNodes:
    return add_run(scene, guess, [volume_node(scene, np.zeros((4, 5, 6)))], name="run")


def shown(run: RunNodes) -> list[list[str]]:
    """Names of rows, models, segments and in the table."""
    return [
        [row.shown for row in run.rows()],
        [model.GetName() for model in run.models],
        [segment.GetName() for segment in segments(run.segmentation)],
        column(run.structures_table, "name"),
    ]


def count_check(run: RunNodes) -> tuple[str, str]:
    """Of the table: whether the count passed, and why."""
    row = column(run.checks_table, "name").index("level count")
    return column(run.checks_table, "passed")[row], column(run.checks_table, "detail")[row]


def test_a_guess_has_question_marks_and_the_colours_of_doubt_everywhere(run: RunNodes) -> None:
    assert shown(run) == [["T12?", "T12-L1?", "L1?"]] * 4
    assert not run.levels_certain and run.levels == GUESS
    for item, colour in zip(run.rows(), [VERTEBRA_COLOUR, DISC_COLOUR, VERTEBRA_COLOUR], strict=True):
        np.testing.assert_allclose(item.colour, colour)
    for segment, row in zip(segments(run.segmentation), run.rows(), strict=True):
        np.testing.assert_allclose(segment.GetColor(), row.colour)
    assert count_check(run)[0] == "no"


def test_files_keep_plain_names(run: RunNodes, tmp_path: Path) -> None:
    assert [path.name for path in export_run(run, tmp_path)] == ["L1.stl", "T12-L1.stl", "T12.stl"]


def test_naming_one_vertebra_renames_all_and_takes_the_doubt_away(run: RunNodes) -> None:
    name_level(run, ON_L1, "T11")
    names = ["T10", "T10-T11", "T11"]
    assert shown(run) == [names] * 4
    assert run.levels_certain and "T11, which was given" in run.levels.statement
    for row in run.rows():
        np.testing.assert_allclose(row.colour, STRUCTURES[row.name].colour)
    assert column(run.structures_table, "code") == [STRUCTURES[name].code for name in names]
    assert column(run.structures_table, "label") == [17, 117, 18]
    assert count_check(run) == ("yes", "a vertebra that was given fixes the count of the levels")


def test_a_guess_that_is_right_only_loses_its_doubt(run: RunNodes) -> None:
    name_level(run, ON_T12, "T12")
    assert shown(run) == [["T12", "T12-L1", "L1"]] * 4
    np.testing.assert_allclose(run.rows()[0].colour, STRUCTURES["T12"].colour)


def test_the_image_keeps_the_level_in_its_own_coordinates(scene: Any, run: RunNodes) -> None:
    (image,) = run.inputs
    moved = linear_transform(scene, [[1, 0, 0, 7], [0, 0, -1, 0], [0, 1, 0, 100], [0, 0, 0, 1]])
    for node in (image, *run.models):
        node.SetAndObserveTransformNodeID(moved.GetID())
    world = moved.GetTransformToParent().TransformPoint(*ON_L1)
    assert body_at(run, world) == "L1"
    name_level(run, world, "L2")
    level = parse_level(image.GetAttribute(IMAGE_LEVEL))
    assert level.name == "L2" and level.space == "ras"
    np.testing.assert_allclose(level.point, ON_L1, atol=0.06)


def test_a_point_on_no_body_is_refused_and_changes_nothing(run: RunNodes) -> None:
    between = (20.0, -30.0, 35.0)  # on the disc
    for point in (between, (20.0, -110.0, 60.0)):
        with pytest.raises(InputError, match="no vertebral body of this run is there"):
            name_level(run, point, "L3")
    assert shown(run) == [["T12?", "T12-L1?", "L1?"]] * 4
    assert run.inputs[0].GetAttribute(IMAGE_LEVEL) is None


def test_a_level_that_leaves_some_without_a_name_waits_for_the_next_run(run: RunNodes) -> None:
    with pytest.raises(InputError, match="the levels known are T7 to L5; press Apply again"):
        name_level(run, ON_T12, "L5")
    assert shown(run)[0] == ["T12?", "T12-L1?", "L1?"]
    assert run.inputs[0].GetAttribute(IMAGE_LEVEL) == "L5@20.0,-30.0,60.0"


def test_one_undo_brings_the_guess_back(scene: Any, run: RunNodes) -> None:
    scene.SetUndoOn()
    name_level(run, ON_L1, "L3")
    assert shown(run)[0] == ["L2", "L2-L3", "L3"]
    scene.Undo()
    assert shown(run) == [["T12?", "T12-L1?", "L1?"]] * 4 and not run.levels_certain


def test_one_up_is_still_a_guess_and_leaves_no_earlier_word_standing(run: RunNodes) -> None:
    name_level(run, ON_L1, "L1")
    shift_levels(run, 1)
    assert shown(run) == [["T11?", "T11-T12?", "T12?"]] * 4
    assert not run.levels_certain and count_check(run)[0] == "no"


def test_the_page_has_the_names_of_now(run: RunNodes, tmp_path: Path) -> None:
    before = write_report_page(run, tmp_path / "before.html").read_text(encoding="utf-8")
    assert "<b>T12?</b>" in before and "The names of the levels are a guess: L1 60%" in before
    name_level(run, ON_L1, "L3")
    page = write_report_page(run, tmp_path / "after.html").read_text(encoding="utf-8")
    assert "<b>L2</b>" in page and "<b>L2-L3</b>" in page and STRUCTURES["L2"].code in page
    assert "T12?" not in page and "are a guess" not in page
    assert "The levels are counted from L3, which was given." in page
    assert "what it called T12 is L2 here" in page

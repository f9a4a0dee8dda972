"""A run moved along the spine: names, colours, codes, labels and tables together, and back again."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mri2mesh.anatomy.structures import STRUCTURES
from mri2mesh.errors import InputError
from mri2mesh_slicer.runs.level_shift import shift_levels
from mri2mesh_slicer.runs.results import RunResult
from mri2mesh_slicer.runs.runs import LABEL, RunNodes
from mri2mesh_slicer.runs.scene_building import add_run
from scene.nodes import column, segments, tag, volume_node

ONE_UP = ["T11", "T11-T12", "T12"]


@pytest.fixture
def run(scene: Any, spine: RunResult) -> RunNodes:
    return add_run(scene, spine, [volume_node(scene, np.zeros((4, 5, 6)))], name="run")


def everything(run: RunNodes) -> dict[str, Any]:
    """All that a shift touches."""
    coded = segments(run.segmentation)
    return {
        "rows": [(row.name, row.colour, row.failed) for row in run.rows()],
        "models": [
            (model.GetName(), model.GetDescription(), model.GetAttribute("TerminologyEntry"))
            for model in run.models
        ],
        "segments": [(one.GetName(), one.GetColor(), tag(one, LABEL)) for one in coded],
        "terms": [tag(one, "TerminologyEntry") for one in coded],
        **{title: column(run.structures_table, title) for title in ("name", "code", "meaning", "label")},
        "checks": column(run.checks_table, "structure"),
    }


def test_one_level_up_renames_recolours_and_recodes_everything(run: RunNodes) -> None:
    shift_levels(run, 1)
    found, structures = everything(run), [STRUCTURES[name] for name in ONE_UP]
    assert [row[0] for row in found["rows"]] == ONE_UP
    for (_, colour, _), structure in zip(found["rows"], structures, strict=True):
        np.testing.assert_allclose(colour, structure.colour)
    for (name, meaning, term), structure in zip(found["models"], structures, strict=True):
        assert (name, meaning) == (structure.name, structure.meaning)
        assert f"SCT^{structure.code}^" in term
    assert [(one[0], one[2]) for one in found["segments"]] == [
        ("T11", "18"),
        ("T11-T12", "118"),
        ("T12", "19"),
    ]
    assert all(f"SCT^{one.code}^" in term for one, term in zip(structures, found["terms"], strict=True))
    assert found["name"] == ONE_UP and found["label"] == [18, 118, 19]
    assert found["code"] == [one.code for one in structures]
    assert found["checks"] == ["T11", "T11-T12", ""]


def test_checks_follow_their_structure(run: RunNodes) -> None:
    shift_levels(run, 1)
    assert [bool(row.failed) for row in run.rows()] == [False, True, False]


def test_up_and_down_again_restores_everything(run: RunNodes) -> None:
    before = everything(run)
    shift_levels(run, 2)
    shift_levels(run, -3)
    shift_levels(run, 1)
    assert everything(run) == before


@pytest.mark.parametrize("by", [6, -5])
def test_beyond_the_known_levels_it_refuses_and_changes_nothing(run: RunNodes, by: int) -> None:
    before = everything(run)
    with pytest.raises(InputError, match="the levels known are T7"):
        shift_levels(run, by)
    assert everything(run) == before
    shift_levels(run, by - by // abs(by))


def test_a_femur_has_no_level(scene: Any, femur: RunResult) -> None:
    run = add_run(scene, femur, [volume_node(scene, np.zeros((1, 48, 40)))], name="run")
    with pytest.raises(InputError, match="only vertebrae and discs have levels"):
        shift_levels(run, 1)


def test_one_undo_restores_the_levels(scene: Any, run: RunNodes) -> None:
    scene.SetUndoOn()
    before = everything(run)
    shift_levels(run, 1)
    scene.Undo()
    assert everything(run) == before


def test_it_works_where_the_user_deleted_parts(scene: Any, run: RunNodes) -> None:
    for node in (run.segmentation, run.checks_table, run.models[0]):
        scene.RemoveNode(node)
    shift_levels(run, 1)
    assert [model.GetName() for model in run.models] == ONE_UP[1:]
    assert column(run.structures_table, "name") == ["T12", *ONE_UP[1:]]

"""Signed errors by wall: of boxes moved and widened by known amounts, on frames turned any way.

A little less than the amount: near an edge the nearest surface is the next wall.
"""

import numpy as np
import pytest
import trimesh
from scipy.spatial.transform import Rotation

from mri2mesh.evaluation.lumbar_mri.scores import Score
from mri2mesh.evaluation.lumbar_mri.wall_tables import describe_walls, wall_tables
from mri2mesh.evaluation.lumbar_mri.walls import WALLS, extents, signed_walls
from mri2mesh.geometry.mesh import Mesh


def box(*size: float) -> Mesh:
    made = trimesh.creation.box(size)
    return Mesh(made.vertices, made.faces)


TRUTH = box(50, 36, 28)


@pytest.fixture(params=[0, 1, 2])
def turned(request) -> np.ndarray:
    """A frame anywhere in space, 4x4 local to RAS."""
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.random(random_state=request.param).as_matrix()
    matrix[:3, 3] = [12.0, -40.0, 300.0]
    return matrix


def test_a_box_too_wide_is_outside_at_the_sides_only(turned):
    walls, without_sides = signed_walls(
        box(56, 36, 28).transformed(turned), TRUTH.transformed(turned), turned
    )
    assert walls["left"] == pytest.approx(3.0, abs=0.8)
    assert walls["right"] == pytest.approx(3.0, abs=0.8)
    assert all(abs(walls[name]) < 0.05 for name in ("front", "back", "top", "bottom"))
    assert without_sides == pytest.approx(0.0, abs=0.05)


def test_a_box_moved_forward_is_outside_in_front_and_inside_behind(turned):
    moved = TRUTH.with_vertices(TRUTH.vertices + np.array([0, 2.0, 0], np.float32))
    walls, _ = signed_walls(moved.transformed(turned), TRUTH.transformed(turned), turned)
    assert walls["front"] == pytest.approx(2.0, abs=0.3)
    assert walls["back"] == pytest.approx(-2.0, abs=0.3)


def test_right_is_right():
    moved = TRUTH.with_vertices(TRUTH.vertices + np.array([1.5, 0, 0], np.float32))
    walls, _ = signed_walls(moved, TRUTH, np.eye(4))
    assert walls["right"] == pytest.approx(1.5, abs=0.2)
    assert walls["left"] == pytest.approx(-1.5, abs=0.2)


def test_extents_are_along_the_frame(turned):
    found = extents(TRUTH.transformed(turned), turned)
    assert list(found.values()) == pytest.approx([50, 36, 28], rel=0.02)


def test_tables_are_by_collection_kind_and_method():
    walls = {f"{name}_mm": 2.5 for name in WALLS}
    scores = [
        Score("a_1", "m", "L5", "L5", 0.9, 1.0, 3.0, **walls),
        Score("a_2", "m", "L5", "L4", 0.9, 3.0, 3.0, **walls),
        Score("b_1", "m", "L5", "L5", 0.9, 9.0, 3.0, **walls),
        Score("b_1", "m", "L4", None),
    ]
    tables = wall_tables(scores, {"a_1": "a", "a_2": "a", "b_1": "b"})
    assert [(table.collection, table.n, table.assd_mm) for table in tables] == [("a", 2, 2.0), ("b", 1, 9.0)]
    assert "+2.50" in describe_walls(tables)

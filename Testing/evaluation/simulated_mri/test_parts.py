"""Parts of a vertebra are measured by what their support says of them."""

import numpy as np
import pytest

from mri2mesh.anatomy.regions import Region
from mri2mesh.anatomy.structures import STRUCTURES
from mri2mesh.anatomy.templates import template
from mri2mesh.evaluation.simulated_mri.parts import PARTS, distances, part_figures, true_vertebra
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.reconstruction import ReconstructedStructure


def moved(shift: tuple[float, float, float], where: np.ndarray | None = None) -> Mesh:
    mesh = template("vertebra")
    chosen = np.ones(len(mesh.vertices), bool) if where is None else where
    return mesh.with_vertices(mesh.vertices + chosen[:, None] * np.array(shift, np.float32))


def found(mesh: Mesh, support: np.ndarray | float = 1.0) -> ReconstructedStructure:
    count = len(mesh.vertices)
    return ReconstructedStructure(
        STRUCTURES["L3"], mesh, np.ones(count, np.float32), np.full(count, support, np.float32)
    )


def test_every_region_of_a_vertebra_is_counted_to_one_part():
    listed = [region for regions in PARTS.values() for region in regions]
    assert sorted(listed) == sorted(region for region in Region if region <= Region.SPINOUS)


def test_the_truth_itself_is_not_off():
    rows = part_figures("m", [distances(found(template("vertebra")), template("vertebra"))])
    assert [row.part for row in rows] == list(PARTS)
    assert max(row.p95_mm for row in rows) < 1e-3
    assert all(row.share == 1 and row.band == "seen" for row in rows)


def test_only_the_part_that_is_off_is_said_to_be_off_and_apart_for_what_was_guessed():
    mesh = template("vertebra")
    spinous = np.asarray(mesh.regions) == Region.SPINOUS
    item = found(moved((0, -6, 0), spinous), np.where(spinous, 0.1, 0.9))
    rows = {(row.part, row.band): row for row in part_figures("m", [distances(item, mesh)])}
    guessed = rows["processes", "guessed"]
    assert guessed.assd_mm > 10 * rows["processes", "seen"].assd_mm
    assert 1.0 < guessed.assd_mm < 6.0
    assert guessed.share == pytest.approx(1 - rows["processes", "seen"].share)
    assert ("body", "guessed") not in rows
    assert rows["body", "seen"].assd_mm < 0.01


def test_a_vertebra_is_compared_with_the_one_it_lies_on_and_with_none_where_none_is():
    truths = {"L3": moved((0, 0, 0)), "L4": moved((0, 0, -36))}
    assert true_vertebra(moved((0, 2, -33)), truths) == "L4"
    assert true_vertebra(moved((0, 0, 17.9)), truths) is None
    assert true_vertebra(moved((0, 0, 0)), {}) is None

"""Bodies in one another are measured, and looked for where their neighbours say."""

import numpy as np
import pytest

from mri2mesh.anatomy.regions import body_of
from mri2mesh.anatomy.templates import template
from mri2mesh.engines.mri2mesh.deformation.overlaps import Overlap, evened_frames, overlap_depths

HEIGHT = float(np.ptp(body_of(template("vertebra")).vertices[:, 2]))


def vertebra_at(z_mm: float):
    matrix = np.eye(4)
    matrix[2, 3] = z_mm
    return template("vertebra").transformed(matrix)


def test_bodies_a_disc_apart_do_not_overlap():
    assert overlap_depths([vertebra_at(0), vertebra_at(HEIGHT + 8), vertebra_at(2 * HEIGHT + 16)]) == [0, 0]


@pytest.mark.parametrize("depth", [2.0, 5.0])
def test_the_depth_is_what_one_was_pushed_into_the_other(depth):
    (found,) = overlap_depths([vertebra_at(0), vertebra_at(HEIGHT - depth)])
    assert 0.3 * depth < found <= depth  # concave endplates meet at their rims first


def test_a_body_found_twice_overlaps_by_half_its_height():
    assert overlap_depths([vertebra_at(0), vertebra_at(1.0)])[0] > 10


def test_a_frame_in_the_wrong_place_goes_between_its_neighbours_with_their_size():
    frames = [np.diag([1.1, 1.0, 0.9, 1.0]) for _ in range(5)]
    for n, frame in enumerate(frames):
        frame[:3, 3] = [3.0, 5.0, 36.0 * n]
    frames[2] = np.diag([1.3, 1.2, 1.4, 1.0])
    frames[2][:3, 3] = [3.0, 6.0, 60.0]
    (again,) = evened_frames(frames, {2}).values()
    assert np.allclose(np.linalg.norm(again[:3, :3], axis=0), [1.1, 1.0, 0.9])
    assert np.allclose(again[:3, 3], [3.0, 6.0, 72.0])
    assert np.allclose(frames[2][:3, 3], [3.0, 6.0, 60.0])


@pytest.mark.parametrize(
    ("depth", "marked", "left_out", "says"),
    [
        (2.9, False, False, None),
        (3.1, True, False, "left as they were found"),
        (10.1, True, True, "is left out"),
    ],
)
def test_a_deep_overlap_is_marked_and_a_body_found_twice_is_left_out(depth, marked, left_out, says):
    overlap = Overlap("L3", "L4", depth)
    assert overlap.check().passed is not marked
    assert overlap.check().value == depth
    assert overlap.same_place is left_out
    assert overlap.deep is (marked and not left_out)
    assert overlap.message is None if says is None else says in overlap.message
    assert overlap.left_as_found == {"L3", "L4", "L3-L4"}

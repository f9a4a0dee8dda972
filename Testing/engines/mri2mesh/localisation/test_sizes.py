"""Sizes from moments: a body drawn into the evidence at a known size and place is measured as such."""

import numpy as np

from engines.mri2mesh.localisation.drawn_evidence import evidence_of
from mri2mesh.anatomy.regions import body_of
from mri2mesh.anatomy.semantic import Semantic
from mri2mesh.anatomy.templates import template
from mri2mesh.engines.mri2mesh.localisation.evidence import Evidence
from mri2mesh.engines.mri2mesh.localisation.sizes import sized_frames
from mri2mesh.geometry.volume import Volume
from mri2mesh.geometry.voxelise import voxelise

SCALE = np.array([1.15, 0.9, 1.1])
CENTRES = np.array([[4.0, 10.0, 0.0], [5.0, 12.0, 38.0], [4.0, 10.0, 76.0]])


def evidence() -> Evidence:
    """Three bodies of the template's shape at SCALE, as shares of the localiser's voxels."""
    fine = np.eye(4)
    fine[:3, 3] = [-47.0, -39.0, -39.0]
    grid = Volume(np.zeros((156, 102, 100), np.uint8), fine)
    drawn = np.zeros(grid.array.shape, bool)
    for centre in CENTRES:
        mesh = body_of(template("vertebra"))
        drawn |= voxelise(mesh.with_vertices(mesh.vertices * SCALE + centre), grid)
    return evidence_of(drawn, fine[:3, 3], Semantic.BODY)


def test_size_and_middle_are_found_from_displaced_rigid_frames():
    frames = []
    for centre in CENTRES:
        frame = np.eye(4)
        frame[:3, 3] = centre + [2.0, -1.5, 1.0]  # as a peak of a heat map may be off
        frames.append(frame)
    for frame, centre in zip(sized_frames(frames, evidence()), CENTRES, strict=True):
        assert np.abs(np.linalg.norm(frame[:3, :3], axis=0) / SCALE - 1).max() < 0.05
        assert np.linalg.norm(frame[:3, 3] - centre) < 1.0


def leaning(cut_at: float) -> tuple[Evidence, np.ndarray, list[np.ndarray]]:
    """Five bodies of SCALE; the upper ones lean to the right, and the image ends at x = cut_at.

    Their centres, and frames put where what is left of each of them has its middle."""
    centres = np.array([[0.0, 0, 0], [0, 0, 38], [2, 0, 76], [14, 0, 114], [20, 0, 152]])
    fine = np.eye(4)
    fine[:3, 3] = [-47.0, -39.0, -29.0]
    grid = Volume(np.zeros((220, 80, 120), np.uint8), fine)
    drawn = np.zeros(grid.array.shape, bool)
    for centre in centres:
        mesh = body_of(template("vertebra"))
        drawn |= voxelise(mesh.with_vertices(mesh.vertices * SCALE + centre), grid)
    size = int((cut_at - fine[0, 3]) // 4) * 4
    frames = []
    for centre in centres:
        frame = np.eye(4)
        frame[:3, 3] = centre
        frame[0, 3] = min(centre[0], (centre[0] - 27 + cut_at) / 2)
        frames.append(frame)
    return evidence_of(drawn[:, :, :size], fine[:3, 3], Semantic.BODY), centres, frames


def test_a_body_that_the_side_of_the_image_cuts_is_as_wide_as_its_neighbours():
    seen, centres, frames = leaning(cut_at=36.0)
    for frame, centre in zip(sized_frames(frames, seen), centres, strict=True):
        width = np.linalg.norm(frame[:3, 0])
        assert 0.9 * SCALE[0] < width < 1.07 * SCALE[0]
        assert abs(frame[0, 3] - centre[0]) < 3.0


def test_in_an_image_wide_enough_nothing_is_completed():
    seen, centres, frames = leaning(cut_at=72.0)
    for frame, centre in zip(sized_frames(frames, seen), centres, strict=True):
        assert np.abs(np.linalg.norm(frame[:3, :3], axis=0) / SCALE - 1).max() < 0.06
        assert abs(frame[0, 3] - centre[0]) < 1.0


def test_where_nothing_is_seen_the_frame_stays_what_it_was():
    empty = evidence()
    empty.semantic[:] = 0
    frame = np.eye(4)
    frame[:3, 3] = [1.0, 2.0, 3.0]
    (sized,) = sized_frames([frame], empty)
    assert np.allclose(sized, frame)

"""Whole cases: the image, the map and the surfaces agree, and come back from disk."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mri2mesh.anatomy.regions import body_of
from mri2mesh.anatomy.semantic import Semantic
from mri2mesh.anatomy.spine_model import SpineOptions
from mri2mesh.errors import InputError
from mri2mesh.geometry.voxelise import voxelise
from mri2mesh.synthesis.mr.abdomen import load_abdomen
from mri2mesh.synthesis.mr.case import Profile, SyntheticCase, make_case
from mri2mesh.synthesis.mr.compose import compose_tissues
from mri2mesh.synthesis.mr.field_of_view import FieldOfView
from mri2mesh.synthesis.mr.targets import centres, semantic_labels
from mri2mesh.synthesis.mr.tissues import BODY, Tissue, mask_table

SMALL = Profile(
    contrast="T2",
    view=FieldOfView(left_right=(45, 60), depth=(150, 170), length=(170, 200)),
    spine=SpineOptions(top="T11"),
)


@pytest.fixture(scope="module")
def case(training_data: Path) -> SyntheticCase:
    return make_case(3, training_data, SMALL)


def test_the_same_seed_gives_the_same_case_and_another_seed_another(case, training_data):
    again = make_case(3, training_data, SMALL)
    np.testing.assert_array_equal(again.image.array, case.image.array)
    np.testing.assert_array_equal(again.tissues.array, case.tissues.array)
    other = make_case(4, training_data, SMALL)
    assert other.image.array.shape != case.image.array.shape or (other.image.array != case.image.array).any()


def test_consecutive_seeds_may_share_a_spine_but_not_its_pose(training_data):
    shared = replace(SMALL, cases_per_spine=2)
    first, second = make_case(6, training_data, shared), make_case(7, training_data, shared)
    a, b = (c.spine.structures["L3"].vertices.astype(float) for c in (first, second))
    np.testing.assert_allclose(np.linalg.norm(a[0] - a[900]), np.linalg.norm(b[0] - b[900]), atol=1e-3)
    assert np.abs(a - b).max() > 0.1


def test_bodies_in_the_map_are_the_bodies_of_the_surfaces(case):
    scanned = case.tissues.array != Tissue.AIR
    for name in ("L2", "L4"):
        inside = voxelise(body_of(case.spine.structures[name]), case.tissues) & scanned
        assert inside.sum() > 5000
        assert mask_table(BODY)[case.tissues.array[inside]].mean() > 0.98
    labels = semantic_labels(case.tissues).array
    disc = voxelise(case.spine.structures["L3-L4"], case.tissues) & scanned
    assert (labels[disc] == Semantic.DISC).mean() > 0.9


def test_every_label_is_there(case):
    assert set(np.unique(semantic_labels(case.tissues).array)) == {int(label) for label in Semantic}


def test_centres_lie_in_their_structures(case):
    labels = semantic_labels(case.tissues).array
    found = {centre.name: centre for centre in centres(case.spine, case.image)}
    for name, label in (("L1", Semantic.BODY), ("L3", Semantic.BODY), ("L2-L3", Semantic.DISC)):
        assert found[name].in_view
        i, j, k = np.rint(case.image.ijk_from_ras(found[name].position)).astype(int)
        assert labels[k, j, i] == label
    assert [c.name for c in centres(case.spine, case.image)][:3] == ["T11", "T12", "L1"]


def test_a_centre_in_a_border_without_data_is_not_in_view(case):
    array = case.image.array.copy()
    height = int(case.image.ijk_from_ras(case.spine.frames["L4-L5"][:3, 3])[2])
    array[:height] = 0
    found = {c.name: c.in_view for c in centres(case.spine, case.image.with_array(array))}
    assert found["L3"] and not found["L5"] and not found["L5-S1"] and not found["S1"]


def test_the_canal_lies_behind_the_bodies_and_the_scan_shows_bright_csf_on_t2(case):
    k, j, i = np.nonzero(mask_table((Tissue.CSF,))[case.tissues.array])
    body_j = np.nonzero(mask_table(BODY)[case.tissues.array])[1].mean()
    assert j.mean() < body_j - 15
    marrow = case.image.array[case.tissues.array == Tissue.MARROW_BODY]
    assert np.median(case.image.array[k, j, i]) > 1.2 * np.median(marrow)


def test_a_case_comes_back_from_its_file(case, tmp_path):
    case.save(tmp_path / "case.npz")
    back = SyntheticCase.load(tmp_path / "case.npz")
    np.testing.assert_allclose(back.image.array, case.image.array, atol=0.004)
    np.testing.assert_array_equal(back.tissues.array, case.tissues.array)
    np.testing.assert_array_equal(back.image.ijk_to_ras, case.image.ijk_to_ras)
    assert back.spine.structures.keys() == case.spine.structures.keys()
    for name, mesh in case.spine.structures.items():
        np.testing.assert_array_equal(back.spine.structures[name].vertices, mesh.vertices)
        np.testing.assert_array_equal(back.spine.structures[name].faces, mesh.faces)
        if mesh.regions is not None:
            np.testing.assert_array_equal(back.spine.structures[name].regions, mesh.regions)
    np.testing.assert_allclose(back.spine.frames["L3"], case.spine.frames["L3"])
    np.testing.assert_array_equal(back.spine.canal.radius, case.spine.canal.radius)
    assert back.description["seed"] == 3


def test_a_file_that_is_no_case_is_refused(tmp_path):
    (tmp_path / "case.npz").write_bytes(b"PK\x03\x04 not a case")
    with pytest.raises(InputError, match="not a synthetic case"):
        SyntheticCase.load(tmp_path / "case.npz")


def test_missing_data_is_said_in_one_line(tmp_path):
    with pytest.raises(InputError, match="training data"):
        load_abdomen(tmp_path)


def test_an_oblique_grid_is_refused(case, training_data):
    matrix = case.image.ijk_to_ras.copy()
    matrix[:2, :2] = [[0.8, -0.6], [0.6, 0.8]]
    grid = type(case.image)(case.image.array, matrix)
    with pytest.raises(ValueError, match="turn the spine"):
        compose_tissues(case.spine, np.random.default_rng(0), grid, training_data)


def test_the_abdomen_has_its_liver_on_the_right_and_no_spine(training_data):
    abdomen = load_abdomen(training_data)
    _, _, i = np.nonzero(abdomen.tissues == Tissue.LIVER)
    assert abdomen.origin[0] + abdomen.spacing * i.mean() > abdomen.knots["L1"][0] + 20
    assert not mask_table(BODY)[abdomen.tissues].any()
    heights = [abdomen.knots[name][2] for name in ("T12", "L1", "L2", "L3", "L4", "L5", "S1")]
    assert (np.diff(heights) < -20).all()


def test_ligament_covers_the_front_and_the_back_of_the_bodies_and_no_bone(training_data):
    """In a patient without the random shapes that may lie right in front of the spine."""
    case = make_case(4, training_data, SMALL)
    ligament = case.tissues.array == Tissue.LIGAMENT_LONGITUDINAL
    points = case.tissues.ras_from_ijk(np.argwhere(ligament)[:, ::-1])
    frame = case.spine.frames["L3"]
    local = (points - frame[:3, 3]) @ frame[:3, :3]
    level = local[np.abs(local[:, 2]) < 12]
    assert (level[:, 1] > 10).sum() > 150
    assert (level[:, 1] < -10).sum() > 50
    half = np.abs(body_of(case.spine.structures["L3"]).vertices[:, 0] - frame[0, 3]).max()
    assert np.abs(level[:, 0]).max() < half + 12  # fibres at the rims and fascia beside the waist
    assert not (ligament & mask_table(BODY)[case.tissues.array]).any()

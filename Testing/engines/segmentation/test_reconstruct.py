"""Surfaces from painted label maps meet what they were painted from."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import SimpleITK as sitk

from engines.segmentation.painted import every, label_map, of_array, vertebra
from mri2mesh import cli
from mri2mesh.anatomy.regions import Region, body_of
from mri2mesh.engines.segmentation.engine import reconstruct
from mri2mesh.errors import InputError
from mri2mesh.geometry.distances import surface_distances
from mri2mesh.imaging.volumes.writing import write_volume

TRUTH = {22: vertebra("L3", 36.0, 1, 8.0), 23: vertebra("L4", 0.0, 2, -6.0)}
NAMES = {"L3": 22, "L4": 23}


@cache
def two_vertebrae():
    return label_map(TRUTH)


@cache
def one_vertebra():
    return label_map({23: TRUTH[23]})


@cache
def from_whole_labels():
    return reconstruct(two_vertebrae())


def test_whole_labels_are_met_within_a_third_of_a_voxel():
    result = from_whole_labels()
    assert [one.name for one in result.structures] == ["L3", "L4"]
    for one in result.structures:
        assert surface_distances(one.mesh, TRUTH[NAMES[one.name]]).assd < 0.33
        assert one.support.mean() > 0.95
    assert result.passed


def test_they_have_the_regions_of_the_template_left_on_the_left_and_the_body_in_front():
    for one in from_whole_labels().structures:
        middle = {
            region: one.mesh.vertices[one.mesh.regions == region].mean(axis=0)
            for region in Region
            if (one.mesh.regions == region).any()
        }
        assert middle[Region.TRANSVERSE_LEFT][0] < middle[Region.TRANSVERSE_RIGHT][0]
        assert middle[Region.SPINOUS][1] < middle[Region.BODY][1]
        assert middle[Region.INFERIOR_ENDPLATE][2] < middle[Region.SUPERIOR_ENDPLATE][2]


@pytest.mark.parametrize("axis", [0, 2])
def test_every_fourth_slice_is_enough_for_most_of_it(axis):
    result = reconstruct(every(two_vertebrae(), axis, 4))
    for one in result.structures:
        assert surface_distances(one.mesh, TRUTH[NAMES[one.name]]).assd < 0.6
        assert 0.1 < one.support.mean() < 0.6
    assert result.provenance["settings"]["drawn"].startswith("drawn on")


def test_on_thick_slices_the_surface_is_bounded_by_the_slab_and_not_by_its_middle():
    """The labels of slices of 4 mm end up to half a slice short of the bone; the bone's own extent is found."""
    thick = label_map({23: TRUTH[23]}, (4.0, 1.0, 1.0))
    for one in reconstruct(thick).structures:
        truth = TRUTH[NAMES[one.name]]
        wide, true = np.ptp(one.mesh.vertices[:, 0]), np.ptp(truth.vertices[:, 0])
        assert abs(wide - true) < 4.0
        assert surface_distances(one.mesh, truth).assd < 0.6


def test_bodies_alone_give_bodies_and_on_request_whole_vertebrae():
    bodies = {23: body_of(TRUTH[23])}
    drawn = label_map(bodies)
    for one in reconstruct(drawn).structures:
        assert surface_distances(one.mesh, bodies[NAMES[one.name]]).assd < 0.35
    for one in reconstruct(drawn, whole=True).structures:
        arch = one.mesh.regions == Region.SPINOUS
        assert arch.any()
        assert one.support[arch].mean() < 0.1 < 0.9 < one.support[one.mesh.regions == Region.BODY].mean()
        assert (
            one.uncertainty_mm[arch].mean() > 2 * one.uncertainty_mm[one.mesh.regions == Region.BODY].mean()
        )


def test_a_vertebra_of_which_the_image_shows_a_tip_is_left_out():
    whole = two_vertebrae()
    top = whole.ijk_from_ras(TRUTH[22].vertices)[:, 2].min()
    kept = whole.labels[: int(top) + 6]
    result = reconstruct(of_array(kept, whole.ijk_to_ras))
    assert [one.name for one in result.structures] == ["L4"]
    assert any("L3 is left out" in warning for warning in result.warnings)


def test_holes_and_islands_are_mended_and_named():
    damaged = one_vertebra()
    labels = damaged.labels.copy()
    k, j, i = (
        round(x) for x in damaged.ijk_from_ras(TRUTH[23].vertices[TRUTH[23].regions == 0].mean(axis=0))[::-1]
    )
    labels[k - 3 : k + 3, j - 3 : j + 3, i - 3 : i + 3] = 0
    labels[2:5, 2:5, 2:5] = 23
    result = reconstruct(replace(damaged, labels=labels))
    assert any(warning == "L4: holes of 216 mm3 in all filled" for warning in result.warnings)
    assert any(warning.startswith("L4: a piece of 27 mm3") for warning in result.warnings)
    assert result.passed
    for one in result.structures:
        assert surface_distances(one.mesh, TRUTH[NAMES[one.name]]).assd < 0.33


def test_labels_mirrored_against_their_image_are_refused():
    right = two_vertebrae()
    image = np.where(right.labels > 0, 100, 20) + np.random.default_rng(0).normal(0, 15, right.labels.shape)
    with_image = replace(right, array=image.astype(np.float32), has_image=True)
    reconstruct(with_image, segments=("22=L3", "23=none"))
    with pytest.raises(InputError, match=r"mirrored against their image \(up and down exchanged\)"):
        reconstruct(replace(with_image, labels=right.labels[::-1]), segments=("22=L3", "23=none"))
    with pytest.raises(InputError, match="away from where they fit their image"):
        reconstruct(
            replace(with_image, labels=np.roll(right.labels, 15, axis=1)), segments=("22=L3", "23=L4")
        )


def test_from_the_command_line_with_label_maps_of_the_result(tmp_path):
    given = write_volume(one_vertebra(), tmp_path / "labels.nii.gz")
    arguments = [
        "reconstruct",
        str(given),
        "--engine",
        "segmentation",
        "--labelmaps",
        "--out",
        str(tmp_path / "out"),
    ]
    assert cli.main(arguments) == 0
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["settings"]["taken for"] == "23 L4"
    back = sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / "out" / "vertebrae.nii.gz")))
    for label in (23,):
        one, other = back == label, one_vertebra().labels == label
        assert 2 * (one & other).sum() / (one.sum() + other.sum()) > 0.95


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.zeros((20, 20, 20), np.uint8), "the label map is empty"),
        (np.random.default_rng(0).normal(0, 1, (20, 20, 20)).astype(np.float32), "not whole numbers"),
        (np.pad(np.full((8, 8, 8), 150, np.uint8), 6), "no numbering that is known fits the labels 150"),
    ],
)
def test_what_is_no_label_map_gets_one_line(labels, message, tmp_path, capsys):
    sitk.WriteImage(sitk.GetImageFromArray(labels), str(tmp_path / "labels.nii.gz"))
    arguments = [
        "reconstruct",
        str(tmp_path / "labels.nii.gz"),
        "--engine",
        "segmentation",
        "--out",
        str(tmp_path / "out"),
    ]
    assert cli.main(arguments) == 2
    said = capsys.readouterr().err.strip()
    assert message in said
    assert said.count("\n") == 0
    assert not (tmp_path / "out").exists()


def test_an_image_on_another_grid_is_refused(tmp_path, capsys):
    write_volume(two_vertebrae(), tmp_path / "labels.nii.gz")
    other = np.random.default_rng(0).normal(0, 1, (20, 20, 20)).astype(np.float32)
    sitk.WriteImage(sitk.GetImageFromArray(other), str(tmp_path / "image.nii.gz"))
    arguments = [
        "reconstruct",
        str(tmp_path / "labels.nii.gz"),
        "--engine",
        "segmentation",
        "--image",
        str(tmp_path / "image.nii.gz"),
    ]
    assert cli.main([*arguments, "--out", str(tmp_path / "out")]) == 2
    assert "labels and image are on different grids" in capsys.readouterr().err

"""Input nodes as files: the voxel or pixel that was at a place of the image is there in the file, whatever the grid."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from mri2mesh.errors import InputError
from mri2mesh.imaging.radiographs.camera_file import write_camera
from mri2mesh.imaging.radiographs.picked_landmarks import landmarks_of_views
from mri2mesh.imaging.radiographs.reading import read_radiograph
from mri2mesh.imaging.radiographs.xray_geometry import assumed_geometry
from mri2mesh.imaging.volumes.reading import read_volume
from mri2mesh.imaging.volumes.writing import write_volume
from mri2mesh_slicer import inputs
from mri2mesh_slicer.inputs import is_radiograph, require_one_frame, take_radiograph, volume_of
from mri2mesh_slicer.radiographs.landmarks import take_landmarks
from scene.nodes import LEFT_HANDED, OBLIQUE, bending_transform, linear_transform, points_node, volume_node


def write_volume_node(node: Any, path: Path) -> Path:
    return write_volume(volume_of(node), path)


def write_radiograph_node(node: Any, folder: Path, frame: int = 0) -> Path:
    return take_radiograph(node, frame).write(folder)


def write_landmarks(
    markups: Any, path: Path, *, picked_in: Any = None, image_file: Path | None = None
) -> Path:
    return take_landmarks(markups, picked_in=picked_in).write(path, image_file)


def oblique() -> np.ndarray:
    """4x4, rotated and with three spacings."""
    axes = np.linalg.qr(OBLIQUE[:3, :3])[0]
    matrix = np.eye(4)
    matrix[:3, :3] = axes * [0.7, 0.8, 4.0]
    matrix[:3, 3] = OBLIQUE[:3, 3]
    return matrix


@pytest.mark.parametrize("matrix", [oblique(), LEFT_HANDED], ids=["oblique", "left-handed"])
@pytest.mark.parametrize("name", ["image.nrrd", "image.nii.gz"])
@pytest.mark.parametrize("kind", [np.int16, np.float32, np.uint8])
def test_every_voxel_is_where_it_was(
    scene: Any, tmp_path: Path, matrix: np.ndarray, name: str, kind: type
) -> None:
    array = np.arange(5 * 6 * 7, dtype=kind).reshape(5, 6, 7)
    path = write_volume_node(volume_node(scene, array, matrix), tmp_path / name)
    found = read_volume(path)
    for k, j, i in ((0, 0, 0), (4, 5, 6), (1, 4, 2)):
        place = (matrix @ [i, j, k, 1])[:3]
        at = np.rint(found.ijk_from_ras(place)).astype(int)
        np.testing.assert_allclose(found.ras_from_ijk(at), place, atol=1e-3)
        assert found.array[tuple(at[::-1])] == array[k, j, i]


@pytest.mark.parametrize("bent", [False, True])
def test_parent_transforms_are_left_to_the_results(scene: Any, tmp_path: Path, bent: bool) -> None:
    node = volume_node(scene, np.arange(210, dtype=np.float32).reshape(5, 6, 7), LEFT_HANDED)
    mirrored = np.diag([-1.0, 1.0, 1.0, 1.0])
    transform = bending_transform(scene) if bent else linear_transform(scene, mirrored)
    node.SetAndObserveTransformNodeID(transform.GetID())
    found = read_volume(write_volume_node(node, tmp_path / "image.nrrd"))
    np.testing.assert_allclose(found.ras_from_ijk([0, 0, 0]), LEFT_HANDED[:3, 3], atol=1e-3)


def test_what_is_no_volume_is_refused_in_one_line(scene: Any, tmp_path: Path) -> None:
    colour = volume_node(scene, np.zeros((4, 5, 6, 3), np.uint8))
    single = volume_node(scene, np.zeros((1, 5, 6), np.float32))
    sheared = volume_node(
        scene, np.zeros((4, 5, 6)), [[1, 0.4, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]
    )
    empty = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "empty")
    gone = volume_node(scene, np.zeros((4, 5, 6)))
    scene.RemoveNode(gone)
    for node, words in (
        (colour, "colour image"),
        (single, "single image"),
        (sheared, "sheared"),
        (empty, "holds no image"),
        (gone, "no longer in the scene"),
    ):
        with pytest.raises(InputError, match=words) as error:
            write_volume_node(node, tmp_path / "image.nrrd")
        assert "\n" not in str(error.value)
    assert list(tmp_path.glob("image*")) == []


def test_radiographs_are_known_by_their_modality_or_by_being_one_image(scene: Any) -> None:
    hierarchy = scene.GetSubjectHierarchyNode()

    def node(slices: int, modality: str = "") -> Any:
        made = volume_node(scene, np.zeros((slices, 5, 6)))
        if modality:
            hierarchy.SetItemAttribute(hierarchy.GetItemByDataNode(made), "DICOM.Modality", modality)
        return made

    assert is_radiograph(node(1)) and is_radiograph(node(1, "DX")) and is_radiograph(node(9, "XA"))
    assert not (is_radiograph(node(9)) or is_radiograph(node(1, "MR")) or is_radiograph(node(9, "OT")))


def test_the_modality_of_a_volume_goes_with_it(scene: Any, tmp_path: Path) -> None:
    node = volume_node(scene, np.arange(120).reshape(4, 5, 6))
    hierarchy = scene.GetSubjectHierarchyNode()
    hierarchy.SetItemAttribute(hierarchy.GetItemByDataNode(node), "DICOM.Modality", "CT")
    read = read_volume(write_volume_node(node, tmp_path / "image.nrrd"))
    assert read.metadata == {"modality": "CT"}


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.int16, np.float32])
def test_a_radiograph_is_written_pixel_by_pixel(scene: Any, tmp_path: Path, kind: type) -> None:
    pixels = np.add.outer(3 * np.arange(40), np.arange(48)).astype(kind)
    node = volume_node(scene, pixels[None])
    read = read_radiograph(write_radiograph_node(node, tmp_path), bone="bright")
    np.testing.assert_allclose(read.pixels, (pixels / pixels.max()).astype(np.float32), atol=1e-6)


def test_a_grey_picture_in_three_channels_is_a_radiograph_too(scene: Any, tmp_path: Path) -> None:
    grey = np.add.outer(3 * np.arange(40), np.arange(48)).astype(np.uint8)
    node = volume_node(scene, np.repeat(grey[None, ..., None], 3, axis=3))
    read = read_radiograph(write_radiograph_node(node, tmp_path), bone="bright")
    assert read.pixels[39, 47] == 1 and read.pixels[0, 0] == 0


def test_the_dicom_file_is_given_where_slicer_has_it(
    scene: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "film.dcm"
    file.write_bytes(bytes(128) + b"DICM")
    files = {"1.2.3": str(file), "1.2.4": str(tmp_path / "deleted.dcm")}
    database = SimpleNamespace(fileForInstance=files.get)
    monkeypatch.setattr(inputs.slicer, "dicomDatabase", database, raising=False)
    node = volume_node(scene, np.ones((1, 40, 48), np.uint8))
    node.SetAttribute("DICOM.instanceUIDs", "1.2.3")
    assert write_radiograph_node(node, tmp_path) == file
    node.SetAttribute("DICOM.instanceUIDs", "1.2.4")
    assert write_radiograph_node(node, tmp_path) == tmp_path / "radiograph.tif"


def test_frames_are_chosen_and_must_be_there(scene: Any, tmp_path: Path) -> None:
    frames = np.zeros((2, 40, 48), np.uint8)
    frames[1, 7, 9] = 200
    node = volume_node(scene, frames)
    read = read_radiograph(write_radiograph_node(node, tmp_path, frame=1), bone="bright")
    assert read.pixels[7, 9] == 1
    with pytest.raises(InputError, match="has 2 images"):
        write_radiograph_node(node, tmp_path, frame=2)


def test_radiographs_of_one_run_stand_under_one_transform(scene: Any) -> None:
    first, second = (volume_node(scene, np.zeros((1, 4, 5))) for _ in range(2))
    require_one_frame([first, second])
    second.SetAndObserveTransformNodeID(linear_transform(scene, np.eye(4)).GetID())
    with pytest.raises(InputError, match="under different transforms"):
        require_one_frame([first, second])


@pytest.mark.parametrize("transform", ["none", "linear", "bending"])
def test_points_picked_in_an_image_are_its_pixels_wherever_it_stands(
    scene: Any, tmp_path: Path, transform: str
) -> None:
    matrix = oblique()
    matrix[:3, :2] *= 0.5
    node = volume_node(scene, np.add.outer(np.arange(40), np.arange(48))[None].astype(np.uint8), matrix)
    picked = {"head": (20.25, 11.5), "trochanter": (41.0, 30.75)}
    to_world: Any = None
    if transform != "none":
        parent = bending_transform(scene) if transform == "bending" else linear_transform(scene, OBLIQUE)
        node.SetAndObserveTransformNodeID(parent.GetID())
        to_world = parent.GetTransformToParent()
    own = {label: (matrix @ [*pixel, 0, 1])[:3] for label, pixel in picked.items()}
    world = {label: to_world.TransformPoint(*p) if to_world else p for label, p in own.items()}
    file = write_radiograph_node(node, tmp_path)
    path = write_landmarks(
        points_node(scene, world), tmp_path / "points.mrk.json", picked_in=node, image_file=file
    )
    (found,) = landmarks_of_views([path], [file], [read_radiograph(file, bone="bright")])
    for label, pixel in picked.items():
        np.testing.assert_allclose(found[label], pixel, atol=0.01)


def test_points_picked_in_the_patient_are_projected_by_the_geometry(scene: Any, tmp_path: Path) -> None:
    geometry = assumed_geometry((40, 48)).with_values("user", pixel_spacing_mm=(5.0, 5.0))
    node = volume_node(scene, np.add.outer(np.arange(40), np.arange(48))[None].astype(np.uint8))
    moved = linear_transform(scene, OBLIQUE)
    node.SetAndObserveTransformNodeID(moved.GetID())
    own = {"head": (20.0, 30.0, 25.0), "knee": (-15.0, 12.0, -40.0)}
    world = {label: moved.GetTransformToParent().TransformPoint(*p) for label, p in own.items()}
    file = write_radiograph_node(node, tmp_path)
    write_camera(tmp_path / "camera.json", geometry)
    path = write_landmarks(
        points_node(scene, world), tmp_path / "p.mrk.json", picked_in=node, image_file=file
    )
    radiograph = read_radiograph(file, tmp_path / "camera.json", bone="bright")
    (found,) = landmarks_of_views([path], [file], [radiograph])
    for label, point in own.items():
        np.testing.assert_allclose(found[label], radiograph.camera.project(np.array(point)), atol=1e-3)


def test_landmarks_that_cannot_be_used_are_refused(scene: Any, tmp_path: Path) -> None:
    empty = scene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", "points")
    twice = points_node(scene, {"a": (0, 0, 0)})
    twice.AddControlPoint([1.0, 2.0, 3.0], "a")
    gone = points_node(scene, {"a": (0, 0, 0)})
    scene.RemoveNode(gone)
    for node, words in (
        (empty, "no placed points"),
        (twice, "two landmarks are called 'a'"),
        (gone, "no longer"),
    ):
        with pytest.raises(InputError, match=words):
            write_landmarks(node, tmp_path / "points.mrk.json")
    assert list(tmp_path.glob("*.json")) == []


def test_points_that_are_not_placed_are_left_out(scene: Any, tmp_path: Path) -> None:
    from mri2mesh.imaging.radiographs.markups_file import read_markups

    node = points_node(scene, {"a": (1, 2, 3), "b": (4, 5, 6)})
    node.UnsetNthControlPointPosition(0)
    assert read_markups(write_landmarks(node, tmp_path / "points.mrk.json")) == {"b": (4.0, 5.0, 6.0)}

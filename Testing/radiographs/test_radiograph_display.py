"""Where the pixels of a radiograph stand, what its views show, and that it goes without a trace."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import vtk
from numpy.typing import NDArray

from host import mrml
from host.views import SliceView, ThreeDView
from mri2mesh.errors import InputError
from mri2mesh_slicer.radiographs.camera_attribute import array_of, camera_of
from mri2mesh_slicer.radiographs.display import place_radiograph
from mri2mesh_slicer.radiographs.geometry_of_nodes import LANDMARKS
from radiographs.cameras import SIZE, uneven_camera
from radiographs.nodes import image_node, set_matrix, transform_node

ASPECT = 400 * 0.5 / (300 * 0.6)
PIXELS = np.zeros(SIZE, np.float32)
PIXELS[20:60, 30:130] = 1.0  # top left, wide
PIXELS[200:290, 360:380] = 0.5  # bottom right, high
TURN = np.array([[0, -1, 0, 40.0], [1, 0, 0, -30], [0, 0, 1, 25], [0, 0, 0, 1]])


def node_ids(scene) -> set[str]:
    return {scene.GetNthNode(n).GetID() for n in range(scene.GetNumberOfNodes())}


def place_of_pixels(node) -> NDArray[np.float64]:
    """RAS of the four corner pixels' centres, as MRML has it."""
    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    corners = np.array([[0, 0, 0, 1], [399, 0, 0, 1], [399, 299, 0, 1], [0, 299, 0, 1.0]])
    return (corners @ array_of(matrix).T)[:, :3]


CORNERS = np.array([[0, 0], [399, 0], [399, 299], [0, 299.0]])


@pytest.mark.parametrize("seen_from", ["source", "detector"])
def test_every_pixel_stands_where_it_was_recorded(slicer, seen_from):
    camera, scene = uneven_camera(seen_from=seen_from), slicer.mrmlScene
    film = image_node(scene, PIXELS)
    place_radiograph(scene, film, camera)
    places = place_of_pixels(film)
    np.testing.assert_allclose(camera.project(places), CORNERS, atol=1e-6)
    depth = (places - camera.source_ras_mm) @ camera.axes_ras[2]
    np.testing.assert_allclose(depth, 1000)


def test_landmarks_picked_in_the_image_stay_on_their_pixels_and_others_where_they_are(slicer):
    camera, scene = uneven_camera(), slicer.mrmlScene
    film = image_node(scene, PIXELS)
    film.SetAndObserveTransformNodeID(transform_node(scene, TURN).GetID())
    turn = TURN[:3]
    markups = scene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", "picked")
    film.SetNodeReferenceID(LANDMARKS, markups.GetID())
    for point in ([30, 20, 0, 1], [10, 20, 30, 1.0]):
        markups.AddControlPoint(*(turn @ point))

    def places() -> NDArray[np.float64]:
        found = [markups.GetNthControlPointPositionWorld(n) for n in range(2)]
        return (np.array(found) - TURN[:3, 3]) @ TURN[:3, :3]  # in the film's own frame

    before = places()
    radiograph = place_radiograph(scene, film, camera)
    np.testing.assert_allclose(camera.project(places()[:1]), [[30, 20]], atol=1e-6)
    np.testing.assert_allclose(places()[1], before[1], atol=1e-9)
    radiograph.remove()
    np.testing.assert_allclose(places(), before, atol=1e-9)


@pytest.mark.parametrize("seen_from", ["source", "detector"])
def test_a_slice_view_shows_the_image_as_it_is_stored(slicer, seen_from):
    film = image_node(slicer.mrmlScene, PIXELS)
    radiograph = place_radiograph(slicer.mrmlScene, film, uneven_camera(seen_from=seen_from))
    view = SliceView(slicer.application, "Red", (400, 360))  # 200 mm by 180 mm: half a millimetre a pixel
    radiograph.show_in_slice(view.node)
    shown = view.picture()[:, :, 0] / 255
    rows = (np.arange(360) * 300 / 360).astype(int)
    assert np.abs(shown - PIXELS[rows]).mean() < 0.01


def shown_from_source(slicer, seen_from: str, size: tuple[int, int]) -> NDArray[np.float64]:
    film = image_node(slicer.mrmlScene, PIXELS)
    radiograph = place_radiograph(slicer.mrmlScene, film, uneven_camera(seen_from=seen_from))
    view = ThreeDView(slicer.application, "1", size)
    view.node.SetBackgroundColor(0, 0, 1)
    view.node.SetBackgroundColor2(0, 0, 1)
    radiograph.look_from_source(view.camera_node, size[0] / size[1])
    radiograph.beam_node.GetDisplayNode().SetVisibility(False)
    return view.picture() / 255


@pytest.mark.parametrize("seen_from", ["source", "detector"])
def test_from_the_source_a_3d_view_shows_the_image_as_recorded_or_its_mirror_image(slicer, seen_from):
    shown = shown_from_source(slicer, seen_from, (400, 360))
    rows = (np.arange(360) * 300 / 360).astype(int)
    expected = PIXELS[rows]
    if seen_from == "detector":
        expected = expected[:, ::-1]
    assert np.abs(shown[2:-2, 2:-2, 0] - expected[2:-2, 2:-2]).mean() < 0.01


@pytest.mark.parametrize("size", [(800, 360), (400, 720)])
def test_in_a_window_of_another_shape_the_whole_image_is_in_the_middle(slicer, size):
    shown = shown_from_source(slicer, "source", size)
    is_image = shown[:, :, 2] - shown[:, :, 0] < 0.9
    rows, columns = np.flatnonzero(is_image.any(1)), np.flatnonzero(is_image.any(0))
    assert (len(columns), len(rows)) == pytest.approx((400, 360), abs=4)
    assert rows.mean() == pytest.approx(size[1] / 2 - 0.5, abs=1.5)
    assert columns.mean() == pytest.approx(size[0] / 2 - 0.5, abs=1.5)


def test_an_image_under_a_transform_takes_its_source_and_its_views_along(slicer):
    camera, scene = uneven_camera(), slicer.mrmlScene
    film, c_arm = image_node(scene, PIXELS), transform_node(scene, np.eye(4))
    radiograph = place_radiograph(scene, film, camera)
    view = SliceView(slicer.application, "Red")
    radiograph.show_in_slice(view.node)
    film.SetAndObserveTransformNodeID(c_arm.GetID())
    set_matrix(c_arm, TURN)
    world = TURN[:3, :3] @ camera.source_ras_mm + TURN[:3, 3]
    np.testing.assert_allclose(radiograph.camera_node.GetPosition(), world, atol=1e-9)
    middle = TURN[:3, :3] @ camera.on_detector([199.5, 149.5]) + TURN[:3, 3]
    slice_to_ras = array_of(view.node.GetSliceToRAS())
    np.testing.assert_allclose(slice_to_ras[:3, 3], middle, atol=1e-6)
    np.testing.assert_allclose(slice_to_ras[:3, 0], TURN[:3, :3] @ camera.axes_ras[0], atol=1e-9)
    assert radiograph.beam_node.GetTransformNodeID() == c_arm.GetID()


def test_another_geometry_moves_everything_and_a_wrong_one_nothing(slicer):
    scene, other = slicer.mrmlScene, uneven_camera(200, -5, principal_point=(100.0, 210.0))
    film = image_node(scene, PIXELS)
    radiograph = place_radiograph(scene, film, uneven_camera())
    radiograph.set_camera(other)
    np.testing.assert_allclose(other.project(place_of_pixels(film)), CORNERS, atol=1e-6)
    np.testing.assert_allclose(radiograph.camera_node.GetPosition(), other.source_ras_mm)
    beam = radiograph.beam_node.GetPolyData()
    np.testing.assert_allclose(beam.GetPoint(0), other.source_ras_mm, rtol=1e-6)

    before = place_of_pixels(film)
    with pytest.raises(InputError, match="300 x 400"):
        radiograph.set_camera(
            type(other)(other.source_ras_mm, other.axes_ras, 1000, (0.5, 0.5), (10.0, 10.0), (400, 300))
        )
    np.testing.assert_array_equal(place_of_pixels(film), before)


def test_a_stack_of_images_is_refused(slicer):
    film = image_node(slicer.mrmlScene, PIXELS)
    film.GetImageData().SetDimensions(400, 150, 2)
    with pytest.raises(InputError, match="2"):
        place_radiograph(slicer.mrmlScene, film, uneven_camera())
    assert camera_of(film) is None


def test_removing_it_leaves_the_scene_as_it_was(slicer):
    scene = slicer.mrmlScene
    film = image_node(scene, PIXELS)
    red, three = SliceView(slicer.application, "Red"), ThreeDView(slicer.application)
    hierarchy = scene.GetSubjectHierarchyNode()
    hierarchy.CreateItem(hierarchy.GetSceneItemID(), film)
    before = node_ids(scene), hierarchy.GetNumberOfItems(), place_of_pixels(film)
    slice_before = array_of(red.node.GetSliceToRAS()), red.node.GetFieldOfView()
    camera_before = three.camera_node.GetPosition(), three.camera_node.GetViewAngle()

    radiograph = place_radiograph(scene, film, uneven_camera())
    radiograph.show_in_slice(red.node)
    radiograph.look_from_source(three.camera_node, 1.0)
    radiograph.look_from_source(three.camera_node, 1.5)
    assert hierarchy.GetNumberOfItems() > before[1]
    radiograph.remove()
    radiograph.remove()

    assert node_ids(scene) == before[0]
    assert hierarchy.GetNumberOfItems() == before[1]
    np.testing.assert_allclose(place_of_pixels(film), before[2])
    np.testing.assert_allclose(array_of(red.node.GetSliceToRAS()), slice_before[0])
    assert red.node.GetFieldOfView() == pytest.approx(slice_before[1])
    assert red.logic.GetSliceCompositeNode().GetBackgroundVolumeID() is None
    assert (three.camera_node.GetPosition(), three.camera_node.GetViewAngle()) == camera_before
    assert three.camera_node.GetCamera().GetWindowCenter() == (0, 0)


def test_an_image_that_the_user_has_chosen_for_the_view_meanwhile_stays_in_it(slicer):
    scene = slicer.mrmlScene
    film, other = image_node(scene, PIXELS), image_node(scene, PIXELS, "other")
    red = SliceView(slicer.application, "Red")
    plane = array_of(red.node.GetSliceToRAS())
    radiograph = place_radiograph(scene, film, uneven_camera())
    radiograph.show_in_slice(red.node)
    red.logic.GetSliceCompositeNode().SetBackgroundVolumeID(other.GetID())
    radiograph.remove()
    assert red.logic.GetSliceCompositeNode().GetBackgroundVolumeID() == other.GetID()
    np.testing.assert_allclose(array_of(red.node.GetSliceToRAS()), plane)


def test_one_that_is_not_listed_has_no_item_in_the_hierarchy_nor_in_a_saved_scene(slicer, tmp_path: Path):
    scene = slicer.mrmlScene
    film = image_node(scene, PIXELS)
    hierarchy = scene.GetSubjectHierarchyNode()
    hierarchy.CreateItem(hierarchy.GetSceneItemID(), film)
    items = hierarchy.GetNumberOfItems()
    radiograph = place_radiograph(scene, film, uneven_camera(), listed=False)
    assert hierarchy.GetNumberOfItems() == items
    assert all(node.GetHideFromEditors() for node in radiograph.folder.nodes)
    scene.SetURL(str(tmp_path / "scene.mrml"))
    scene.Commit()
    assert "X-ray geometry" not in (tmp_path / "scene.mrml").read_text()
    before = radiograph.folder.nodes
    radiograph.remove()
    assert not before and hierarchy.GetNumberOfItems() == items


def test_deleting_the_image_or_a_node_of_its_display_takes_the_rest_along(slicer):
    scene = slicer.mrmlScene
    for name in ("volume_node", "beam_node", "camera_node"):
        before = node_ids(scene)
        film = image_node(scene, PIXELS)
        radiograph = place_radiograph(scene, film, uneven_camera())
        scene.RemoveNode(getattr(radiograph, name))
        assert radiograph.removed
        scene.RemoveNode(film)
        for leftover in node_ids(scene) - before:
            assert scene.GetNodeByID(leftover).IsA("vtkMRMLVolumeDisplayNode"), leftover


def test_closing_the_scene_takes_it_along(slicer):
    radiograph = place_radiograph(slicer.mrmlScene, image_node(slicer.mrmlScene, PIXELS), uneven_camera())
    slicer.mrmlScene.Clear(False)
    assert radiograph.removed


def test_a_saved_scene_knows_the_geometry_and_not_what_was_drawn(slicer, tmp_path: Path):
    scene, camera = slicer.mrmlScene, uneven_camera()
    place_radiograph(scene, image_node(scene, PIXELS), camera)
    assert scene.WriteToMRB(str(tmp_path / "scene.mrb"))
    loaded = mrml.install()
    assert loaded.mrmlScene.ReadFromMRB(str(tmp_path / "scene.mrb"))
    film = loaded.mrmlScene.GetFirstNodeByClass("vtkMRMLScalarVolumeNode")
    assert loaded.mrmlScene.GetFirstNodeByClass("vtkMRMLModelNode") is None
    found = camera_of(film)
    assert found is not None
    np.testing.assert_array_equal(found.matrix, camera.matrix)
    np.testing.assert_allclose(camera.project(place_of_pixels(film)), CORNERS, atol=1e-3)
    items = loaded.mrmlScene.GetSubjectHierarchyNode().GetNumberOfItems()
    again = place_radiograph(loaded.mrmlScene, film, found)
    again.remove()  # back to where it was before it was placed the first time
    assert camera_of(film) is None
    assert loaded.mrmlScene.GetSubjectHierarchyNode().GetNumberOfItems() <= items
    assert not np.allclose(camera.project(place_of_pixels(film)), CORNERS, atol=1)

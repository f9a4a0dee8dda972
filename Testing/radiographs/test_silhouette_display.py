"""Outlines lie on the shadows of what they outline, follow it, and go without a trace."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import vtk
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt
from vtk.util.numpy_support import vtk_to_numpy

from geometry.solids import hand, sphere
from host.views import SliceView, ThreeDView
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.vtk_bridge import to_polydata
from mri2mesh.geometry.xray_camera import XrayCamera
from mri2mesh.synthesis.films.single_bone import thickness
from mri2mesh_slicer.radiographs.display import PlacedRadiograph, place_radiograph
from mri2mesh_slicer.radiographs.silhouettes import SilhouetteOverlay
from radiographs.cameras import SIZE, uneven_camera
from radiographs.nodes import image_node, model_node, set_matrix, transform_node

RED, GREEN = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0)
MOVE = np.array([[0.8, -0.6, 0, 14.0], [0.6, 0.8, 0, -8], [0, 0, 1, 5], [0, 0, 0, 1]])


def big_hand() -> Mesh:
    """Some 80 mm long, off the isocentre, no two of its sides alike."""
    solid = hand()
    return solid.with_vertices((solid.vertices - solid.vertices.mean(0)) * 4 + [12, 5, 20])


def placed(scene: Any, camera: XrayCamera | None = None) -> PlacedRadiograph:
    return place_radiograph(scene, image_node(scene, np.zeros(SIZE, np.float32)), camera or uneven_camera())


def drawn(overlay: SilhouetteOverlay, model: Any) -> NDArray[np.float64]:
    """[P, 3] RAS of the outline as MRML has it, its parent transform applied."""
    node = overlay.outline_nodes[model]
    points = node.GetPolyData().GetPoints()
    local = np.zeros((0, 3)) if points is None else vtk_to_numpy(points.GetData()).astype(float)
    matrix = vtk.vtkMatrix4x4()
    if node.GetParentTransformNode():
        node.GetParentTransformNode().GetMatrixTransformToWorld(matrix)
    values = np.array([[matrix.GetElement(r, c) for c in range(4)] for r in range(4)])
    return local @ values[:3, :3].T + values[:3, 3]


def moved(mesh: Mesh, *matrices: NDArray) -> Mesh:
    for matrix in reversed(matrices):
        mesh = mesh.transformed(matrix)
    return mesh


def assert_outlines(points: NDArray, mesh: Mesh, camera: XrayCamera) -> None:
    """Every point is a vertex of the mesh as the camera sees it; together they span its shadow; to 0.01 pixel."""
    assert len(points) > 20
    seen, expected = camera.project(points), camera.project(mesh.vertices)
    nearest = np.abs(seen[:, None] - expected[None]).max(axis=2).min(axis=1)
    assert nearest.max() < 0.01
    np.testing.assert_allclose(seen.min(0), expected.min(0), atol=0.01)
    np.testing.assert_allclose(seen.max(0), expected.max(0), atol=0.01)


@pytest.mark.parametrize("seen_from", ["source", "detector"])
def test_an_outline_lies_on_the_detector_where_the_camera_sees_the_surface(slicer, seen_from):
    camera, scene = uneven_camera(seen_from=seen_from), slicer.mrmlScene
    model = model_node(scene, big_hand())
    overlay = SilhouetteOverlay(scene, placed(scene, camera), [model])
    points = drawn(overlay, model)
    assert_outlines(points, big_hand(), camera)
    np.testing.assert_allclose((points - camera.source_ras_mm) @ camera.axes_ras[2], 1000, atol=1e-3)


def test_transforms_of_the_model_of_the_image_and_of_the_view_all_count(slicer):
    camera, scene = uneven_camera(), slicer.mrmlScene
    model, radiograph = model_node(scene, big_hand()), placed(scene)
    to_view = np.array([[1, 0, 0, 3.0], [0, 0.96, -0.28, -4], [0, 0.28, 0.96, 7], [0, 0, 0, 1]])
    c_arm_pose = np.array([[1, 0, 0, -20.0], [0, 0.6, 0.8, 10], [0, -0.8, 0.6, 30], [0, 0, 0, 1]])
    patient, c_arm = transform_node(scene, np.eye(4)), transform_node(scene, np.eye(4))
    overlay = SilhouetteOverlay(scene, radiograph, [model], to_view)
    model.SetAndObserveTransformNodeID(patient.GetID())
    radiograph.volume_node.SetAndObserveTransformNodeID(c_arm.GetID())
    set_matrix(patient, MOVE)
    set_matrix(c_arm, c_arm_pose)
    expected = moved(big_hand(), to_view, np.linalg.inv(c_arm_pose), MOVE)
    in_c_arm = (drawn(overlay, model) - c_arm_pose[:3, 3]) @ c_arm_pose[
        :3, :3
    ]  # its inverse is its transpose
    assert_outlines(in_c_arm, expected, camera)


def test_a_correction_of_the_view_is_made_in_the_frame_of_the_fit_wherever_both_stand(slicer):
    camera, scene = uneven_camera(), slicer.mrmlScene
    model, radiograph = model_node(scene, big_hand()), placed(scene, camera)
    to_view = np.array([[1, 0, 0, 3.0], [0, 0.96, -0.28, -4], [0, 0.28, 0.96, 7], [0, 0, 0, 1]])
    overlay = SilhouetteOverlay(scene, radiograph, [model], to_view)
    alone = overlay.outline_nodes[model].GetPolyData().GetPoints().GetData()
    before = vtk_to_numpy(alone).copy()
    table = transform_node(scene, MOVE)
    for node in (model, radiograph.volume_node):
        node.SetAndObserveTransformNodeID(table.GetID())
    after = vtk_to_numpy(overlay.outline_nodes[model].GetPolyData().GetPoints().GetData())
    np.testing.assert_allclose(after, before, atol=1e-2)


def test_another_correction_counts_from_the_next_surface_on(slicer):
    scene = slicer.mrmlScene
    model, radiograph = model_node(scene, big_hand()), placed(scene)
    overlay = SilhouetteOverlay(scene, radiograph, [model])
    shift = np.eye(4)
    shift[:3, 3] = [10, -4, 6]
    overlay.surface_to_view = shift
    model.SetAndObservePolyData(to_polydata(big_hand()))
    assert_outlines(drawn(overlay, model), moved(big_hand(), shift), radiograph.camera)


def test_it_follows_the_surface_its_transform_and_the_geometry(slicer):
    scene, other = slicer.mrmlScene, uneven_camera(100, 30)
    model, radiograph = model_node(scene, big_hand()), placed(scene)
    overlay = SilhouetteOverlay(scene, radiograph, [model])
    mesh = big_hand()

    bent = mesh.with_vertices(mesh.vertices * np.float32([1, 1.5, 0.8]))
    points = vtk_to_numpy(model.GetPolyData().GetPoints().GetData())
    points[:] = bent.vertices
    model.GetPolyData().GetPoints().Modified()
    model.GetPolyData().Modified()
    assert_outlines(drawn(overlay, model), bent, radiograph.camera)

    transform = transform_node(scene, MOVE)
    model.SetAndObserveTransformNodeID(transform.GetID())
    assert_outlines(drawn(overlay, model), moved(bent, MOVE), radiograph.camera)
    set_matrix(transform, MOVE @ MOVE)
    assert_outlines(drawn(overlay, model), moved(bent, MOVE, MOVE), radiograph.camera)

    radiograph.set_camera(other)
    assert_outlines(drawn(overlay, model), moved(bent, MOVE, MOVE), other)

    ball = sphere(40.0)
    model.SetAndObservePolyData(to_polydata(ball))
    assert_outlines(drawn(overlay, model), moved(ball, MOVE, MOVE), other)


def test_a_transform_that_is_not_linear_bends_the_surface_before_it_is_outlined(slicer):
    scene, ball = slicer.mrmlScene, sphere(40.0)
    model, radiograph = model_node(scene, ball), placed(scene)
    overlay = SilhouetteOverlay(scene, radiograph, [model])
    spline = vtk.vtkThinPlateSplineTransform()
    source, target = vtk.vtkPoints(), vtk.vtkPoints()
    for x in (-60, 60):
        for y in (-60, 60):
            for z in (-60, 60):
                source.InsertNextPoint(x, y, z)
                target.InsertNextPoint(x + 0.002 * y * z, y, z + 8)
    spline.SetSourceLandmarks(source)
    spline.SetTargetLandmarks(target)
    spline.SetBasisToR()
    node = scene.AddNewNodeByClass("vtkMRMLTransformNode", "bend")
    node.SetAndObserveTransformToParent(spline)
    model.SetAndObserveTransformNodeID(node.GetID())
    bent = np.array([spline.TransformPoint(vertex) for vertex in ball.vertices.astype(float)])
    assert_outlines(drawn(overlay, model), Mesh(bent, ball.faces), radiograph.camera)
    model.SetAndObserveTransformNodeID(None)
    assert_outlines(drawn(overlay, model), ball, radiograph.camera)


def test_it_has_the_colour_of_its_structure_and_hides_with_it(slicer):
    scene = slicer.mrmlScene
    model, radiograph = model_node(scene, big_hand(), colour=RED), placed(scene)
    red_slice = SliceView(slicer.application, "Red")
    radiograph.show_in_slice(red_slice.node)
    overlay = SilhouetteOverlay(scene, radiograph, [model])
    displays = [overlay.outline_nodes[model].GetNthDisplayNode(n) for n in range(2)]
    assert all(one.GetVisibility() and one.GetColor() == RED for one in displays)
    model.GetDisplayNode().SetColor(*GREEN)
    assert all(one.GetColor() == GREEN for one in displays)
    model.GetDisplayNode().SetVisibility(False)
    assert not any(one.GetVisibility() for one in displays)
    model.GetDisplayNode().SetVisibility(True)
    model.GetDisplayNode().SetVisibility3D(
        False
    )  # the surface out of the way, its outline is what is looked at
    assert all(one.GetVisibility() for one in displays)
    radiograph.set_visible(False)
    assert [one.GetVisibility() for one in displays] == [0, 1]  # in 3D, in the slice view


def test_a_structure_in_a_hidden_folder_has_no_outline(slicer):
    scene = slicer.mrmlScene
    model, radiograph = model_node(scene, big_hand()), placed(scene)
    overlay = SilhouetteOverlay(scene, radiograph, [model])
    hierarchy = scene.GetSubjectHierarchyNode()
    folder_display = scene.AddNewNodeByClass("vtkMRMLFolderDisplayNode", "run")
    folder = hierarchy.CreateItem(hierarchy.GetSceneItemID(), folder_display)
    hierarchy.CreateItem(folder, model)
    in_3d = overlay.outline_nodes[model].GetNthDisplayNode(0)
    folder_display.SetApplyDisplayPropertiesOnBranch(True)
    folder_display.SetVisibility(False)
    assert not in_3d.GetVisibility()


def outline_pixels(picture: NDArray, colour: int) -> NDArray[np.bool_]:
    others = [channel for channel in range(3) if channel != colour]
    return picture[:, :, colour].astype(int) - picture[:, :, others].max(axis=2) > 60


def test_in_a_rendered_slice_view_the_outline_lies_on_the_shadow_to_within_a_pixel(slicer):
    scene, camera, mesh = slicer.mrmlScene, uneven_camera(), big_hand()
    shadow = thickness(mesh, camera) > 0
    film = image_node(scene, shadow.astype(np.float32))
    radiograph = place_radiograph(scene, film, camera)
    view = SliceView(slicer.application, "Red", (800, 720))  # four pixels per millimetre
    radiograph.show_in_slice(view.node)
    SilhouetteOverlay(scene, radiograph, [model_node(scene, mesh, colour=RED)])
    outline = outline_pixels(view.picture(), 0)

    rows = ((np.arange(720) + 0.5) * 300 / 720 - 0.5).round().astype(int)
    columns = ((np.arange(800) + 0.5) * 400 / 800 - 0.5).round().astype(int)
    large = shadow[np.ix_(rows, columns)]
    border = large & (distance_transform_edt(large) <= 1)
    # A pixel of the image is 2 by 2.4 of the view's, half of the line's width 1.
    assert distance_transform_edt(~outline)[border].max() < 2.4
    assert distance_transform_edt(~large)[outline].max() < 2.4 + 1
    drawn_at = np.argwhere(outline)[:, ::-1]
    expected = (camera.project(mesh.vertices) + 0.5) * [2, 2.4] - 0.5
    middles = [(one.min(0) + one.max(0)) / 2 for one in (drawn_at, expected)]
    np.testing.assert_allclose(*middles, atol=1)


def test_another_slice_view_does_not_show_it(slicer):
    scene, mesh = slicer.mrmlScene, big_hand()
    radiograph = placed(scene)
    red, green = (SliceView(slicer.application, name) for name in ("Red", "Green"))
    overlay = SilhouetteOverlay(scene, radiograph, [model_node(scene, mesh, colour=RED)])
    assert not outline_pixels(red.picture(), 0).any()
    radiograph.show_in_slice(red.node)
    assert outline_pixels(red.picture(), 0).any()
    assert not outline_pixels(green.picture(), 0).any()
    radiograph.hide_from_slice(red.node)
    assert not outline_pixels(red.picture(), 0).any()
    overlay.stop()


def test_two_views_each_have_their_own_outline_in_3d(slicer):
    scene, mesh = slicer.mrmlScene, big_hand()
    front, oblique = uneven_camera(180, 0), uneven_camera(-135, 10)
    model = model_node(scene, mesh, colour=RED)
    shift = np.eye(4)
    shift[:3, 3] = [10, 0, 0]
    first = SilhouetteOverlay(scene, placed(scene, front), [model])
    second = SilhouetteOverlay(scene, placed(scene, oblique), [model], shift)
    assert_outlines(drawn(first, model), mesh, front)
    assert_outlines(drawn(second, model), moved(mesh, shift), oblique)


def test_from_the_source_the_outline_in_3d_covers_the_rim_of_the_surface(slicer):
    scene, mesh = slicer.mrmlScene, sphere(40.0, subdivisions=5)
    radiograph = placed(scene)
    model = model_node(scene, mesh, colour=GREEN)
    view = ThreeDView(slicer.application, "1", (800, 720))
    radiograph.look_from_source(view.camera_node, 800 / 720)
    radiograph.beam_node.GetDisplayNode().SetVisibility(False)
    model.GetDisplayNode().SetLighting(False)
    surface = outline_pixels(view.picture(), 1)
    model.GetDisplayNode().SetVisibility3D(False)
    SilhouetteOverlay(scene, radiograph, [model])
    outline = outline_pixels(view.picture(), 1)
    rim = surface & (distance_transform_edt(surface) <= 1)
    assert distance_transform_edt(~outline)[rim].max() < 2
    assert distance_transform_edt(~rim)[outline].max() < 3  # two pixels wide


def node_ids(scene: Any) -> set[str]:
    return {scene.GetNthNode(n).GetID() for n in range(scene.GetNumberOfNodes())}


def test_stopping_it_leaves_no_node_and_no_observer(slicer):
    scene = slicer.mrmlScene
    model, radiograph = model_node(scene, big_hand()), placed(scene)
    before = node_ids(scene)
    overlay = SilhouetteOverlay(scene, radiograph, [model])
    node = overlay.outline_nodes[model]
    overlay.stop()
    overlay.stop()
    assert node_ids(scene) == before
    changed = node.GetPolyData().GetMTime()
    model.GetPolyData().Modified()
    radiograph.set_camera(uneven_camera(100, 30))
    assert node.GetPolyData().GetMTime() == changed


def test_it_ends_with_its_model_its_radiograph_its_image_or_its_scene(slicer):
    scene = slicer.mrmlScene
    model, radiograph = model_node(scene, big_hand()), placed(scene)
    overlay = SilhouetteOverlay(scene, radiograph, [model])
    scene.RemoveNode(model)
    assert not overlay.outline_nodes and not radiograph.removed

    model = model_node(scene, big_hand())
    overlay = SilhouetteOverlay(scene, radiograph, [model])
    radiograph.remove()
    assert not overlay.outline_nodes

    radiograph = placed(scene)
    overlay = SilhouetteOverlay(scene, radiograph, [model])
    scene.RemoveNode(radiograph.volume_node)
    assert not overlay.outline_nodes

    overlay = SilhouetteOverlay(scene, placed(scene), [model])
    scene.Clear(False)
    assert not overlay.outline_nodes


def test_a_surface_that_vanishes_or_loses_its_numbers_has_no_outline_until_it_is_back(slicer):
    scene = slicer.mrmlScene
    model, radiograph = model_node(scene, big_hand()), placed(scene)
    overlay = SilhouetteOverlay(scene, radiograph, [model])
    for nothing in (None, vtk.vtkPolyData()):
        model.SetAndObservePolyData(nothing)
        assert len(drawn(overlay, model)) == 0
    model.SetAndObservePolyData(to_polydata(big_hand()))
    model.GetPolyData().GetPoints().SetPoint(0, float("nan"), 0, 0)
    model.GetPolyData().Modified()
    assert len(drawn(overlay, model)) == 0
    model.SetAndObservePolyData(to_polydata(big_hand()))
    assert_outlines(drawn(overlay, model), big_hand(), radiograph.camera)
    flat = transform_node(scene, np.diag([1.0, 0, 1, 1]))
    model.SetAndObserveTransformNodeID(flat.GetID())
    assert len(drawn(overlay, model)) == 0
    set_matrix(flat, np.eye(4))
    assert_outlines(drawn(overlay, model), big_hand(), radiograph.camera)

"""Views of a placed radiograph: a slice view in the plane of its detector, a 3D view from its source."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import slicer
import vtk
from numpy.typing import NDArray

from mri2mesh.geometry.xray_camera import XrayCamera
from mri2mesh_slicer.matrices import array_of, vtk_matrix
from mri2mesh_slicer.mrml_nodes import nodes_of


@dataclass(frozen=True)
class CameraPose:
    """Where a 3D camera was, to be put back."""

    position: tuple[float, float, float]
    focal_point: tuple[float, float, float]
    view_up: tuple[float, float, float]
    view_angle: float
    window_centre: tuple[float, float]
    parallel: bool

    @classmethod
    def of(cls, camera_node: Any) -> CameraPose:
        camera = camera_node.GetCamera()
        return cls(
            camera.GetPosition(),
            camera.GetFocalPoint(),
            camera.GetViewUp(),
            camera.GetViewAngle(),
            camera.GetWindowCenter(),
            bool(camera.GetParallelProjection()),
        )

    def apply(self, camera_node: Any) -> None:
        modifying = camera_node.StartModify()
        camera_node.SetParallelProjection(self.parallel)
        camera_node.SetPosition(self.position)
        camera_node.SetFocalPoint(self.focal_point)
        camera_node.SetViewUp(self.view_up)
        camera_node.SetViewAngle(self.view_angle)
        camera_node.GetCamera().SetWindowCenter(*self.window_centre)
        camera_node.EndModify(modifying)
        camera_node.ResetClippingRange()


def pose_at_source(camera: XrayCamera, to_world: NDArray, aspect: float) -> CameraPose:
    """A 3D camera in the X-ray source that sees the whole image, in a window of this aspect (width / height).

    Its axis meets the detector at the principal point; the window's centre is off by as much as the image's is. What it
    shows is what the source sees: an image that is looked at from behind the detector appears mirrored.
    """
    (columns, rows, beam), (rows_px, columns_px) = camera.axes_ras, camera.size
    row_mm, column_mm = camera.pixel_spacing_mm
    column, row = camera.principal_point_px
    sees_columns_to_the_right = float(np.cross(columns, rows) @ beam)  # 1 or -1
    right = ((columns_px - 1) / 2 - column) * column_mm * sees_columns_to_the_right
    up = -((rows_px - 1) / 2 - row) * row_mm
    half_height = max(rows_px * row_mm, columns_px * column_mm / aspect) / 2
    foot = camera.source_ras_mm + camera.source_to_detector_mm * beam
    turn, shift = to_world[:3, :3], to_world[:3, 3]
    return CameraPose(
        _triple(turn @ camera.source_ras_mm + shift),
        _triple(turn @ foot + shift),
        _triple(turn @ -rows),
        float(2 * np.degrees(np.arctan(half_height / camera.source_to_detector_mm))),
        (right / (half_height * aspect), up / half_height),
        False,
    )


@dataclass(frozen=True)
class SliceState:
    """What a slice view showed, to be put back."""

    slice_to_ras: NDArray[np.float64]
    field_of_view: tuple[float, float, float]
    background: str | None

    @classmethod
    def of(cls, slice_node: Any) -> SliceState:
        composite = composite_node(slice_node)
        return cls(
            array_of(slice_node.GetSliceToRAS()),
            slice_node.GetFieldOfView(),
            None if composite is None else composite.GetBackgroundVolumeID(),
        )

    def apply(self, slice_node: Any, instead_of: Any) -> None:
        """Another image than ``instead_of``, which the user has chosen meanwhile, stays."""
        slice_node.GetSliceToRAS().DeepCopy(vtk_matrix(self.slice_to_ras))
        slice_node.UpdateMatrices()
        slice_node.SetFieldOfView(*self.field_of_view)
        composite = composite_node(slice_node)
        if composite is not None and composite.GetBackgroundVolumeID() in (None, instead_of.GetID()):
            known = self.background and slice_node.GetScene().GetNodeByID(self.background)
            composite.SetBackgroundVolumeID(self.background if known else None)


def show_in_slice(slice_node: Any, volume_node: Any, camera: XrayCamera, to_world: NDArray) -> None:
    """The whole image, upright as it is stored, in a slice view."""
    turn, shift = to_world[:3, :3], to_world[:3, 3]
    right, down = turn @ camera.axes_ras[0], turn @ camera.axes_ras[1]
    middle = turn @ camera.on_detector([(n - 1) / 2 for n in reversed(camera.size)]) + shift
    right, normal = right / np.linalg.norm(right), np.cross(down, right)
    slice_node.SetSliceToRASByNTP(*(normal / np.linalg.norm(normal)), *right, *middle, 0)
    height, width = np.asarray(camera.size) * camera.pixel_spacing_mm
    across, along = (max(n, 1) for n in slice_node.GetDimensions()[:2])
    per_pixel = max(width / across, height / along)
    slice_node.SetFieldOfView(per_pixel * across, per_pixel * along, slice_node.GetFieldOfView()[2])
    composite = composite_node(slice_node)
    if composite is not None:
        composite.SetBackgroundVolumeID(volume_node.GetID())


class ViewsOfRadiograph:
    """The views that show one radiograph, with what they showed before."""

    def __init__(self, volume_node: Any) -> None:
        self.volume_node = volume_node
        self.slices: dict[Any, SliceState] = {}
        self.cameras: dict[Any, tuple[CameraPose, float]] = {}

    def show_slice(self, node: Any, camera: XrayCamera, to_world: NDArray) -> None:
        self.slices.setdefault(node, SliceState.of(node))
        show_in_slice(node, self.volume_node, camera, to_world)

    def release_slice(self, node: Any) -> None:
        """As it was before; nothing for a view that does not show the image."""
        if node in self.slices:
            self.slices.pop(node).apply(node, self.volume_node)

    def aim(self, node: Any, camera: XrayCamera, to_world: NDArray, aspect: float) -> None:
        before = self.cameras[node][0] if node in self.cameras else CameraPose.of(node)
        self.cameras[node] = before, aspect
        pose_at_source(camera, to_world, aspect).apply(node)

    def release_camera(self, node: Any) -> None:
        """As it was before; nothing for a camera that is not in the source."""
        if node in self.cameras:
            self.cameras.pop(node)[0].apply(node)

    def refresh(self, camera: XrayCamera, to_world: NDArray) -> None:
        """All of them follow another geometry or transform."""
        for node in self.slices:
            show_in_slice(node, self.volume_node, camera, to_world)
        for node, (_, aspect) in self.cameras.items():
            pose_at_source(camera, to_world, aspect).apply(node)

    def forget(self, node: Any) -> None:
        """A view that leaves the scene."""
        self.slices.pop(node, None)
        self.cameras.pop(node, None)

    def clear(self) -> None:
        for node in list(self.slices):
            self.release_slice(node)
        for node in list(self.cameras):
            self.release_camera(node)


def composite_node(slice_node: Any) -> Any | None:
    """The node that says which volumes a slice view shows; None for a slice node without a view."""
    nodes = nodes_of(slice_node.GetScene(), "vtkMRMLSliceCompositeNode")
    return next((node for node in nodes if node.GetLayoutName() == slice_node.GetLayoutName()), None)


def world_from(node: Any) -> NDArray[np.float64] | None:
    """[4, 4] from a node's own frame to RAS through its parent transforms; None where they are not linear."""
    matrix = vtk.vtkMatrix4x4()
    linear = slicer.vtkMRMLTransformNode.GetMatrixTransformBetweenNodes(
        node.GetParentTransformNode(), None, matrix
    )
    return array_of(matrix) if linear else None


def _triple(values: NDArray) -> tuple[float, float, float]:
    x, y, z = (float(value) for value in values)
    return x, y, z

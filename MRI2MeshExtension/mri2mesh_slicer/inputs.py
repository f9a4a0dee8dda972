"""Input nodes to files that the worker reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk
import slicer
import vtk
from numpy.typing import NDArray
from vtk.util.numpy_support import vtk_to_numpy

from mri2mesh.atomic import whole_file
from mri2mesh.errors import InputError
from mri2mesh.geometry.volume import Volume
from mri2mesh.imaging.files import is_dicom
from mri2mesh.imaging.radiographs.dicom import MODALITIES
from mri2mesh_slicer.matrices import array_of

OPEN_MODALITIES = ("", "OT", "SC")
"""DICOM modalities that do not distinguish a projection from a volume."""
EMPTY = "holds no image: load it again, or choose another"


def is_radiograph(node: Any) -> bool:
    """Whether a volume node holds a projection: by its DICOM modality, else by being a single image."""
    modality = _modality(node)
    if modality not in OPEN_MODALITIES:
        return modality in MODALITIES
    image = node.GetImageData() if node.IsA("vtkMRMLScalarVolumeNode") else None
    return image is not None and image.GetDimensions()[2] == 1


def require_one_frame(nodes: Sequence[Any]) -> None:
    """Raises InputError where radiographs of one run are under different transforms: their geometries have no frame in
    common then."""
    if len({node.GetTransformNodeID() for node in nodes}) > 1:
        raise InputError(
            "the images are under different transforms: put them under the same one, or under none"
        )


def volume_of(node: Any) -> Volume:
    """The voxels of a volume node, by reference, in its own coordinates: parent transforms are left out, and `add_run`
    gives the results the same ones.

    Raises InputError for a node without image, in colour, a single slice or a sheared one.
    """
    array = _voxels(node)
    if array.shape[-1] != 1:
        raise InputError(f"{node.GetName()} is a colour image: choose a volume with one value per voxel")
    if min(array.shape[:3]) < 2:
        raise InputError(f"{node.GetName()} is a single image, not a volume: choose the whole series")
    modality = _modality(node)
    return Volume(array[..., 0], ijk_to_ras(node), metadata={"modality": modality} if modality else {})


@dataclass(frozen=True)
class TakenRadiograph:
    """A radiograph out of the scene. file: the DICOM file it is; otherwise pixels, [rows, columns, components]."""

    file: Path | None
    pixels: NDArray

    def write(self, folder: str | Path, name: str = "radiograph") -> Path:
        """The DICOM file, or the pixels as ``name``.tif in ``folder``; touches no MRML, so a thread may do it.
        Raises InputError for an unwritable folder."""
        if self.file is not None:
            return self.file
        pixels = self.pixels if self.pixels.dtype in (np.uint8, np.uint16) else self.pixels.astype(np.float32)
        image = sitk.GetImageFromArray(np.ascontiguousarray(pixels), isVector=pixels.shape[-1] > 1)
        if pixels.shape[-1] == 1:
            image = sitk.GetImageFromArray(np.ascontiguousarray(pixels[..., 0]))
        path = Path(folder) / f"{name}.tif"
        with whole_file(path) as temporary:
            try:
                sitk.WriteImage(image, str(temporary))
            except RuntimeError as error:
                raise InputError(
                    "the image cannot be written: check the folder and its free space"
                ) from error
        return path


def take_radiograph(node: Any, frame: int = 0) -> TakenRadiograph:
    """frame: of several images in one node. Raises InputError for a node without image, or without that frame."""
    array = _voxels(node)
    original = dicom_file(node)
    if original is None and not 0 <= frame < len(array):
        raise InputError(f"{node.GetName()} has {len(array)} images: choose one of them")
    return TakenRadiograph(original, array[min(frame, len(array) - 1)])


def dicom_file(node: Any) -> Path | None:
    """The one DICOM file that a node was loaded from, through Slicer's database or by itself, where it still is."""
    instances = (node.GetAttribute("DICOM.instanceUIDs") or "").split()
    database = getattr(slicer, "dicomDatabase", None)
    storage = node.GetStorageNode()
    file = storage.GetFileName() if storage is not None and storage.GetNumberOfFileNames() <= 1 else None
    if len(instances) == 1 and database is not None:
        file = database.fileForInstance(instances[0]) or file
    path = Path(file) if file else None
    return path if path is not None and path.is_file() and is_dicom(path) else None


def ijk_to_ras(node: Any) -> NDArray[np.float64]:
    """4x4 of a volume node: voxel centres to its own RAS millimetres, without parent transforms."""
    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    return array_of(matrix)


def _voxels(node: Any) -> NDArray:
    """[K, J, I, components] of a volume node."""
    if node is None or node.GetScene() is None:
        raise InputError("the input is no longer in the scene: load it again, or choose another")
    image: Any = node.GetImageData() if node.IsA("vtkMRMLVolumeNode") else None
    scalars = image.GetPointData().GetScalars() if image is not None else None
    if scalars is None or not scalars.GetNumberOfTuples():
        raise InputError(f"{node.GetName()} {EMPTY}")
    columns, rows, slices = image.GetDimensions()
    return vtk_to_numpy(scalars).reshape(slices, rows, columns, scalars.GetNumberOfComponents())


def _modality(node: Any) -> str:
    """The DICOM modality that Slicer recorded with the node, or nothing."""
    scene = node.GetScene()
    if scene is None:
        return ""
    hierarchy = scene.GetSubjectHierarchyNode()
    item = hierarchy.GetItemByDataNode(node)
    return str(hierarchy.GetItemAttribute(item, "DICOM.Modality") or "").upper() if item else ""

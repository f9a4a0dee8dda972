"""Input nodes to files that the worker reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk
import slicer
import vtk
from numpy.typing import NDArray
from vtk.util.numpy_support import vtk_to_numpy

from mri2mesh.errors import InputError
from mri2mesh.export.atomic import whole_file
from mri2mesh.imaging.radiograph_dicom import MODALITIES
from mri2mesh.imaging.volume import Volume
from mri2mesh.imaging.writing import write_volume

UNTOLD = ("", "OT", "SC")
"""DICOM modalities that do not tell a projection from a volume."""
EMPTY = "holds no image: load it again, or choose another"


def is_radiograph(node: Any) -> bool:
    """Whether a volume node holds a projection: by its DICOM modality, else by being a single image."""
    modality = _modality(node)
    if modality not in UNTOLD:
        return modality in MODALITIES
    image = node.GetImageData() if node.IsA("vtkMRMLScalarVolumeNode") else None
    return image is not None and image.GetDimensions()[2] == 1


def write_volume_node(node: Any, path: str | Path) -> Path:
    """The voxels of a volume node in its own coordinates: parent transforms are left out, and `add_run` gives the
    results the same ones. The format follows the ending of the name, `mri2mesh.imaging.writing.ENDINGS`.

    Raises InputError for a node without image, in colour, a single slice or a sheared one, or an unwritable folder.
    """
    array = _voxels(node)
    if array.shape[-1] != 1:
        raise InputError(f"{node.GetName()} is a colour image: choose a volume with one value per voxel")
    if min(array.shape[:3]) < 2:
        raise InputError(f"{node.GetName()} is a single image, not a volume: choose the whole series")
    return write_volume(Volume(array[..., 0], ijk_to_ras(node)), path)


def write_radiograph_node(node: Any, folder: str | Path, name: str = "radiograph", frame: int = 0) -> Path:
    """The file of a radiograph: the DICOM file it was loaded from, which tells its geometry, where Slicer's database
    has it; else its pixels as a TIFF, ``name``.tif in ``folder``. frame: of several images in one node.

    Raises InputError for a node without image, a frame that is not there, or an unwritable folder.
    """
    array = _voxels(node)
    original = dicom_file(node)
    if original is not None:
        return original
    if not 0 <= frame < len(array):
        raise InputError(f"{node.GetName()} has {len(array)} images: choose one of them")
    pixels = array[frame]
    if pixels.dtype not in (np.uint8, np.uint16):
        pixels = pixels.astype(np.float32)
    image = sitk.GetImageFromArray(np.ascontiguousarray(pixels), isVector=pixels.shape[-1] > 1)
    if pixels.shape[-1] == 1:
        image = sitk.GetImageFromArray(np.ascontiguousarray(pixels[..., 0]))
    path = Path(folder) / f"{name}.tif"
    with whole_file(path) as temporary:
        try:
            sitk.WriteImage(image, str(temporary))
        except RuntimeError as error:
            raise InputError("the image cannot be written: check the folder and its free space") from error
    return path


def dicom_file(node: Any) -> Path | None:
    """The one DICOM file that a node was loaded from, where Slicer's database still has it."""
    instances = (node.GetAttribute("DICOM.instanceUIDs") or "").split()
    database = getattr(slicer, "dicomDatabase", None)
    if len(instances) != 1 or database is None:
        return None
    file = database.fileForInstance(instances[0])
    return Path(file) if file and Path(file).is_file() else None


def ijk_to_ras(node: Any) -> NDArray[np.float64]:
    """4x4 of a volume node: voxel centres to its own RAS millimetres, without parent transforms."""
    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    return np.array([[matrix.GetElement(row, column) for column in range(4)] for row in range(4)])


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

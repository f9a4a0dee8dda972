"""Volumes to files, whole or not at all."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path

import SimpleITK as sitk

from mri2mesh.errors import InputError
from mri2mesh.geometry.volume import Volume
from mri2mesh.imaging.itk import image_from_volume, quiet

MODALITY = "[A-Z]{2,16}"
"""What a code string of DICOM's Modality (0008,0060) looks like: nothing else is taken for one."""
ENDINGS = (".nii.gz", ".nii", ".nrrd", ".mha")


def write_volume(volume: Volume, path: str | Path, *, compress: bool = True) -> Path:
    """Writes NIfTI, NRRD or MHA, by the ending of the name; ``.nii`` is never compressed. Returns the path.

    A temporary file in the same folder is renamed when complete, so that nothing half-written is ever seen
    under the name. Voxels and geometry are written, and of ``metadata`` the modality, which only NRRD has a place for;
    boolean becomes uint8.
    Raises InputError for another ending, sheared axes or a folder that cannot be written to.
    """
    path = Path(path)
    ending = next((ending for ending in ENDINGS if path.name.lower().endswith(ending)), None)
    if ending is None:
        raise InputError(f"a volume is written as one of {', '.join(ENDINGS)}: change the name")
    temporary = None
    try:
        image = image_from_volume(volume)
        if ending == ".nrrd" and re.fullmatch(MODALITY, modality := volume.metadata.get("modality", "")):
            image.SetMetaData("modality", modality)
        handle, temporary = tempfile.mkstemp(suffix=ending, prefix=".", dir=path.parent)
        os.close(handle)
        with quiet():
            sitk.WriteImage(image, temporary, useCompression=compress and ending != ".nii")
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
        temporary = None
    except ValueError as error:
        raise InputError(str(error)) from error
    except (OSError, RuntimeError) as error:
        raise InputError(
            "the image cannot be written: check the folder, its permissions and free space"
        ) from error
    finally:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
    return path


def _umask() -> int:
    """The permissions new files are not given; a temporary file has fewer than that."""
    mask = os.umask(0)
    os.umask(mask)
    return mask

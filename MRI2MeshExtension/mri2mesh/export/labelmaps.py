"""Label maps of a reconstruction on the grid of its input image."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np

from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.volume import Volume
from mri2mesh.geometry.voxelise import voxelise
from mri2mesh.imaging.volumes.writing import write_volume
from mri2mesh.reconstruction import ReconstructedStructure, Reconstruction


def label_map(labelled: Iterable[tuple[int, Mesh]], volume: Volume) -> Volume:
    """Voxels whose centre lies inside a surface get its value; 0 elsewhere. uint8, the volume's grid.

    Where two surfaces overlap, the first one named keeps the voxel.
    """
    labels = np.zeros(volume.array.shape, dtype=np.uint8)
    for value, mesh in labelled:
        labels[voxelise(mesh, volume) & (labels == 0)] = value
    return replace(volume, array=labels, metadata={})


def vertebrae_labels(reconstruction: Reconstruction, volume: Volume) -> Volume:
    """Whole vertebrae and the sacral body; values as in VerSe (20 = L1 ... 24 = L5)."""
    return label_map(
        ((s.structure.label, s.mesh) for s in reconstruction.structures if s.structure.kind != "disc"), volume
    )


def body_labels(reconstruction: Reconstruction, volume: Volume) -> Volume:
    """Vertebral bodies only, cut from the whole vertebrae by their regions; same values."""
    bodies = ((s.structure.label, _body(s)) for s in reconstruction.structures if s.structure.kind != "disc")
    return label_map(((value, mesh) for value, mesh in bodies if mesh is not None), volume)


def disc_labels(reconstruction: Reconstruction, volume: Volume) -> Volume:
    """Intervertebral discs; value 100 + the vertebra above (120 = the disc below L1)."""
    return label_map(
        ((s.structure.label, s.mesh) for s in reconstruction.structures if s.structure.kind == "disc"), volume
    )


LABEL_MAPS = {
    "vertebrae.nii.gz": vertebrae_labels,
    "vertebral_bodies.nii.gz": body_labels,
    "discs.nii.gz": disc_labels,
}
"""File name -> function of (reconstruction, volume)."""


def write_labelmaps(
    reconstruction: Reconstruction, volume: Volume, folder: Path | str, ending: str = ".nii.gz"
) -> list[Path]:
    """Write the three label maps (`LABEL_MAPS`) into a folder; returns their paths.

    ending: of `mri2mesh.imaging.volumes.writing.ENDINGS`, in place of ``.nii.gz``.
    """
    return [
        write_volume(labels(reconstruction, volume), Path(folder) / f"{name.removesuffix('.nii.gz')}{ending}")
        for name, labels in LABEL_MAPS.items()
    ]


def _body(structure: ReconstructedStructure) -> Mesh | None:
    """The closed vertebral body; the sacrum's surface is a body already; None where no region says so."""
    if structure.structure.kind == "sacrum":
        return structure.mesh
    if structure.mesh.regions is None:
        return None
    from mri2mesh.anatomy.regions import body_of

    return body_of(structure.mesh)

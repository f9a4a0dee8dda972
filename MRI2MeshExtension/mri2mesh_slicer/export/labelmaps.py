"""The structures of a run as label maps on its volume's grid, as the command line's ``--labelmaps`` writes them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from mri2mesh.anatomy.structures import STRUCTURES
from mri2mesh.errors import InputError
from mri2mesh.export.labelmaps import write_labelmaps
from mri2mesh.geometry.volume import Volume
from mri2mesh.reconstruction import ReconstructedStructure, Reconstruction
from mri2mesh_slicer.export.surfaces import mesh_of, write_into
from mri2mesh_slicer.inputs import is_radiograph, volume_of
from mri2mesh_slicer.labels.segments import is_segmentation
from mri2mesh_slicer.labels.taking import reference_node_of
from mri2mesh_slicer.runs.runs import RunNodes, structure_name

VALUES = "On the voxels of {image}. Values as in VerSe: 20 = L1 to 24 = L5, 19 = T12; 120 = the disc below L1"
"""Sentence of the panel about label maps."""


@dataclass(frozen=True)
class TakenLabelMaps:
    """Surfaces and a grid out of the scene, in one frame."""

    reconstruction: Reconstruction
    grid: Volume

    def write(self, folder: str | Path, ending: str) -> list[Path]:
        """Whole vertebrae, vertebral bodies and discs, all of them or none; returns the paths. Touches no MRML, so a
        thread may do it. ending: of `mri2mesh.imaging.volumes.writing.ENDINGS`. Raises InputError for an unwritable
        folder."""
        return write_into(folder, lambda made: write_labelmaps(self.reconstruction, self.grid, made, ending))


def grid_of(run: RunNodes) -> Any:
    """The volume node on whose voxels label maps can be made, of a segmentation the one that it was drawn on; None for
    radiographs, or where it was deleted."""
    node = next(iter(run.inputs), None)
    if is_segmentation(node):
        return reference_node_of(node)
    return None if node is None or is_radiograph(node) else node


def take_labelmaps(run: RunNodes) -> TakenLabelMaps:
    """The surfaces where they stand to the volume now, named as they are now.

    The grid is in the volume's own coordinates, as in its file: parent transforms that both share are left out.
    Raises InputError where the volume has gone, or no model is left.
    """
    node = grid_of(run)
    if node is None:
        raise InputError("label maps need the volume of this run, which is no longer in the scene")
    if not run.models:
        raise InputError("this run has no models to export")
    volume = volume_of(node)
    grid = replace(volume, array=np.broadcast_to(np.uint8(0), volume.array.shape))
    structures = []
    for model in run.models:
        mesh = mesh_of(model, frame=node)
        nothing = np.zeros(len(mesh.vertices), np.float32)
        structures.append(ReconstructedStructure(STRUCTURES[structure_name(model)], mesh, nothing, nothing))
    return TakenLabelMaps(Reconstruction(run.engine, structures), grid)

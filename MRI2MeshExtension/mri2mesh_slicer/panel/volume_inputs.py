"""The image of a method that takes one volume."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mri2mesh.imaging.volumes.writing import write_volume
from mri2mesh_slicer.inputs import volume_of
from mri2mesh_slicer.panel.method_inputs import MethodInputs, WriteImages


class VolumeInputs(MethodInputs):
    def take_images(self) -> WriteImages:
        volume = volume_of(self.parameters().image)

        def write(folder: Path) -> tuple[list[Path], dict[str, Any]]:
            # NRRD keeps the modality
            return [write_volume(volume, folder / "image.nrrd", compress=False)], {}

        return write

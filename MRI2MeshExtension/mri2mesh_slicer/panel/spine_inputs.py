"""The inputs of the spine engine besides the image: a correction of the levels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import qt
from slicer.i18n import tr as _

from mri2mesh.imaging.volumes.writing import write_volume
from mri2mesh_slicer.inputs import volume_of
from mri2mesh_slicer.jobs.running import Prepare
from mri2mesh_slicer.panel.method_inputs import MethodInputs


class SpineInputs(MethodInputs):
    def build(self) -> None:
        layout = qt.QFormLayout(self.widget)
        layout.setContentsMargins(0, 0, 0, 0)
        self.shift = qt.QSpinBox()
        self.shift.setRange(-3, 3)
        self.shift.setToolTip(
            _("Levels are counted up from the sacrum. 1 calls what was found as L4 L3, -1 calls it L5.")
        )
        self.shift.valueChanged.connect(self._set)
        layout.addRow(_("Shift the levels by:"), self.shift)

    def refresh(self) -> None:
        self.shift.blockSignals(True)
        self.shift.value = self.parameters().level_shift
        self.shift.blockSignals(False)

    def prepare(self) -> Prepare:
        volume = volume_of(self.parameters().image)
        options = {"level_shift": self.parameters().level_shift}

        def write(folder: Path) -> dict[str, Any]:
            path = write_volume(volume, folder / "image.nii")
            return {"inputs": [str(path)], "options": options}

        return write

    def _set(self, *_value: Any) -> None:
        self.parameters().level_shift = int(self.shift.value)
        self.changed()

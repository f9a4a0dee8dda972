"""The inputs of the spine engine besides the image: a vertebra that is known in it, and a correction of the levels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import qt
from slicer.i18n import tr as _

from mri2mesh.imaging.volumes.writing import write_volume
from mri2mesh_slicer.inputs import volume_of
from mri2mesh_slicer.jobs.running import Prepare
from mri2mesh_slicer.panel.method_inputs import MethodInputs
from mri2mesh_slicer.runs.level_naming import IMAGE_LEVEL


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
        self.known, self.forget = qt.QLabel(), qt.QPushButton(_("Forget"))
        self.known.setToolTip(
            _("You named this vertebra in a result of this image: runs of it count from there.")
        )
        self.forget.clicked.connect(self._forget)
        self.known_row = qt.QWidget()
        row = qt.QHBoxLayout(self.known_row)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.known, 1)
        row.addWidget(self.forget)
        layout.addRow(self.known_row)
        layout.addRow(_("Shift the levels by:"), self.shift)

    def refresh(self) -> None:
        self.shift.blockSignals(True)
        self.shift.value = self.parameters().level_shift
        self.shift.blockSignals(False)
        level = self._level()
        self.known_row.setVisible(bool(level))
        self.shift.setEnabled(not level)
        if level:
            name, _at, point = level.partition("@")
            text = _("Counted from {level} at {point}")
            self.known.text = text.format(level=name, point=point.replace(",", ", "))

    def prepare(self) -> Prepare:
        volume, level = volume_of(self.parameters().image), self._level()
        options = {"level": level} if level else {"level_shift": self.parameters().level_shift}

        def write(folder: Path) -> dict[str, Any]:
            path = write_volume(volume, folder / "image.nrrd", compress=False)  # which keeps the modality
            return {"inputs": [str(path)], "options": options}

        return write

    def _level(self) -> str:
        """The level that is known in the image, as the command line's ``--level``, or nothing."""
        image = self.parameters().image
        return "" if image is None else str(image.GetAttribute(IMAGE_LEVEL) or "")

    def _forget(self, *_checked: Any) -> None:
        self.parameters().image.SetAttribute(IMAGE_LEVEL, None)
        self.refresh()

    def _set(self, *_value: Any) -> None:
        self.parameters().level_shift = int(self.shift.value)
        self.changed()

"""The vertebra that the user named in a result of the image: runs of it count from there."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import qt
from slicer.i18n import tr as _

from mri2mesh_slicer.panel.options.section import OptionSection, Write
from mri2mesh_slicer.runs.level_naming import IMAGE_LEVEL


class LevelSection(OptionSection):
    """Hidden where no vertebra of the image was named. The level is kept with the image's node."""

    def build(self) -> None:
        self.known, self.forget = qt.QLabel(), qt.QPushButton(_("Forget"))
        self.known.setToolTip(
            _("You named this vertebra in a result of this image: runs of it count from there.")
        )
        self.forget.clicked.connect(self._forget)
        self.widget = qt.QWidget()
        row = qt.QHBoxLayout(self.widget)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.known, 1)
        row.addWidget(self.forget)

    @property
    def value(self) -> str | None:
        """As the command line's ``--level``."""
        image = self.around.parameters().image
        return None if image is None else image.GetAttribute(IMAGE_LEVEL) or None

    def refresh(self) -> None:
        level = self.value
        self.widget.setVisible(level is not None)
        if level is not None:
            name, _at, point = level.partition("@")
            text = _("Counted from {level} at {point}")
            self.known.text = text.format(level=name, point=point.replace(",", ", "))

    def take(self) -> Write:
        level = self.value

        def write(folder: Path, images: Sequence[Path]) -> Any:
            return level

        return write

    def _forget(self, *_checked: Any) -> None:
        self.around.parameters().image.SetAttribute(IMAGE_LEVEL, None)
        self.around.changed()

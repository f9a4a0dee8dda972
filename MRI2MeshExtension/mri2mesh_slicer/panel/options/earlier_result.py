"""Where a fit begins: an earlier run in the scene, as an option of an engine."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mri2mesh.engines.options import EarlierResult
from mri2mesh_slicer.panel.options.section import OptionSection, Write
from mri2mesh_slicer.panel.start_box import StartBox
from mri2mesh_slicer.radiographs.earlier_fits import write_earlier_fit


class EarlierResultSection(OptionSection):
    """Runs of the same images, and of the same values of the options that must be the same."""

    def build(self) -> None:
        self.box = StartBox(self.around.engine.name)
        self.widget = self.box.widget

    def refresh(self) -> None:
        assert isinstance(self.option, EarlierResult)
        values = self.around.values()
        self.box.show(self.around.nodes(), {name: values[name] for name in self.option.same})

    def take(self) -> Write:
        report = self.box.chosen.report.text if self.box.chosen is not None else None

        def write(folder: Path, images: Sequence[Path]) -> Any:
            return None if report is None else str(write_earlier_fit(report, folder / "earlier"))

        return write

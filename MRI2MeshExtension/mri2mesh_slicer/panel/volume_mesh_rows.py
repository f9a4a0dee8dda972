"""The rows of the export section that belong to finite elements: what elements, of which structures, joined or not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import qt
from slicer.i18n import tr as _

from mri2mesh_slicer.panel.messages import words
from mri2mesh_slicer.parameters import Parameters
from mri2mesh_slicer.runs.runs import RunNodes

WITH_A_SOLVER = ("inp", "feb")
"""Formats that hold materials."""
WITH_A_CORTEX = ("inp", "feb", "msh")
"""Formats that hold shells beside the tetrahedra."""


class VolumeMeshRows:
    """Shown while a format of tetrahedra is chosen. What is chosen stays in the parameters; structures, which are
    another run's next time, are all ticked at first."""

    def __init__(self, ui: Any, parameters: Callable[[], Parameters]) -> None:
        self._ui, self._parameters = ui, parameters
        self._names: list[str] = []
        ui.elementOrderSelector.addItem(_("linear, 4 nodes"), False)
        ui.elementOrderSelector.addItem(_("quadratic, 10 nodes"), True)
        ui.edgeLengthBox.valueChanged.connect(self._keep)
        ui.cortexBox.valueChanged.connect(self._keep)
        ui.elementOrderSelector.activated.connect(self._keep)
        ui.joinCheck.clicked.connect(self._keep)
        ui.regionMaterialsCheck.clicked.connect(self._keep)

    @property
    def chosen(self) -> list[str]:
        """The structures that are ticked, by their names in the run."""
        items = [self._ui.exportStructures.item(row) for row in range(len(self._names))]
        return [
            name for name, item in zip(self._names, items, strict=True) if item.checkState() == qt.Qt.Checked
        ]

    def options(self, ending: str) -> dict[str, Any]:
        """For the worker, as `mri2mesh.worker.export_requests` takes them."""
        kept = self._parameters()
        return {
            "formats": [ending],
            "edge_length_mm": kept.export_edge_mm,
            "quadratic": kept.export_quadratic,
            "join": kept.export_joined,
            "region_materials": kept.export_region_materials and ending in WITH_A_SOLVER,
            "cortex_mm": kept.export_cortex_mm if ending in WITH_A_CORTEX else 0.0,
        }

    def refresh(self, run: RunNodes, ending: str, is_shown: bool) -> None:
        ui, kept = self._ui, self._parameters()
        ui.volumeMeshRows.setVisible(is_shown)
        for box, value in ((ui.edgeLengthBox, kept.export_edge_mm), (ui.cortexBox, kept.export_cortex_mm)):
            box.blockSignals(True)
            box.value = value
            box.blockSignals(False)
        ui.elementOrderSelector.setCurrentIndex(int(kept.export_quadratic))
        ui.joinCheck.setChecked(kept.export_joined)
        ui.regionMaterialsCheck.setChecked(kept.export_region_materials)
        ui.regionMaterialsCheck.setVisible(ending in WITH_A_SOLVER)
        for widget in (ui.cortexLabel, ui.cortexBox):
            widget.setVisible(ending in WITH_A_CORTEX)
        self._list([(row.name, row.shown) for row in run.rows()])

    def _list(self, structures: list[tuple[str, str]]) -> None:
        names = [name for name, _shown in structures]
        if names == self._names:
            return
        unticked = set(self._names) - set(self.chosen)
        self._names = names
        self._ui.exportStructures.clear()
        for name, shown in structures:
            item = qt.QListWidgetItem(words(shown))
            item.setFlags(qt.Qt.ItemIsUserCheckable | qt.Qt.ItemIsEnabled)
            item.setCheckState(qt.Qt.Unchecked if name in unticked else qt.Qt.Checked)
            self._ui.exportStructures.addItem(item)

    def _keep(self, *_what: Any) -> None:
        ui, kept = self._ui, self._parameters()
        kept.export_edge_mm = float(ui.edgeLengthBox.value)
        kept.export_cortex_mm = float(ui.cortexBox.value)
        kept.export_quadratic = bool(ui.elementOrderSelector.currentData)
        kept.export_joined = bool(ui.joinCheck.checked)
        kept.export_region_materials = bool(ui.regionMaterialsCheck.checked)

"""Where a fit begins: from the images alone, or where an earlier fit of the same views ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import qt
import slicer
from slicer.i18n import tr as _

from mri2mesh_slicer.panel.choices import narrow_list
from mri2mesh_slicer.radiographs.earlier_fits import earlier_fits
from mri2mesh_slicer.runs.runs import RunNodes


class StartBox:
    """``widget`` is hidden where there is no earlier fit. ``chosen``: the run to go on from, or None."""

    def __init__(self, engine: str) -> None:
        self._engine = engine
        self._fits: list[RunNodes] = []
        self.chosen: RunNodes | None = None
        self.widget = qt.QWidget()
        row = qt.QHBoxLayout(self.widget)
        row.setContentsMargins(0, 0, 0, 0)
        self.selector = narrow_list()
        self.selector.setToolTip(
            _("An earlier fit of these views can be continued: with more landmarks, or a corrected geometry.")
        )
        self.selector.activated.connect(self._choose)
        row.addWidget(qt.QLabel(_("Start from:")))
        row.addWidget(self.selector, 1)

    def show(self, nodes: Sequence[Any], settings: Mapping[str, Any]) -> None:
        """For these radiographs, and for these settings of the engine; what was chosen stays while it is there."""
        self._fits = earlier_fits(slicer.mrmlScene, self._engine, nodes, settings)
        if self.chosen not in self._fits:
            self.chosen = None
        self.selector.clear()
        self.selector.addItem(_("images and landmarks only"))
        for run in self._fits:
            self.selector.addItem(_("earlier result: {run}").format(run=run.name))
        self.selector.setCurrentIndex(self._fits.index(self.chosen) + 1 if self.chosen else 0)
        self.widget.setVisible(bool(self._fits))

    def _choose(self, *_index: Any) -> None:
        chosen = self.selector.currentIndex
        self.chosen = self._fits[chosen - 1] if chosen > 0 else None

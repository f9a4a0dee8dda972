"""The input of a method that takes labels: the segments, and which bone each is taken for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import qt
from slicer.i18n import tr as _

from mri2mesh.engines.segmentation.numbering.presets import NOTHING
from mri2mesh.errors import InputError
from mri2mesh.imaging.volumes.writing import write_volume
from mri2mesh_slicer.inputs import volume_of
from mri2mesh_slicer.labels.segments import CHOICES, SegmentRow, choose, segments_of
from mri2mesh_slicer.labels.taking import label_volume_of, reference_image_of
from mri2mesh_slicer.panel.choices import narrow_list
from mri2mesh_slicer.panel.method_inputs import MethodInputs, WriteImages

SEGMENTS = "segments"
"""Name of the option that says what each label is."""


class LabelInputs(MethodInputs):
    """``table``: a row for each segment, its name and what it is taken for."""

    def build(self, layout: Any) -> None:
        self.table = qt.QTableWidget(0, 2)
        self.table.setHorizontalHeaderLabels([_("Segment"), _("Taken for")])
        self.table.horizontalHeader().setStretchLastSection(True)
        self.table.verticalHeader().hide()
        self.table.setToolTip(
            _(
                "What each segment is, by its name, its terminology or its number. Choose what is taken wrongly."
            )
        )
        layout.addWidget(self.table)
        self._shown: tuple[str, list[SegmentRow]] | None = None
        self._problem = ""
        super().build(layout)

    def refresh(self) -> None:
        node = self.parameters().image
        try:
            rows, self._problem = segments_of(node), ""
        except InputError as error:
            rows, self._problem = [], str(error)
        now = (node.GetID(), rows)
        if now != self._shown:
            self._show(node, rows)
            self._shown = now
        self.refresh_sections()

    def problem(self) -> str:
        if self._problem:
            return self._problem
        if self._shown is None or all(row.taken_for == NOTHING for row in self._shown[1]):
            return _("Say in the table what at least one segment is.")
        return super().problem()

    def take_images(self) -> WriteImages:
        node = self.parameters().image
        labels, rows = label_volume_of(node), segments_of(node)
        reference = reference_image_of(node, labels)
        image = None if reference is None else volume_of(reference)
        there = {int(value) for value in np.unique(labels.array)}
        segments = [f"{row.label}={row.taken_for}" for row in rows if row.label in there]

        def write(folder: Path) -> tuple[list[Path], dict[str, Any]]:
            options: dict[str, Any] = {SEGMENTS: segments}
            if image is not None:
                options["scan"] = str(write_volume(image, folder / "image.nrrd", compress=False))
            return [write_volume(labels, folder / "labels.nrrd", compress=False)], options

        return write

    def _show(self, node: Any, rows: list[SegmentRow]) -> None:
        self.table.setRowCount(len(rows))
        for number, row in enumerate(rows):
            name = qt.QTableWidgetItem(row.name)
            name.setFlags(qt.Qt.ItemIsEnabled)
            self.table.setItem(number, 0, name)
            bones = narrow_list()
            for choice in CHOICES:
                bones.addItem(_("nothing") if choice == NOTHING else choice, choice)
            bones.setCurrentIndex(bones.findData(row.taken_for))
            bones.activated.connect(lambda *_index, of=row, box=bones: self._choose(node, of, box))
            self.table.setCellWidget(number, 1, bones)

    def _choose(self, node: Any, row: SegmentRow, box: Any) -> None:
        if node.GetScene() is not None:
            choose(node, row.identity, str(box.currentData))
        self.changed()

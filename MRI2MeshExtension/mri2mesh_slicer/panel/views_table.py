"""The radiographs of one fit: which, what is known of each, and the landmarks picked in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import qt
import slicer
from slicer.i18n import tr as _

from mri2mesh.imaging.radiographs.recognise import view
from mri2mesh_slicer.jobs.leaving import Leaving
from mri2mesh_slicer.panel.messages import DOUBTFUL, GOOD
from mri2mesh_slicer.radiographs.geometry_of_nodes import LANDMARKS, geometry_of

NAME, KNOWN, PICKED = range(3)


class ViewsTable:
    """selected: called when the user chose a row. add, remove: called with a node. shows_landmarks: the method has a
    use for them. several: it takes more than one view."""

    def __init__(
        self,
        selected: Callable[[], None],
        add: Callable[[Any], None],
        remove: Callable[[Any], None],
        *,
        shows_landmarks: bool = True,
        several: bool = True,
    ) -> None:
        self._selected, self._add, self._remove = selected, add, remove
        self._nodes: list[Any] = []
        self._pickers: list[Any] = []
        self._is_leaving = Leaving()
        self.widget = qt.QWidget()
        layout = qt.QVBoxLayout(self.widget)
        layout.setContentsMargins(0, 0, 0, 0)
        self.table = qt.QTableWidget(0, 3)
        self.table.setHorizontalHeaderLabels([_("View"), _("Geometry"), _("Landmarks")])
        self.table.setSelectionBehavior(qt.QAbstractItemView.SelectRows)
        self.table.setSelectionMode(qt.QAbstractItemView.SingleSelection)
        self.table.setEditTriggers(qt.QAbstractItemView.NoEditTriggers)
        self.table.verticalHeader().setVisible(False)
        header = self.table.horizontalHeader()
        header.setSectionResizeMode(NAME, qt.QHeaderView.Stretch)
        header.setSectionResizeMode(KNOWN, qt.QHeaderView.ResizeToContents)
        header.setSectionResizeMode(PICKED, qt.QHeaderView.Stretch)
        self.table.setColumnHidden(PICKED, not shows_landmarks)
        self.table.itemSelectionChanged.connect(lambda: self._selected())
        layout.addWidget(self.table)
        row = qt.QHBoxLayout()
        self.further = slicer.qMRMLNodeComboBox()
        self.further.nodeTypes = ["vtkMRMLScalarVolumeNode"]
        self.further.noneEnabled = True
        self.further.noneDisplay = _("Another radiograph")
        self.further.addEnabled = False
        self.further.setMRMLScene(slicer.mrmlScene)
        self.add_button, self.remove_button = qt.QPushButton(_("Add view")), qt.QPushButton(_("Remove view"))
        self.add_button.setToolTip(_("Choose another radiograph of the same patient beside it first."))
        self.further.currentNodeIDChanged.connect(lambda *_identity: self._can_add())
        self.add_button.clicked.connect(lambda *_checked: self._add(self.further.currentNode()))
        self.remove_button.clicked.connect(lambda *_checked: self._remove(self.selected_node()))
        for widget in (self.further, self.add_button, self.remove_button):
            row.addWidget(widget)
            widget.setVisible(several)
        layout.addLayout(row)

    def selected_node(self) -> Any:
        """The first where none is chosen."""
        row = self.table.currentRow()
        return self._nodes[row] if 0 <= row < len(self._nodes) else next(iter(self._nodes), None)

    def show(self, nodes: Sequence[Any]) -> None:
        same = len(nodes) == len(self._nodes) and all(a is b for a, b in zip(nodes, self._nodes, strict=True))
        self._nodes = list(nodes)
        if not same:
            self._rebuild()
        for row, node in enumerate(self._nodes):
            text, colour = known_in_short(node)
            item = qt.QTableWidgetItem(text)
            item.setForeground(qt.QBrush(qt.QColor(colour)))
            self.table.setItem(row, KNOWN, item)
            self.table.item(row, NAME).setText(node.GetName())
            picker, picked = self._pickers[row], self.landmarks_of(node)
            if picker.currentNode() is not picked:
                picker.blockSignals(True)
                picker.setCurrentNode(picked)
                picker.blockSignals(False)
        self.remove_button.setEnabled(len(self._nodes) > 1)
        self._can_add()

    def landmarks_of(self, node: Any) -> Any:
        """The markups node chosen for a radiograph, or None."""
        return node.GetNodeReference(LANDMARKS)

    def choose_landmarks(self, node: Any, markups: Any) -> None:
        """The markups node for a radiograph of this table, as if chosen in its row."""
        self._pickers[next(row for row, one in enumerate(self._nodes) if one is node)].setCurrentNode(markups)

    def _can_add(self) -> None:
        chosen = self.further.currentNode()
        self.add_button.setEnabled(chosen is not None and all(chosen is not one for one in self._nodes))

    def _pick(self, node: Any, identity: str) -> None:
        gone = self._is_leaving(self.landmarks_of(node))
        node.SetNodeReferenceID(LANDMARKS, None if gone else identity or None)
        self._selected()

    def _rebuild(self) -> None:
        self.table.blockSignals(True)
        self.table.setRowCount(0)
        self.table.setRowCount(len(self._nodes))
        self._pickers = []
        for row, node in enumerate(self._nodes):
            item = qt.QTableWidgetItem(node.GetName())
            item.setToolTip(node.GetName())
            self.table.setItem(row, NAME, item)
            picker = slicer.qMRMLNodeComboBox()
            picker.nodeTypes = ["vtkMRMLMarkupsFiducialNode"]
            picker.noneEnabled = True
            picker.noneDisplay = _("None")
            picker.addEnabled = True
            picker.setMRMLScene(slicer.mrmlScene)
            picker.setCurrentNode(self.landmarks_of(node))
            picker.currentNodeIDChanged.connect(lambda identity, node=node: self._pick(node, identity))
            self.table.setCellWidget(row, PICKED, picker)
            self._pickers.append(picker)
        rows = sum(self.table.rowHeight(row) for row in range(len(self._nodes)))
        self.table.setFixedHeight(self.table.horizontalHeader().height + rows + 4)
        self.table.blockSignals(False)


def known_in_short(node: Any) -> tuple[str, str]:
    """As ``"AP, scale known"``, and its colour."""
    geometry = geometry_of(node)
    angles = geometry.primary_angle_deg.origin != "default"
    seen = _(view(geometry)) if angles else _("{view} assumed").format(view=view(geometry))
    scale = _("scale known") if geometry.scale_known else _("scale unknown")
    return f"{seen}, {scale}", GOOD if angles and geometry.scale_known else DOUBTFUL

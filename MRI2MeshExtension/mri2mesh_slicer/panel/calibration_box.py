"""The scale of a radiograph from something of known size in it, marked by a line in the slice view."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import qt
import slicer
import vtk
from slicer.i18n import tr as _

from mri2mesh.errors import InputError
from mri2mesh_slicer.panel.choices import narrow_list
from mri2mesh_slicer.panel.messages import BAD, say


def kinds() -> tuple[tuple[str, str, float], ...]:
    """Name of the marker, words, and a usual size in mm to begin with."""
    return (
        ("sphere", _("Ball: draw a line across it; its diameter is"), 25.0),
        ("wire", _("Wire or pin: draw a line along it; its diameter is"), 2.5),
        ("length", _("Known length: draw a line along it; it is"), 100.0),
        ("intensifier", _("Round field of the intensifier; its diameter is"), 229.0),
    )


class CalibrationBox:
    """ask: called with the marker, as the worker's command ``calibrate`` takes it, when the button is pressed."""

    def __init__(self, ask: Callable[[dict[str, Any]], None]) -> None:
        self._ask = ask
        self._node: Any = None
        self.widget = qt.QGroupBox(_("Scale by a marker (optional)"))
        grid = qt.QGridLayout(self.widget)
        self.kind, self.size, self.line = narrow_list(), qt.QDoubleSpinBox(), slicer.qMRMLNodeComboBox()
        for name, words, _size in kinds():
            self.kind.addItem(words, name)
        self.kind.activated.connect(self._choose_kind)
        self.size.setRange(0.1, 1000.0)
        self.size.setSuffix(" mm")
        self.line.nodeTypes = ["vtkMRMLMarkupsLineNode"]
        self.line.noneEnabled = True
        self.line.noneDisplay = _("Choose the line, or make one")
        self.line.addEnabled = True
        self.line.setMRMLScene(slicer.mrmlScene)
        self.button = qt.QPushButton(_("Calibrate"))
        self.button.clicked.connect(self._press)
        self.message = qt.QLabel()
        self.message.setWordWrap(True)
        self.message.setVisible(False)
        grid.addWidget(self.kind, 0, 0, 1, 2)
        grid.addWidget(self.size, 1, 0)
        grid.addWidget(self.line, 1, 1)
        grid.addWidget(self.button, 2, 0, 1, 2)
        grid.addWidget(self.message, 3, 0, 1, 2)
        self._choose_kind()

    def show(self, node: Any) -> None:
        if node is not self._node:
            say(self.message, "")  # it was about another radiograph
        self._node = node
        self.widget.setVisible(node is not None)

    def marker(self) -> dict[str, Any]:
        """What was marked, in pixels of the image. Raises InputError where the line is missing or elsewhere."""
        kind, size = str(self.kind.currentData), float(self.size.value)
        if kind == "intensifier":
            return {"kind": kind, "size_mm": size}
        line = self.line.currentNode()
        if line is None or line.GetNumberOfDefinedControlPoints() < 2:
            raise InputError(_("Draw a line over the marker in the slice view, and choose it here."))
        start, end = (_pixel(line, number, self._node) for number in range(2))
        if kind == "sphere":
            centre = [(a + b) / 2 for a, b in zip(start, end, strict=True)]
            return {
                "kind": kind,
                "size_mm": size,
                "points_px": [centre],
                "radius_px": np.hypot(*np.subtract(end, start)) / 2,
            }
        return {"kind": kind, "size_mm": size, "points_px": [start, end]}

    def _press(self, *_checked: Any) -> None:
        try:
            self._ask(self.marker())
        except InputError as error:
            say(self.message, str(error), BAD)

    def _choose_kind(self, *_index: Any) -> None:
        """A usual size, and the line where this kind needs one."""
        kind = str(self.kind.currentData)
        self.size.value = next(size for name, _words, size in kinds() if name == kind)
        self.line.setEnabled(kind != "intensifier")
        say(self.message, "")


def _pixel(line: Any, number: int, image: Any) -> list[float]:
    """(column, row) of a control point in the plane of an image. Raises InputError where it lies outside."""
    position = [0.0, 0.0, 0.0]
    line.GetNthControlPointPositionWorld(number, position)
    from_world, matrix = vtk.vtkGeneralTransform(), vtk.vtkMatrix4x4()
    slicer.vtkMRMLTransformNode.GetTransformBetweenNodes(None, image.GetParentTransformNode(), from_world)
    image.GetRASToIJKMatrix(matrix)
    column, row, _depth, _one = matrix.MultiplyPoint([*from_world.TransformPoint(*position), 1.0])
    columns, rows, _frames = image.GetImageData().GetDimensions()
    if not (-0.5 <= column <= columns - 0.5 and -0.5 <= row <= rows - 0.5):
        raise InputError(_("The line does not lie on this radiograph: draw it there."))
    return [column, row]

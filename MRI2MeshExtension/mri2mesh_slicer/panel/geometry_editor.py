"""The geometry of one radiograph: every value, where it came from, and a way to correct it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import qt
from slicer.i18n import tr as _

from mri2mesh.errors import InputError
from mri2mesh.imaging.radiographs.camera_file import read_camera
from mri2mesh.imaging.radiographs.xray_geometry import Known, XrayGeometry, with_distances
from mri2mesh_slicer.panel.messages import BAD, DOUBTFUL, GOOD, say, sentences
from mri2mesh_slicer.radiographs.geometry_of_nodes import geometry_of, image_size, keep_geometry

ORIGINS = {"tag": "from tags", "user": "given", "calibrated": "calibrated", "default": "assumed"}
COLOURS = {"tag": GOOD, "user": GOOD, "calibrated": GOOD, "default": DOUBTFUL}


def rows() -> tuple[tuple[str, str, float, float, int], ...]:
    """Name of the value, words, least, most, decimals."""
    return (
        ("primary_angle_deg", _("Primary angle, ° (+ LAO)"), -180.0, 180.0, 1),
        ("secondary_angle_deg", _("Secondary angle, ° (+ cranial)"), -90.0, 90.0, 1),
        ("source_to_detector_mm", _("Source to detector, mm"), 1.0, 5000.0, 1),
        ("source_to_isocentre_mm", _("Source to isocentre, mm"), 1.0, 5000.0, 1),
        ("pixel_spacing_mm", _("Pixel spacing at the detector, mm"), 0.001, 10.0, 4),
    )


class GeometryEditor:
    """``widget`` shows the node given to `show`. changed: called after a value was given."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._node: Any = None
        self.widget = qt.QGroupBox()
        grid = qt.QGridLayout(self.widget)
        self.fields: dict[str, Any] = {}
        self._origins: dict[str, Any] = {}
        for number, (name, words, least, most, decimals) in enumerate(rows()):
            field, origin = qt.QDoubleSpinBox(), qt.QLabel()
            field.setDecimals(decimals)
            field.setRange(least, most)
            field.setKeyboardTracking(False)
            field.valueChanged.connect(lambda *_value, name=name: self._give(name))
            self.fields[name], self._origins[name] = field, origin
            grid.addWidget(qt.QLabel(words), number, 0)
            grid.addWidget(field, number, 1)
            grid.addWidget(origin, number, 2)
        self.file_button = qt.QPushButton(_("Read camera.json…"))
        self.file_button.clicked.connect(self._choose_file)
        self._message = qt.QLabel()
        self._message.setWordWrap(True)
        grid.addWidget(self.file_button, len(rows()), 0, 1, 3)
        grid.addWidget(self._message, len(rows()) + 1, 0, 1, 3)
        say(self._message, "")

    def show(self, node: Any) -> None:
        """node: a radiograph, or None to show nothing."""
        self._node = node
        self.widget.setVisible(node is not None)
        if node is None:
            return
        self.widget.setTitle(_("Geometry of {name}").format(name=node.GetName()))
        geometry = geometry_of(node)
        for name, field in self.fields.items():
            known = getattr(geometry, name)
            value = known.value[0] if isinstance(known.value, tuple) else known.value
            field.blockSignals(True)
            field.setValue(value)
            field.blockSignals(False)
            say(self._origins[name], _(ORIGINS[known.origin]), COLOURS[known.origin])
        say(self._message, "")

    def read_file(self, path: str) -> None:
        """camera.json for the shown radiograph; what is wrong with it is said on the panel."""
        try:
            geometry = read_camera(path, image_size(self._node))
        except InputError as error:
            say(self._message, sentences(str(error)), BAD)
            return
        self._keep(geometry)

    def _choose_file(self, *_checked: Any) -> None:
        path = qt.QFileDialog.getOpenFileName(
            self.widget, _("Geometry of the radiograph"), "", "camera.json (*.json)"
        )
        path = path[0] if isinstance(path, tuple) else path
        if path:
            self.read_file(path)

    def _give(self, name: str) -> None:
        value = float(self.fields[name].value)
        try:
            self._keep(with_value(geometry_of(self._node), name, value))
        except InputError as error:
            say(self._message, sentences(str(error)), BAD)

    def _keep(self, geometry: XrayGeometry) -> None:
        keep_geometry(self._node, geometry)
        self.show(self._node)
        self._changed()


def with_value(geometry: XrayGeometry, name: str, value: float) -> XrayGeometry:
    """One value given by the user. An assumed distance follows the other. Raises InputError for what cannot be."""
    if name == "pixel_spacing_mm":
        between_rows, between_columns = geometry.pixel_spacing_mm.value
        return geometry.with_values("user", pixel_spacing_mm=(value, value * between_columns / between_rows))
    if name == "source_to_detector_mm" and geometry.source_to_isocentre_mm.origin == "default":
        return with_distances(geometry, Known(value, "user"), None)
    if name == "source_to_isocentre_mm" and geometry.source_to_detector_mm.origin == "default":
        return with_distances(geometry, None, Known(value, "user"))
    return geometry.with_values("user", **{name: value})

"""Points to be picked by name: choose one, press the button, click where it is in the radiograph."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import qt
import slicer
from slicer.i18n import tr as _

from mri2mesh_slicer.observers import Observers
from mri2mesh_slicer.panel.choices import narrow_list
from mri2mesh_slicer.panel.messages import say, words
from mri2mesh_slicer.radiographs.placing import place_next, placed_names, show_in_a_slice_view


class LandmarksBox:
    """``widget`` shows the names and the radiograph given to `show`.

    label, tip: what is picked, and what for. picked_in: the markups node of a radiograph, or None. keep: called with a
    radiograph and the new node for it.
    """

    def __init__(
        self, label: str, tip: str, picked_in: Callable[[Any], Any], keep: Callable[[Any, Any], None]
    ) -> None:
        self._label, self._picked_in, self._keep = label, picked_in, keep
        self._node: Any = None
        self._names: tuple[str, ...] = ()
        self._observers, self._observed = Observers(), None
        self.widget = qt.QGroupBox()
        grid = qt.QGridLayout(self.widget)
        self.name, self.button, self.message = narrow_list(), qt.QPushButton(_("Place")), qt.QLabel()
        self.name.setToolTip(tip)
        self.button.setToolTip(_("Then click where it is in the radiograph; right-click to give up."))
        self.button.clicked.connect(self._place)
        self.message.setWordWrap(True)
        grid.addWidget(self.name, 0, 0)
        grid.addWidget(self.button, 0, 1)
        grid.addWidget(self.message, 1, 0, 1, 2)
        grid.setColumnStretch(0, 1)

    def show(self, node: Any, names: tuple[str, ...]) -> None:
        """node: a radiograph, or None to show nothing. names: to pick by; nothing is shown either where there are
        none."""
        self._node = node
        self.widget.setVisible(node is not None and bool(names))
        if node is None:
            return
        title = _("{label} in {name} (optional)")
        self.widget.setTitle(title.format(label=self._label, name=node.GetName()))
        if names != self._names:
            self._names = names
            self.name.clear()
            for name in names:
                self.name.addItem(words(name), name)
        self._watch()
        self._mark()

    def close(self) -> None:
        self._observers.clear()

    def _watch(self) -> None:
        markups = self._picked_in(self._node)
        if markups is self._observed:
            return
        self._observers.clear()
        self._observed = markups
        if markups is not None:
            for event in (markups.PointPositionDefinedEvent, markups.PointRemovedEvent):
                self._observers.add(markups, event, self._changed)

    def _mark(self) -> None:
        """Placed ones say so, and the next is one that is not."""
        placed = placed_names(self._observed)
        for number, name in enumerate(self._names):
            text = _("{landmark} (placed)").format(landmark=words(name)) if name in placed else words(name)
            self.name.setItemText(number, text)
        count = len(placed & set(self._names))
        unknown = sorted(placed - set(self._names))
        text = _("{count} placed.").format(count=count) if placed else ""
        if unknown:
            text += " " + _("Not of this bone: {names}.").format(names=", ".join(unknown))
        say(self.message, text)

    def _place(self, *_checked: Any) -> None:
        markups = self._picked_in(self._node)
        if markups is None:
            name = _("Landmarks in {name}").format(name=self._node.GetName())
            markups = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", name)
            markups.CreateDefaultDisplayNodes()
            self._keep(self._node, markups)
        self._watch()
        show_in_a_slice_view(self._node)
        name = str(self.name.currentData)
        place_next(markups, name)
        say(self.message, _("Click on: {landmark}.").format(landmark=words(name)))

    def _changed(self, *_event: Any) -> None:
        self._mark()
        placed = placed_names(self._observed)
        if str(self.name.currentData) in placed:
            start = self.name.currentIndex
            count = len(self._names)
            following = ((start + step) % count for step in range(1, count))
            self.name.setCurrentIndex(next((n for n in following if self._names[n] not in placed), start))

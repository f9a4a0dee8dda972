"""Stand-ins for the CTK widgets that the panel uses."""

from __future__ import annotations

from enum import IntFlag

from PySide6.QtCore import Property, Qt, Signal
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QLineEdit, QMessageBox, QToolButton, QWidget

HEADER = 26


class ctkCollapsibleButton(QWidget):
    """A header that hides and shows what is below it. Not covered: collapsedHeight, frame styles, checkability."""

    contentsCollapsed = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._header = QToolButton(self)
        self._header.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self._header.setStyleSheet(
            "QToolButton { border: 0; border-radius: 3px; background: palette(mid); padding: 3px; font-weight: bold }"
        )
        self._header.clicked.connect(lambda: self.setCollapsed(not self._collapsed))
        self._collapsed = False
        self.setContentsMargins(0, HEADER, 0, 0)
        self._draw()

    def resizeEvent(self, event: object) -> None:
        self._header.setGeometry(0, 0, self.width, HEADER)

    def _get_text(self) -> str:
        return self._header.text

    def _set_text(self, text: str) -> None:
        self._header.setText(text)

    def _get_collapsed(self) -> bool:
        return self._collapsed

    def setCollapsed(self, collapsed: bool) -> None:
        if collapsed == self._collapsed:
            return
        self._collapsed = collapsed
        for child in self._contents():
            if collapsed and not child.isHidden():
                child.setProperty("shownBefore", True)
                child.hide()
            elif not collapsed and child.property("shownBefore"):
                child.setProperty("shownBefore", None)
                child.show()
        self._draw()
        self.contentsCollapsed.emit(collapsed)

    def childEvent(self, event: object) -> None:
        for child in self._contents() if getattr(self, "_collapsed", False) else ():
            if not child.isHidden():
                child.setProperty("shownBefore", True)
                child.hide()

    def _contents(self) -> list[QWidget]:
        widgets = [child for child in self.children() if isinstance(child, QWidget)]
        return [widget for widget in widgets if widget is not self._header and not widget.isWindow()]

    def _draw(self) -> None:
        self._header.setArrowType(Qt.ArrowType.RightArrow if self._collapsed else Qt.ArrowType.DownArrow)
        self.setMaximumHeight(HEADER if self._collapsed else 16777215)

    text = Property(str, _get_text, _set_text)
    collapsed = Property(bool, _get_collapsed, setCollapsed)


class ctkPathLineEdit(QWidget):
    """A path and a button to choose it: a file, unless its filters leave files out. Not covered: history, completion,
    validation against the filters."""

    class Filter(IntFlag):
        """With CTK's numbers."""

        Dirs, Files, Drives = 0x1, 0x2, 0x4
        Readable, Writable = 0x10, 0x20
        NoDot, NoDotDot = 0x2000, 0x4000

    Dirs, Files = Filter.Dirs, Filter.Files  # PythonQt has the values of an enum in the class as well
    currentPathChanged = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self._line, self.button = QLineEdit(self), QToolButton(self)
        self.button.setText("…")
        self.button.clicked.connect(self.browse)
        layout.addWidget(self._line)
        layout.addWidget(self.button)
        self._line.textChanged.connect(self.currentPathChanged)
        self.filters = self.Filter.Dirs | self.Filter.Files | self.Filter.Drives | self.Filter.Readable
        self.nameFilters: list[str] = []

    def _get_path(self) -> str:
        return self._line.text

    def setCurrentPath(self, path: str) -> None:
        self._line.setText(path)

    def browse(self) -> None:
        if self.filters & self.Filter.Files:
            chosen = QFileDialog.getOpenFileName(self)[0]
        else:
            chosen = QFileDialog.getExistingDirectory(self)
        if chosen:
            self.setCurrentPath(chosen)

    currentPath = Property(str, _get_path, setCurrentPath)


class ctkMessageBox(QMessageBox):
    """QMessageBox. Not covered: "don't show again"."""


WIDGETS = (ctkCollapsibleButton, ctkPathLineEdit)

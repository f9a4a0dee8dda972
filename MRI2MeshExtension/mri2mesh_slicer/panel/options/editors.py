"""One widget to choose a value, for each plain type of option. Each has ``widget`` and ``show(value)``."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ctk
import qt
from slicer.i18n import tr as _

from mri2mesh.engines.options import Choice, File, Flag, Number, Option
from mri2mesh_slicer.panel.choices import narrow_list

FAR = 1e6
"""Where a number has no bound."""
Chosen = Callable[[Any], None]


class ChoiceEditor:
    def __init__(self, option: Choice, chosen: Chosen) -> None:
        self.widget = narrow_list()
        if not option.required and option.default is None:
            self.widget.addItem(_("by itself"), "")
        for name, words in option.choices.items():
            self.widget.addItem(_(words), name)
        self.widget.activated.connect(lambda *_index: chosen(str(self.widget.currentData) or None))

    def show(self, value: Any) -> None:
        self.widget.setCurrentIndex(max(0, self.widget.findData(value or "")))


class NumberEditor:
    """Where nothing need be given, the least number stands for nothing."""

    def __init__(self, option: Number, chosen: Chosen) -> None:
        self._none: float | None = None
        self.widget = qt.QSpinBox() if option.whole else qt.QDoubleSpinBox()
        least = option.least if math.isfinite(option.least) else -FAR
        most = option.most if math.isfinite(option.most) else FAR
        if option.default is None and not option.required:
            least = self._none = least - 1
            self.widget.setSpecialValueText(_("by itself"))
        number = int if option.whole else float
        self.widget.setRange(number(least), number(most))
        if option.unit:
            self.widget.setSuffix(f" {option.unit}")
        self.widget.valueChanged.connect(
            lambda *_value: chosen(None if self.widget.value == self._none else number(self.widget.value))
        )

    def show(self, value: Any) -> None:
        self.widget.blockSignals(True)
        self.widget.value = self.widget.minimum if value is None else value
        self.widget.blockSignals(False)


class FlagEditor:
    def __init__(self, option: Flag, chosen: Chosen) -> None:
        self.widget = qt.QCheckBox()
        self.widget.clicked.connect(lambda *_checked: chosen(bool(self.widget.checked)))

    def show(self, value: Any) -> None:
        self.widget.setChecked(bool(value))


class FileEditor:
    def __init__(self, option: File, chosen: Chosen) -> None:
        self.widget = ctk.ctkPathLineEdit()
        kinds = ctk.ctkPathLineEdit
        self.widget.filters = kinds.Dirs if option.folder else kinds.Files
        if option.endings:
            self.widget.nameFilters = [f"{_('Files')} ({' '.join('*' + one for one in option.endings)})"]
        self.widget.currentPathChanged.connect(lambda path: chosen(Path(path) if path else None))

    def show(self, value: Any) -> None:
        self.widget.blockSignals(True)
        self.widget.setCurrentPath("" if value is None else str(value))
        self.widget.blockSignals(False)


class TextEditor:
    def __init__(self, option: Option, chosen: Chosen) -> None:
        self.widget = qt.QLineEdit()
        self.widget.editingFinished.connect(lambda: chosen(self.widget.text.strip() or None))

    def show(self, value: Any) -> None:
        self.widget.setText("" if value is None else str(value))


EDITORS: dict[type[Option], Callable[[Any, Chosen], Any]] = {
    Choice: ChoiceEditor,
    Number: NumberEditor,
    Flag: FlagEditor,
    File: FileEditor,
}


def make_editor(option: Option, chosen: Chosen) -> Any:
    """chosen: called with what the user chose, None for nothing."""
    make = next((EDITORS[kind] for kind in type(option).__mro__ if kind in EDITORS), TextEditor)
    return make(option, chosen)

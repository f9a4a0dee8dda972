"""4 Results: one row per structure, how far to trust each, and the levels up and down by one."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import qt
import slicer
from slicer.i18n import tr as _

from mri2mesh.engines.registry import engines
from mri2mesh.errors import InputError
from mri2mesh.reconstruction import LEVEL_CHECK
from mri2mesh_slicer.panel.level_box import LevelBox
from mri2mesh_slicer.panel.messages import BAD, DOUBTFUL, GOOD, say, sentences, words

SHOWN, STRUCTURE, VOLUME, CHECKS = range(4)
SWATCH = 14
ROW_HEIGHT = 24
LINE_HEIGHT = 16
"""Height in pixels of a further line, which says why a check failed."""
MOST_ROWS = 14
"""Number of rows shown without scrolling."""


class ResultsSection:
    """``run``: the one that is shown, a `mri2mesh_slicer.runs.runs.RunNodes`, or None. changed: called for another.
    level_named: called when its image keeps a level that the user named."""

    def __init__(self, ui: Any, changed: Callable[[], None], level_named: Callable[[], None]) -> None:
        self._ui, self._changed, self._level_named = ui, changed, level_named
        self._runs: list[Any] = []
        self._pictures: dict[Any, Mapping[str, bytes]] = {}
        self._filling = False
        self.run: Any = None
        table = ui.resultsTable
        table.setColumnCount(4)
        table.setHorizontalHeaderLabels([_("Show"), _("Structure"), _("Volume"), _("Checks")])
        header = table.horizontalHeader()
        for column in (SHOWN, STRUCTURE, VOLUME):
            header.setSectionResizeMode(column, qt.QHeaderView.ResizeToContents)
        header.setSectionResizeMode(CHECKS, qt.QHeaderView.Stretch)
        table.itemChanged.connect(self._show_or_hide)
        ui.runSelector.activated.connect(self._choose)
        ui.levelUpButton.clicked.connect(lambda *_checked: self._shift(1))
        ui.levelDownButton.clicked.connect(lambda *_checked: self._shift(-1))
        ui.removeRunButton.clicked.connect(self._remove)
        ui.reportButton.clicked.connect(self._open_report)
        self._pages: tempfile.TemporaryDirectory[str] | None = None
        self._level = LevelBox(ui, lambda: self.run, self._named)

    def show(self, run: Any, pictures: Mapping[str, bytes]) -> None:
        """A new run. pictures: of its report, kept while it is in the scene that is open."""
        self.run = run
        self._pictures[run.folder] = pictures
        self.refresh()

    def refresh(self) -> None:
        """The runs of the scene, and of the shown one what is there now."""
        from mri2mesh_slicer.runs.runs import runs_of

        self._runs = runs_of(slicer.mrmlScene)
        folders = [run.folder for run in self._runs]
        if self.run is None or self.run.folder not in folders:
            self.run = self._runs[-1] if self._runs else None
        self._pictures = {folder: self._pictures.get(folder, {}) for folder in folders}
        ui = self._ui
        ui.resultsSection.setVisible(self.run is not None)
        ui.runSelector.clear()
        for run in self._runs:
            ui.runSelector.addItem(run.name)
        if self.run is not None:
            ui.runSelector.setCurrentIndex(folders.index(self.run.folder))
            try:
                self._fill()
            except InputError as error:
                ui.resultsTable.setRowCount(0)
                say(ui.verdictLabel, sentences(str(error)), BAD)
                say(ui.warningsLabel, "")

    def close(self) -> None:
        """Pages that were opened go, and a point that was never placed."""
        self._level.close()
        if self._pages is not None:
            self._pages.cleanup()
            self._pages = None

    def _fill(self) -> None:
        ui, run = self._ui, self.run
        report, rows = run.report, run.rows()
        self._filling = True
        table = ui.resultsTable
        table.setRowCount(len(rows))
        for number, row in enumerate(rows):
            self._fill_row(table, number, row, report.scale_known)
            table.setRowHeight(number, ROW_HEIGHT + LINE_HEIGHT * len(row.failed))
        self._filling = False
        rows_high = max(sum(table.rowHeight(number) for number in range(len(rows))), ROW_HEIGHT)
        table.setFixedHeight(table.horizontalHeader().height + min(rows_high, MOST_ROWS * ROW_HEIGHT) + 4)
        levels = run.engine in engines() and engines()[run.engine].levels
        for widget in (ui.levelShift, ui.levelName):
            widget.setVisible(levels)
        failed = [check for check in report.run_checks if not check.passed and check.name != LEVEL_CHECK]
        lines = [sentences(text) for text in (*(c.detail or c.name for c in failed), *report.warnings)]
        count, certain = run.levels, run.levels_certain
        if count is not None and not certain:
            how = _("Choose the level of one vertebra below, press Click on it, and click on its body.")
            lines.insert(0, f"{count.statement} {how}")
        if not report.scale_known:
            lines.insert(0, _("Scale unknown: millimetres mean nothing in this run."))
        doubtful = [words(row.shown) for row in rows if row.failed]
        if not rows:
            head, colour = _("No surface could be made."), BAD
        elif not certain:
            head, colour = _("{structures}; the names of the levels are a guess."), DOUBTFUL
            head = head.format(structures=counted(len(rows)))
            if doubtful:
                head += " " + _("Look closely at {doubtful}.").format(doubtful=", ".join(doubtful))
        elif not (failed or doubtful):
            head, colour = _("{structures}; every check passed.").format(structures=counted(len(rows))), GOOD
        elif doubtful:
            head = _("{structures}; look closely at {doubtful}.").format(
                structures=counted(len(rows)), doubtful=", ".join(doubtful)
            )
            colour = DOUBTFUL
        else:
            head = _("{structures}; not every check passed.").format(structures=counted(len(rows)))
            colour = DOUBTFUL
        say(ui.verdictLabel, head, colour)
        say(ui.warningsLabel, "\n".join(lines), DOUBTFUL)

    def _fill_row(self, table: Any, number: int, row: Any, scale_known: bool) -> None:
        display = row.model.GetDisplayNode()
        shown = qt.QTableWidgetItem()
        shown.setFlags(qt.Qt.ItemIsUserCheckable | qt.Qt.ItemIsEnabled)
        visible = display is not None and display.GetVisibility()
        shown.setCheckState(qt.Qt.Checked if visible else qt.Qt.Unchecked)
        shown.setData(qt.Qt.UserRole, row.model.GetID())
        swatch = qt.QPixmap(SWATCH, SWATCH)
        swatch.fill(qt.QColor.fromRgbF(*row.colour))
        name = qt.QTableWidgetItem(qt.QIcon(swatch), words(row.shown))
        known = row.volume_mm3 is not None and scale_known
        volume = qt.QTableWidgetItem(f"{row.volume_mm3 / 1000:.1f} cm³" if known else "–")
        volume.setTextAlignment(qt.Qt.AlignRight | qt.Qt.AlignVCenter)
        text = " ".join(map(sentences, row.failed)) or _("{count} passed").format(count=row.checks)
        checks = qt.QTableWidgetItem(text)
        checks.setToolTip(text)
        checks.setForeground(qt.QBrush(qt.QColor(BAD if row.failed else GOOD)))
        for column, item in ((SHOWN, shown), (STRUCTURE, name), (VOLUME, volume), (CHECKS, checks)):
            table.setItem(number, column, item)

    def _show_or_hide(self, item: Any) -> None:
        if self._filling or item.column() != SHOWN:
            return
        model = slicer.mrmlScene.GetNodeByID(item.data(qt.Qt.UserRole))
        if model is not None and model.GetDisplayNode() is not None:
            model.GetDisplayNode().SetVisibility(item.checkState() == qt.Qt.Checked)

    def _choose(self, *_index: Any) -> None:
        self.run = self._runs[self._ui.runSelector.currentIndex]
        self.refresh()
        self._changed()

    def _shift(self, by: int) -> None:
        from mri2mesh_slicer.runs.level_shift import shift_levels

        try:
            shift_levels(self.run, by)
        except InputError as error:
            again = _(
                "To leave out what has no level then, set the shift in section 2 and press Apply again."
            )
            say(self._ui.verdictLabel, f"{sentences(str(error))} {again}", BAD)
            return
        self.refresh()
        self._changed()

    def _named(self) -> None:
        """The user named a level: everything may have another name."""
        self.refresh()
        self._changed()
        self._level_named()

    def _open_report(self, *_checked: Any) -> None:
        from mri2mesh_slicer.runs.report_page import write_report_page

        if self._pages is None:
            self._pages = tempfile.TemporaryDirectory(prefix="mri2mesh-")
        try:
            path = Path(self._pages.name) / f"{self.run.folder.GetID()}.html"
            page = write_report_page(self.run, path, self._pictures[self.run.folder], sentences)
        except InputError as error:
            say(self._ui.verdictLabel, sentences(str(error)), BAD)
            return
        qt.QDesktopServices.openUrl(qt.QUrl.fromLocalFile(str(page)))

    def _remove(self, *_checked: Any) -> None:
        from mri2mesh_slicer.runs.scene_building import remove_run

        remove_run(slicer.mrmlScene, self.run.folder_item)
        self.run = None
        self.refresh()
        self._changed()


def counted(count: int) -> str:
    """As ``"3 structures"``."""
    return _("1 structure") if count == 1 else _("{count} structures").format(count=count)

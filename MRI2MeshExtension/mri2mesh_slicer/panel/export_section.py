"""6 Export: the surfaces as files, with coordinates and units said."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from slicer.i18n import tr as _

from mri2mesh.errors import InputError
from mri2mesh_slicer.panel.messages import BAD, GOOD, say
from mri2mesh_slicer.parameters import Parameters


def formats() -> tuple[tuple[str, str], ...]:
    """Extension and words; the command line's, the most wanted first."""
    return (
        ("stl", _("STL, for printing")),
        ("ply", _("PLY")),
        ("obj", _("OBJ")),
        ("vtp", _("VTP, with uncertainty and support per vertex")),
        ("vtk", _("VTK legacy, with uncertainty and support per vertex")),
    )


class ExportSection:
    def __init__(self, ui: Any, parameters: Callable[[], Parameters], shown_run: Callable[[], Any]) -> None:
        self._ui, self._parameters, self._shown_run = ui, parameters, shown_run
        for extension, words in formats():
            ui.formatSelector.addItem(words, extension)
        ui.formatSelector.activated.connect(self._keep)
        ui.exportFolder.currentPathChanged.connect(self._keep)
        ui.exportButton.clicked.connect(self._export)
        say(ui.exportMessage, "")

    def refresh(self) -> None:
        run, ui = self._shown_run(), self._ui
        ui.exportSection.setVisible(run is not None)
        if run is None:
            return
        from mri2mesh_slicer.export import coordinates_of

        parameters = self._parameters()
        ui.formatSelector.setCurrentIndex(max(0, ui.formatSelector.findData(parameters.export_format)))
        if ui.exportFolder.currentPath != parameters.export_folder:
            ui.exportFolder.setCurrentPath(parameters.export_folder)
        try:
            say(ui.coordinatesLabel, coordinates_of(run))
        except InputError as error:
            say(ui.coordinatesLabel, str(error), BAD)

    def _keep(self, *_what: Any) -> None:
        self._parameters().export_format = str(self._ui.formatSelector.currentData)
        self._parameters().export_folder = str(self._ui.exportFolder.currentPath)

    def _export(self, *_checked: Any) -> None:
        from mri2mesh_slicer.export import export_run

        folder = str(self._ui.exportFolder.currentPath).strip()
        if not folder:
            say(self._ui.exportMessage, _("Choose a folder first."), BAD)
            return
        try:
            written = export_run(self._shown_run(), Path(folder), [str(self._ui.formatSelector.currentData)])
        except InputError as error:
            say(self._ui.exportMessage, str(error), BAD)
            return
        say(
            self._ui.exportMessage,
            _("{count} files written to {folder}").format(count=len(written), folder=folder),
            GOOD,
        )

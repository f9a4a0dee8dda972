"""6 Export: surfaces or label maps as files, with coordinates and units said."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from slicer.i18n import tr as _

from mri2mesh.errors import InputError
from mri2mesh_slicer.jobs.background import Background
from mri2mesh_slicer.jobs.running import in_words
from mri2mesh_slicer.panel.messages import BAD, GOOD, say, sentences
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


def label_maps() -> tuple[tuple[str, str], ...]:
    """Ending and words, of runs from a volume."""
    return (
        (".nii.gz", _("Label maps on the voxels of the image, NIfTI")),
        (".nrrd", _("Label maps on the voxels of the image, NRRD")),
    )


class ExportSection:
    """background: writes label maps, which take a second or more."""

    def __init__(
        self,
        ui: Any,
        parameters: Callable[[], Parameters],
        shown_run: Callable[[], Any],
        background: Background,
    ) -> None:
        self._ui, self._parameters, self._shown_run = ui, parameters, shown_run
        self._background = background
        self._run: Any = None
        ui.formatSelector.activated.connect(self._keep)
        ui.exportFolder.currentPathChanged.connect(self._keep)
        ui.exportButton.clicked.connect(self._export)
        say(ui.exportMessage, "")

    def refresh(self) -> None:
        run, ui = self._shown_run(), self._ui
        if run is None or self._run is None or run.folder is not self._run.folder:
            say(ui.exportMessage, "")  # it was about another run
        self._run = run
        ui.exportSection.setVisible(run is not None)
        if run is None:
            return
        from mri2mesh_slicer.export.labelmaps import grid_of

        parameters, selector = self._parameters(), ui.formatSelector
        selector.clear()
        for ending, words in (*formats(), *(label_maps() if grid_of(run) is not None else ())):
            selector.addItem(words, ending)
        selector.setCurrentIndex(max(0, selector.findData(parameters.export_format)))
        if ui.exportFolder.currentPath != parameters.export_folder:
            ui.exportFolder.setCurrentPath(parameters.export_folder)
        self._describe()

    @property
    def _ending(self) -> str:
        return str(self._ui.formatSelector.currentData)

    def _describe(self) -> None:
        """Coordinates, units and values of what is chosen."""
        from mri2mesh_slicer.export.labelmaps import VALUES, grid_of
        from mri2mesh_slicer.export.surfaces import coordinates_of

        maps = self._ending in dict(label_maps())
        self._ui.exportButton.text = _("Export the label maps") if maps else _("Export the surfaces")
        try:
            if maps:
                say(self._ui.coordinatesLabel, VALUES.format(image=grid_of(self._run).GetName()))
            else:
                say(self._ui.coordinatesLabel, coordinates_of(self._run))
        except InputError as error:
            say(self._ui.coordinatesLabel, sentences(str(error)), BAD)

    def _keep(self, *_what: Any) -> None:
        self._parameters().export_format = self._ending
        self._parameters().export_folder = str(self._ui.exportFolder.currentPath)
        self._describe()

    def _export(self, *_checked: Any) -> None:
        folder = str(self._ui.exportFolder.currentPath).strip()
        if not folder:
            say(self._ui.exportMessage, _("Choose an output folder first."), BAD)
            return
        try:
            if self._ending in dict(label_maps()):
                self._export_label_maps(Path(folder))
            else:
                from mri2mesh_slicer.export.surfaces import export_run

                self._written(export_run(self._run, Path(folder), [self._ending]))
        except InputError as error:
            self._not_written(error)

    def _export_label_maps(self, folder: Path) -> None:
        from mri2mesh_slicer.export.labelmaps import take_labelmaps

        taken, ending = take_labelmaps(self._run), self._ending
        say(self._ui.exportMessage, _("Writing the label maps ..."))
        self._ui.exportButton.setEnabled(False)
        self._background.run(lambda: taken.write(folder, ending), self._written, self._not_written)

    def _written(self, paths: list[Path]) -> None:
        self._ui.exportButton.setEnabled(True)
        folder = paths[0].parent
        words = _("1 file written to {folder}") if len(paths) == 1 else _("{count} files written to {folder}")
        say(self._ui.exportMessage, words.format(count=len(paths), folder=folder), GOOD)

    def _not_written(self, error: Exception) -> None:
        self._ui.exportButton.setEnabled(True)
        say(self._ui.exportMessage, sentences(in_words(error)), BAD)

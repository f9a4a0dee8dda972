"""6 Export: surfaces, label maps or finite elements as files, with coordinates and units said."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from slicer.i18n import tr as _

from mri2mesh.errors import InputError
from mri2mesh_slicer.installation import requirements
from mri2mesh_slicer.jobs.exporting import Exporting
from mri2mesh_slicer.jobs.running import in_words
from mri2mesh_slicer.panel.messages import BAD, GOOD, OF_EXPORT, say, sentences
from mri2mesh_slicer.panel.run_section import time_left
from mri2mesh_slicer.panel.volume_mesh_rows import VolumeMeshRows
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


def by_the_worker() -> tuple[tuple[str, str], ...]:
    """Ending and words of what takes more than a moment: a whole scene in one file, and tetrahedra."""
    return (
        ("gltf", _("glTF, all surfaces in one file")),
        ("inp", _("CalculiX and Abaqus, finite elements")),
        ("feb", _("FEBio 4, finite elements")),
        ("msh", _("Gmsh 4.1, finite elements")),
        ("vtu", _("VTU for ParaView, finite elements")),
    )


FINITE_ELEMENTS = ("inp", "feb", "msh", "vtu")


class ExportSection:
    """services: `mri2mesh_slicer.panel.panel.Services`. changed: called when an export by the worker starts and when it
    ends."""

    def __init__(
        self,
        ui: Any,
        parameters: Callable[[], Parameters],
        shown_run: Callable[[], Any],
        services: Any,
        changed: Callable[[], None],
    ) -> None:
        self._ui, self._parameters, self._shown_run = ui, parameters, shown_run
        self._services, self._changed = services, changed
        self._background = services.background
        self._exporting = Exporting(services.client, services.background, self._report_progress)
        self._rows = VolumeMeshRows(ui, parameters)
        self._run: Any = None
        ui.formatSelector.activated.connect(self._keep)
        ui.exportFolder.currentPathChanged.connect(self._keep)
        ui.exportButton.clicked.connect(self._export)
        say(ui.exportMessage, "")

    @property
    def busy(self) -> bool:
        """Whether the worker exports."""
        return self._exporting.busy

    def cancel(self) -> None:
        self._exporting.cancel()

    def close(self) -> None:
        self._exporting.close()

    def refresh_busy(self, busy: bool) -> None:
        """busy: whether anything runs. The button cancels this section's own work, and waits for that of others."""
        self._ui.exportButton.setEnabled(self.busy or not (busy and self._by_worker))
        self._describe_button()

    def refresh(self) -> None:
        run, ui = self._shown_run(), self._ui
        if (run is None or self._run is None or run.folder is not self._run.folder) and not self.busy:
            say(ui.exportMessage, "")  # it was about another run
        self._run = run
        ui.exportSection.setVisible(run is not None)
        if run is None:
            return
        from mri2mesh_slicer.export.labelmaps import grid_of

        parameters, selector = self._parameters(), ui.formatSelector
        selector.clear()
        maps = label_maps() if grid_of(run) is not None else ()
        for ending, words in (*formats(), *maps, *by_the_worker()):
            selector.addItem(words, ending)
        selector.setCurrentIndex(max(0, selector.findData(parameters.export_format)))
        if ui.exportFolder.currentPath != parameters.export_folder:
            ui.exportFolder.setCurrentPath(parameters.export_folder)
        self._describe()

    @property
    def _ending(self) -> str:
        return str(self._ui.formatSelector.currentData)

    @property
    def _by_worker(self) -> bool:
        return self._ending in dict(by_the_worker())

    def _describe_button(self) -> None:
        if self.busy:
            words = _("Cancel")
        elif self._ending in dict(label_maps()):
            words = _("Export the label maps")
        elif self._ending in FINITE_ELEMENTS:
            words = _("Export finite elements")
        else:
            words = _("Export the surfaces")
        self._ui.exportButton.text = words

    def _describe(self) -> None:
        """Coordinates, units and values of what is chosen."""
        from mri2mesh_slicer.export.labelmaps import VALUES, grid_of
        from mri2mesh_slicer.export.surfaces import coordinates_of

        maps = self._ending in dict(label_maps())
        self._rows.refresh(self._run, self._ending, self._ending in FINITE_ELEMENTS)
        self.refresh_busy(self._services.busy())
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
        if self.busy:
            self.cancel()
            return
        folder = str(self._ui.exportFolder.currentPath).strip()
        if not folder:
            say(self._ui.exportMessage, _("Choose an output folder first."), BAD)
            return
        try:
            if self._ending in dict(label_maps()):
                self._export_label_maps(Path(folder))
            elif self._by_worker:
                self._export_by_worker(Path(folder))
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

    def _export_by_worker(self, folder: Path) -> None:
        """Where packages are missing, they are asked for first; what is exported is what is in the scene now."""
        from mri2mesh_slicer.export.finite_elements import take_surfaces

        solid = self._ending in FINITE_ELEMENTS
        names = self._rows.chosen if solid else [row.name for row in self._run.rows()]
        taken = take_surfaces(self._run, names)
        options = self._rows.options(self._ending) if solid else {"formats": [self._ending]}

        def start() -> None:
            if self._services.busy():
                return
            say(self._ui.exportMessage, _("Writing the surfaces ..."))
            self._exporting.start(taken, folder, options, self._made, self._not_made)
            self._changed()

        packages = (requirements.NETGEN,) if solid else ()
        self._services.when_installed(start, packages, lambda why: say(self._ui.exportMessage, why, BAD))

    def _report_progress(self, stage: str, fraction: float, seconds_left: float | None) -> None:
        left = "" if seconds_left is None else f", {time_left(seconds_left)}"
        say(self._ui.exportMessage, f"{sentences(stage).rstrip('.')}: {100 * fraction:.0f}%{left}")

    def _made(self, event: dict[str, Any]) -> None:
        self._written([Path(event["out"]) / name for name in event["files"]])
        lines = [str(self._ui.exportMessage.text), *map(sentences, event["said"])]
        say(self._ui.exportMessage, "\n".join(lines), GOOD)
        self._changed()

    def _not_made(self, why: str) -> None:
        words = sentences(why, OF_EXPORT) or _("Cancelled. Nothing was written.")
        say(self._ui.exportMessage, words, BAD if why else "")
        self._changed()

    def _written(self, paths: list[Path]) -> None:
        self._ui.exportButton.setEnabled(True)
        folder = paths[0].parent
        words = _("1 file written to {folder}") if len(paths) == 1 else _("{count} files written to {folder}")
        say(self._ui.exportMessage, words.format(count=len(paths), folder=folder), GOOD)

    def _not_written(self, error: Exception) -> None:
        self._ui.exportButton.setEnabled(True)
        say(self._ui.exportMessage, sentences(in_words(error)), BAD)

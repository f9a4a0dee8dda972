"""5 Overlay: the result on the image it was made from, to be judged by eye."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import qt
import slicer
from slicer.i18n import tr as _

from mri2mesh.errors import InputError
from mri2mesh_slicer.panel.messages import BAD, say
from mri2mesh_slicer.radiographs.views_of_scene import camera_of_3d_view, slice_nodes


class OverlaySection:
    """What is placed for the shown run is taken away again when another is shown or the panel goes. give_way: called
    before radiographs are placed here, so that none is placed twice."""

    def __init__(self, ui: Any, shown_run: Callable[[], Any], give_way: Callable[[], None]) -> None:
        self._ui, self._shown_run, self._give_way = ui, shown_run, give_way
        self._run: Any = None
        self._placed: list[Any] = []
        self._outlines: list[Any] = []
        self._in_source = False
        ui.contoursCheck.clicked.connect(self._contours)
        ui.radiographsCheck.clicked.connect(self._place)
        ui.outlinesCheck.clicked.connect(self._draw_outlines)
        ui.lookFromSourceButton.clicked.connect(self._look)
        ui.coloursSelector.activated.connect(self._colour)

    def refresh(self) -> None:
        """For the run that is shown now."""
        run, ui = self._shown_run(), self._ui
        another = run is None or self._run is None or run.folder is not self._run.folder
        placed, outlined = [one.volume_node for one in self._placed], bool(self._outlines)
        if another:
            self.close()
        self._run = run
        if another and placed and run is not None and _same(placed, run.inputs):
            # Of the same radiographs, as a fit that went on: looked at in the same way, in a turn of its own.
            qt.QTimer.singleShot(0, lambda: self._place_again(run, outlined))
        ui.overlaySection.setVisible(run is not None)
        if run is None:
            return
        views = self._views()
        for widget in (ui.radiographsCheck, ui.outlinesCheck, ui.lookFromSourceButton):
            widget.setVisible(bool(views))
        ui.contoursCheck.setVisible(not views)
        displays = [model.GetDisplayNode() for model in run.models if model.GetDisplayNode() is not None]
        ui.contoursCheck.setChecked(any(display.GetVisibility2D() for display in displays))
        self._list_colours(displays)

    @property
    def placed(self) -> list[Any]:
        """The radiographs that are placed now."""
        return self._placed

    def close(self) -> None:
        """Everything placed goes, and the views are as before."""
        for overlay in self._outlines:
            overlay.stop()
        for placed in self._placed:
            placed.remove()
        self._outlines, self._placed = [], []
        self._set_in_source(False)
        self._ui.radiographsCheck.setChecked(False)
        self._ui.outlinesCheck.setChecked(False)

    def _views(self) -> list[tuple[Any, Any]]:
        """Input node and what the report says of it, per radiograph."""
        try:
            return list(zip(self._run.inputs, self._run.report.views, strict=False))
        except InputError:
            return []

    def _contours(self, shown: Any = None) -> None:
        for model in self._run.models:
            if model.GetDisplayNode() is not None:
                model.GetDisplayNode().SetVisibility2D(bool(self._ui.contoursCheck.checked))

    def _place(self, *_checked: Any) -> None:
        if not self._ui.radiographsCheck.checked:
            self.close()
            return
        from mri2mesh_slicer.radiographs.display import place_radiograph

        self._give_way()
        try:
            for node, view in self._views():
                self._placed.append(place_radiograph(slicer.mrmlScene, node, view.geometry.camera()))
        except InputError as error:
            self.close()
            say(self._ui.verdictLabel, str(error), BAD)
            return
        for placed, slice_node in zip(self._placed, slice_nodes(slicer.mrmlScene), strict=False):
            placed.show_in_slice(slice_node)

    def _place_again(self, run: Any, outlined: bool) -> None:
        if self._run is run and not self._placed:
            self._ui.radiographsCheck.setChecked(True)
            self._place()
            if outlined and self._placed:
                self._ui.outlinesCheck.setChecked(True)
                self._draw_outlines()

    def _draw_outlines(self, *_checked: Any) -> None:
        if not self._ui.outlinesCheck.checked:
            for overlay in self._outlines:
                overlay.stop()
            self._outlines = []
            return
        from mri2mesh_slicer.radiographs.silhouettes import SilhouetteOverlay

        if not self._placed:
            self._ui.radiographsCheck.setChecked(True)
            self._place()
        for placed, (_node, view) in zip(self._placed, self._views(), strict=False):
            overlay = SilhouetteOverlay(slicer.mrmlScene, placed, self._run.models, view.surface_to_view)
            self._outlines.append(overlay)

    def _look(self, *_checked: Any) -> None:
        """Into the source of the first radiograph, and out again."""
        camera, aspect = camera_of_3d_view(slicer.mrmlScene)
        if camera is None:
            say(self._ui.overlayMessage, _("Choose a layout with a 3D view first."))
            return
        if self._in_source and self._placed:
            self._placed[0].leave_source(camera)
            self._set_in_source(False)
            return
        if not self._placed:
            self._ui.radiographsCheck.setChecked(True)
            self._place()
        if self._placed:
            self._placed[0].look_from_source(camera, aspect)
            self._set_in_source(True)
            if self._placed[0].mirrored_from_source:
                say(self._ui.overlayMessage, _("Seen from the source, this image is its mirror image."))

    def _set_in_source(self, inside: bool) -> None:
        """The other radiographs stand in the way meanwhile."""
        self._in_source = inside
        for other in self._placed[1:]:
            other.set_visible(not inside)
        button = self._ui.lookFromSourceButton
        button.text = _("Back from the X-ray source") if inside else _("Look from the X-ray source")
        say(self._ui.overlayMessage, "")

    def _list_colours(self, displays: list[Any]) -> None:
        from mri2mesh_slicer.runs.scalars import scalars_of

        selector = self._ui.coloursSelector
        selector.clear()
        selector.addItem(_("Anatomy, one colour per structure"), "")
        for name, title in scalars_of(self._run).items():
            selector.addItem(title, name)
        shown = next((d.GetActiveScalarName() for d in displays if d.GetScalarVisibility()), "")
        selector.setCurrentIndex(max(0, selector.findData(shown)))

    def _colour(self, *_index: Any) -> None:
        from mri2mesh_slicer.runs.scalars import show_scalars

        show_scalars(self._run, self._ui.coloursSelector.currentData or None)


def _same(some: Sequence[Any], others: Sequence[Any]) -> bool:
    return len(some) == len(others) and all(a is b for a, b in zip(some, others, strict=True))

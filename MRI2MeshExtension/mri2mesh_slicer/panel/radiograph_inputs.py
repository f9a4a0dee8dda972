"""The inputs of a fit to radiographs: the bone, the views with their geometry, landmarks, calibration."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import qt
from slicer.i18n import tr as _

from mri2mesh.imaging.radiographs.camera_file import write_camera
from mri2mesh_slicer.inputs import require_one_frame, take_radiograph
from mri2mesh_slicer.installation import requirements
from mri2mesh_slicer.jobs.running import Prepare
from mri2mesh_slicer.panel.calibration_box import CalibrationBox
from mri2mesh_slicer.panel.choices import narrow_list
from mri2mesh_slicer.panel.geometry_editor import GeometryEditor
from mri2mesh_slicer.panel.landmarks_box import LandmarksBox
from mri2mesh_slicer.panel.messages import BAD, DOUBTFUL, GOOD, say, sentences
from mri2mesh_slicer.panel.method_inputs import MethodInputs
from mri2mesh_slicer.panel.start_box import StartBox
from mri2mesh_slicer.panel.views_table import ViewsTable
from mri2mesh_slicer.radiographs.earlier_fits import write_earlier_fit
from mri2mesh_slicer.radiographs.geometry_of_nodes import (
    RECOGNISED,
    geometry_from_json,
    geometry_of,
    is_known,
    keep_geometry,
)
from mri2mesh_slicer.radiographs.landmarks import take_landmarks
from mri2mesh_slicer.radiographs.placing import placed_names
from mri2mesh_slicer.recognition import kind_of_node


def anatomies() -> tuple[tuple[str, str], ...]:
    """Name for the engine, and words; a test compares them with the engine's."""
    return (
        ("pelvis", _("Pelvis")),
        ("femur_left", _("Left femur")),
        ("femur_right", _("Right femur")),
        *((level, _("Vertebra {level}").format(level=level)) for level in ("L1", "L2", "L3", "L4", "L5")),
    )


class RadiographInputs(MethodInputs):
    def build(self) -> None:
        layout = qt.QVBoxLayout(self.widget)
        layout.setContentsMargins(0, 0, 0, 0)
        form = qt.QFormLayout()
        self.anatomy = narrow_list()
        for name, words in anatomies():
            self.anatomy.addItem(words, name)
        self.anatomy.activated.connect(self._choose_anatomy)
        form.addRow(_("Bone:"), self.anatomy)
        layout.addLayout(form)
        self.views = ViewsTable(self._show_selected, self._add, self._remove)
        self.geometry = GeometryEditor(self.changed)
        self.landmarks = LandmarksBox(self.views.landmarks_of, self.views.choose_landmarks)
        self.calibration = CalibrationBox(self._calibrate)
        self.start = StartBox("xray-fit")
        for part in (self.views, self.landmarks, self.geometry, self.calibration, self.start):
            layout.addWidget(part.widget)
        self._asked: set[str] = set()

    def nodes(self) -> list[Any]:
        """Each once, also where a further view was chosen as the first."""
        first = self.parameters().image
        further = (node for node in self.parameters().further_views if node is not None and node is not first)
        return [first, *further]

    def refresh(self) -> None:
        self.anatomy.setCurrentIndex(max(0, self.anatomy.findData(self.parameters().anatomy)))
        self.views.show(self.nodes())
        self.start.show(self.nodes(), self.parameters().anatomy)
        self._show_selected()
        self._recognise()

    def problem(self) -> str:
        if any(kind_of_node(node) != "radiographs" for node in self.nodes()):
            return _("Every view must be a radiograph: remove the others.")
        return ""

    def prepare(self) -> Prepare:
        require_one_frame(self.nodes())
        taken = [take_radiograph(node) for node in self.nodes()]
        cameras = [geometry_of(node) if is_known(node) else None for node in self.nodes()]
        picked = [self.views.landmarks_of(node) for node in self.nodes()]
        points = [
            take_landmarks(markups, picked_in=node) if placed_names(markups) else None
            for markups, node in zip(picked, self.nodes(), strict=True)
        ]
        anatomy = self.parameters().anatomy
        earlier = self.start.chosen.report.text if self.start.chosen is not None else None

        def write(folder: Path) -> dict[str, Any]:
            images = [one.write(folder, f"view_{number}") for number, one in enumerate(taken, 1)]
            options: dict[str, Any] = {"anatomy": anatomy, "cameras": [], "landmarks": []}
            for number, (image, camera, marks) in enumerate(zip(images, cameras, points, strict=True), 1):
                options["cameras"].append(None)
                options["landmarks"].append(None)
                if camera is not None:
                    path = folder / f"camera_{number}.json"
                    write_camera(path, camera)
                    options["cameras"][-1] = str(path)
                if marks is not None:
                    path = folder / f"landmarks_{number}.mrk.json"
                    marks.write(path, image)
                    options["landmarks"][-1] = str(path)
            if earlier is not None:
                options["start"] = str(write_earlier_fit(earlier, folder / "earlier"))
            given = {name: value for name, value in options.items() if any(value)}
            return {"inputs": [str(image) for image in images], "options": given}

        return write

    def leave(self) -> None:
        self._asked.clear()  # what was not answered is asked again on return

    def close(self) -> None:
        self.landmarks.close()

    def _choose_anatomy(self, *_index: Any) -> None:
        self.parameters().anatomy = str(self.anatomy.currentData)
        self.changed()

    def _show_selected(self) -> None:
        node = self.views.selected_node()
        self.landmarks.show(node, self.parameters().anatomy)
        self.geometry.show(node)
        self.calibration.show(node)

    def _add(self, node: Any) -> None:
        if node is not None and all(node is not one for one in self.nodes()):
            self.parameters().further_views = [*self.nodes()[1:], node]
            self.views.further.setCurrentNode(None)
            self.changed()

    def _remove(self, node: Any) -> None:
        kept = [one for one in self.nodes() if one is not node]
        if kept and len(kept) < len(self.nodes()):
            self.parameters().further_views = kept[1:]
            if kept[0] is not self.parameters().image:
                self.parameters().image = kept[0]
            self.changed()

    def _recognise(self) -> None:
        """Asks the worker what the tags say of a radiograph nobody asked about yet, while it is idle."""
        waiting = [n for n in self.nodes() if not is_known(n) and n.GetID() not in self._asked]
        if not waiting or self._has_to_wait() or requirements.missing():
            return
        node = waiting[0]
        self._asked.add(node.GetID())

        def show(event: dict[str, Any]) -> None:
            if node.GetScene() is not None and not is_known(node):
                (found,) = event["inputs"]
                node.SetAttribute(RECOGNISED, " ".join(map(sentences, [found["text"], *found["warnings"]])))
                keep_geometry(node, geometry_from_json(found["details"]["geometry"]))
            self.changed()

        self._ask_about(node, {"command": "describe"}, show, lambda why: self._cannot_read(node, why))

    def _has_to_wait(self) -> bool:
        return self.services.busy() or self.services.client.busy or self.services.is_away()

    def _cannot_read(self, node: Any, why: str) -> None:
        if node.GetScene() is not None:
            node.SetAttribute(RECOGNISED, why)
        self.changed()

    def _calibrate(self, marker: dict[str, Any]) -> None:
        node, message = self.views.selected_node(), self.calibration.message
        if self.services.busy() or self.services.client.busy:
            say(message, _("Wait for the run to end, then calibrate."), BAD)
            return

        def show(event: dict[str, Any]) -> None:
            spacing = tuple(event["pixel_spacing_mm"])
            if node.GetScene() is not None:
                keep_geometry(node, geometry_of(node).with_values("calibrated", pixel_spacing_mm=spacing))
            self.changed()
            words = _("Calibrated: {size:.4f} mm per pixel at the detector ({method}; ± {percent:.1f} %).")
            percent = 100 * event["relative_uncertainty"]
            lines = [words.format(size=spacing[0], method=event["method"], percent=percent)]
            lines += map(sentences, event["warnings"])
            if self.views.selected_node() is node:
                say(message, "\n".join(lines), DOUBTFUL if event["warnings"] else GOOD)

        request = {"command": "calibrate", "options": {"marker": marker}}
        self._ask_about(node, request, show, lambda why: say(message, why, BAD))

    def _ask_about(self, node: Any, request: dict[str, Any], on_done: Any, on_failed: Any) -> None:
        """One radiograph to a file, in a thread, and a question about it to the worker."""
        taken, folder = take_radiograph(node), tempfile.TemporaryDirectory(prefix="mri2mesh-")
        camera = geometry_of(node) if is_known(node) else None

        def write() -> dict[str, Any]:
            image = taken.write(Path(folder.name), "view")
            options = dict(request.get("options", {}))
            if camera is not None:
                write_camera(Path(folder.name) / "camera.json", camera)
                options["cameras"] = [str(Path(folder.name) / "camera.json")]
            return {**request, "inputs": [str(image)], "options": options}

        def then(callback: Callable[..., None]) -> Callable[..., None]:
            """The folder is no longer needed; then this."""

            def clean_and_call(*values: Any) -> None:
                folder.cleanup()
                callback(*values)

            return clean_and_call

        def ask(complete: dict[str, Any]) -> None:
            if self._has_to_wait():
                folder.cleanup()
                self._asked.discard(node.GetID())
                return
            self.services.client.run(
                complete, on_done=then(on_done), on_failed=then(on_failed), on_cancelled=folder.cleanup
            )

        self.services.background.run(write, ask, then(lambda error: on_failed(str(error))))

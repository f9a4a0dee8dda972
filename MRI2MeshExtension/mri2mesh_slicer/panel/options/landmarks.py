"""Landmarks picked in the radiographs, as an option of an engine."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from slicer.i18n import tr as _

from mri2mesh.engines.declaration import load
from mri2mesh.engines.options import Landmarks
from mri2mesh.errors import InputError
from mri2mesh_slicer.panel.landmarks_box import LandmarksBox
from mri2mesh_slicer.panel.options.section import OptionSection, Write
from mri2mesh_slicer.radiographs.geometry_of_nodes import LANDMARKS
from mri2mesh_slicer.radiographs.landmarks import take_landmarks
from mri2mesh_slicer.radiographs.placing import placed_names


class LandmarksSection(OptionSection):
    """The names to pick by are those that the option gives for what else was chosen. The markups node of a radiograph
    is kept with its node."""

    def build(self) -> None:
        tip = _(self.option.help)
        self.box = LandmarksBox(
            _(self.option.label), tip[:1].upper() + tip[1:] + ".", picked_in, self._keep_markups
        )
        self.widget = self.box.widget

    def refresh(self) -> None:
        self.box.show(self.around.selected(), self._names())

    def take(self) -> Write:
        points = [
            take_landmarks(markups, picked_in=node) if placed_names(markups) else None
            for node, markups in ((node, picked_in(node)) for node in self.around.nodes())
        ]

        def write(folder: Path, images: Sequence[Path]) -> Any:
            files: list[str | None] = []
            for number, (image, marks) in enumerate(zip(images, points, strict=True), 1):
                path = folder / f"{self.option.name}_{number}.mrk.json"
                if marks is not None:
                    marks.write(path, image)
                files.append(None if marks is None else str(path))
            return files if any(files) else None

        return write

    def close(self) -> None:
        self.box.close()

    def _names(self) -> tuple[str, ...]:
        assert isinstance(self.option, Landmarks)
        if not self.option.names:
            return ()
        try:
            return tuple(load(self.option.names)(self.around.values()))
        except InputError:
            return ()

    def _keep_markups(self, node: Any, markups: Any) -> None:
        node.SetNodeReferenceID(LANDMARKS, markups.GetID())
        self.around.changed()


def picked_in(node: Any) -> Any:
    """The markups node chosen for a radiograph, or None."""
    return node.GetNodeReference(LANDMARKS)

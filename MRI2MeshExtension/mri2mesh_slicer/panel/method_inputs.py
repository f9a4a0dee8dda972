"""What a section that asks for a method's own inputs must offer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import qt

from mri2mesh_slicer.jobs.running import Prepare
from mri2mesh_slicer.parameters import Parameters


class MethodInputs:
    """Base of the sections; ``self.widget`` goes below the method's sentence.

    parameters: returns the scene's parameters, which change when a scene is closed or loaded. changed: to be called
    when what the user did here may change whether Run is possible. services: `mri2mesh_slicer.panel.panel.Services`.
    """

    def __init__(
        self, parameters: Callable[[], Parameters], changed: Callable[[], None], services: Any
    ) -> None:
        self.parameters = parameters
        self.changed = changed
        self.services = services
        self.widget = qt.QWidget()
        self.build()

    def build(self) -> None:
        """Fills ``self.widget``, once."""

    def refresh(self) -> None:
        """Shows the parameters; called whenever they or the scene changed."""

    def nodes(self) -> list[Any]:
        """The inputs, the chosen image first."""
        return [self.parameters().image]

    def problem(self) -> str:
        """Why Run is not possible yet, as something to do; empty when it is."""
        return ""

    def prepare(self) -> Prepare:
        """Takes what is needed from the nodes, quickly; what it returns writes it to files, in a thread."""
        raise NotImplementedError

    def leave(self) -> None:
        """The panel is not looked at any more: what the worker was asked besides runs is not answered."""

    def close(self) -> None:
        """The panel is being taken down."""

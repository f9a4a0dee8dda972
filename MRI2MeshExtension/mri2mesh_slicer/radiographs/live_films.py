"""The radiographs of a run while surfaces are fitted to them: each in its place and in a slice view, with outlines."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import slicer
from numpy.typing import NDArray

from mri2mesh.errors import InputError
from mri2mesh.geometry.xray_camera import XrayCamera
from mri2mesh_slicer.jobs.turns import Turns
from mri2mesh_slicer.radiographs.geometry_of_nodes import geometry_from_json
from mri2mesh_slicer.radiographs.views_of_scene import slice_nodes
from mri2mesh_slicer.runs.results import surface_to_view


@dataclass(frozen=True)
class LiveView:
    """One radiograph as the fit sees it now. surface_to_view: [4, 4], as in `SilhouetteOverlay`."""

    camera: XrayCamera
    surface_to_view: NDArray[np.float64]


def views_of(event: Mapping[str, Any]) -> list[LiveView]:
    """What a surface event says of each radiograph, in the order of the run's inputs."""
    return [
        LiveView(geometry_from_json(row["geometry"]).camera(), surface_to_view(row)) for row in event["views"]
    ]


class LiveFilms:
    """Each radiograph that is not placed is placed and shown in a slice view, until `remove` puts all back as it was.

    nodes: the inputs of the run. placed: the `PlacedRadiograph` of others, asked anew each time; outlines are drawn
    over those too where they stand as the fit sees them. What takes longer is done in turns of its own.
    """

    def __init__(self, nodes: Sequence[Any], placed: Callable[[], Sequence[Any]]) -> None:
        self._nodes, self._placed_by_others = nodes, placed
        self._own: list[Any] = []
        self._outlines: dict[tuple[Any, Any], Any] = {}
        self._models: list[Any] = []
        self._views: dict[Any, LiveView] = {}
        self._turns = Turns()

    def correct(self, views: Sequence[LiveView]) -> None:
        """Takes the surfaces that come next; to be called before the models change."""
        self._views = dict(zip(self._nodes, views, strict=False))
        for (placed, _model), overlay in self._outlines.items():
            overlay.surface_to_view = self._views[placed.volume_node].surface_to_view

    def draw(self, models: Sequence[Any]) -> None:
        """Outlines of these from now on, whenever they change."""
        self._models = list(models)
        if not self._turns.busy:
            self._turns.run(self._steps())

    def give_way(self) -> None:
        """The views are as before, for another who places the radiographs now."""
        for overlay in self._outlines.values():
            overlay.stop()
        for placed in self._own:
            placed.remove()
        self._outlines, self._own = {}, []

    def remove(self) -> None:
        """For good."""
        self._views = {}
        self.give_way()

    def _steps(self) -> Iterator[None]:
        """One thing after the other, as long as there is one to do."""
        while self._do_next():
            yield

    def _do_next(self) -> bool:
        others = [one for one in self._placed_by_others() if not one.removed]
        self._own = [one for one in self._own if not one.removed]
        placed = {one.volume_node: one for one in (*self._own, *others)}
        for key in [key for key in self._outlines if key[0] not in placed.values()]:
            self._outlines.pop(key).stop()
        for node, view in self._views.items():
            if node not in placed:
                if self._place(node, view.camera, others):
                    return True
            elif _is_same(placed[node].camera, view.camera):
                for model in self._models:
                    if (placed[node], model) not in self._outlines:
                        self._draw_outline(placed[node], model, view)
                        return True
        return False

    def _place(self, node: Any, camera: XrayCamera, others: Sequence[Any]) -> bool:
        """Whether it could be. In the first slice view in which no radiograph is placed."""
        from mri2mesh_slicer.radiographs.display import place_radiograph

        try:
            placed = place_radiograph(slicer.mrmlScene, node, camera, listed=False)
        except InputError:  # the run's own result will say so
            return False
        placed.set_visible(False)  # in 3D, where it may hide the surface; a slice view shows it
        taken = [view for one in (*self._own, *others) for view in one.slice_nodes]
        free = next((view for view in slice_nodes(slicer.mrmlScene) if view not in taken), None)
        if free is not None:
            placed.show_in_slice(free)
        self._own.append(placed)
        return True

    def _draw_outline(self, placed: Any, model: Any, view: LiveView) -> None:
        from mri2mesh_slicer.radiographs.silhouettes import SilhouetteOverlay

        self._outlines[placed, model] = SilhouetteOverlay(
            slicer.mrmlScene, placed, [model], view.surface_to_view
        )


def _is_same(one: XrayCamera, other: XrayCamera) -> bool:
    return all(np.allclose(a, vars(other)[name]) for name, a in vars(one).items())

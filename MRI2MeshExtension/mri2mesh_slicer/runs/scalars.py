"""The per-vertex values of a run's models, shown as colours on the surfaces."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import vtk
from vtk.util.numpy_support import vtk_to_numpy

from mri2mesh.errors import InputError
from mri2mesh_slicer.runs.runs import RunNodes

SCALARS = {
    "uncertainty_mm": "Uncertainty, mm",
    "uncertainty_along_beam_mm": "Uncertainty along the beam, mm",
    "uncertainty_across_mm": "Uncertainty across the beam, mm",
    "support": "Support by the image, 0 to 1",
}
"""Names of the arrays to their titles."""

COLOURS = {
    "support": ("vtkMRMLColorTableNodeFileViridis.txt", "vtkMRMLColorTableNodeIron"),
    "uncertainty": ("vtkMRMLColorTableNodeFilePlasma.txt", "vtkMRMLColorTableNodeIron"),
}
"""IDs of colour nodes, the first that is there: Slicer's own files, then what every MRML scene has."""


def scalars_of(run: RunNodes) -> dict[str, str]:
    """What `show_scalars` can show of this run: array -> title."""
    return {name: title for name, title in SCALARS.items() if _with_array(run.models, name)}


def show_scalars(run: RunNodes, name: str | None) -> None:
    """Colour the models by an array of `SCALARS`, with one range for all of them, or, with None, by structure.

    Raises InputError where no model of the run has that array.
    """
    if name is not None and not _set_scalars(run.models, name):
        raise InputError(f"this run has no {SCALARS.get(name, name)}: choose another")
    for model in run.models:
        display = model.GetDisplayNode()
        if display is not None:
            display.SetScalarVisibility(name is not None and display.GetActiveScalarName() == name)


def prepare_scalars(models: Sequence[Any]) -> None:
    """Uncertainty ready to be switched on, with colours and range; off: the anatomy's colours first."""
    _set_scalars(models, "uncertainty_mm")
    for model in models:
        model.GetDisplayNode().SetScalarVisibility(False)


def _set_scalars(models: Sequence[Any], name: str) -> bool:
    models = _with_array(models, name)
    if not models:
        return False
    upper = 1.0 if name == "support" else _round_up(max(_high_value(model, name) for model in models))
    for model in models:
        display = model.GetDisplayNode()
        display.SetActiveScalar(name, vtk.vtkDataObject.POINT)
        display.SetAndObserveColorNodeID(_colour_node(model.GetScene(), name))
        display.SetScalarRangeFlag(display.UseManualScalarRange)
        display.SetScalarRange(0.0, upper)
    return True


def _with_array(models: Sequence[Any], name: str) -> list[Any]:
    return [
        model
        for model in models
        if model.GetDisplayNode() is not None and model.GetPolyData().GetPointData().HasArray(name)
    ]


def _high_value(model: Any, name: str) -> float:
    """The 99th percentile: one wild vertex does not make all else look certain."""
    values = vtk_to_numpy(model.GetPolyData().GetPointData().GetArray(name))
    values = values[np.isfinite(values)]
    return float(np.percentile(values, 99)) if values.size else 0.0


def _round_up(value: float) -> float:
    """To the next half millimetre, at least one."""
    return max(1.0, math.ceil(2 * value) / 2)


def _colour_node(scene: Any, name: str) -> str:
    candidates = COLOURS["support" if name == "support" else "uncertainty"]
    return next((one for one in candidates if scene.GetNodeByID(one) is not None), candidates[-1])

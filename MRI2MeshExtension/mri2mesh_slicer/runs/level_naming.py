"""The user points at a vertebral body and says its level: the whole run is renamed at once."""

from __future__ import annotations

from typing import Any

import numpy as np
import vtk
from numpy.typing import ArrayLike

from mri2mesh.anatomy.regions import body_of
from mri2mesh.anatomy.structures import STRUCTURES, VERTEBRA_LEVELS
from mri2mesh.errors import InputError
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.vtk_bridge import to_polydata
from mri2mesh_slicer.export.surfaces import mesh_of
from mri2mesh_slicer.mrml_nodes import transform_to_world
from mri2mesh_slicer.runs.level_shift import shift_levels
from mri2mesh_slicer.runs.runs import RunNodes, structure_name

NAMES = (*VERTEBRA_LEVELS, "S1")
IMAGE_LEVEL = "MRI2Mesh.Level"
"""Attribute of an image: one vertebra that is known in it, as the command line's ``--level``."""
NEAR_MM = 4.0
"""Distance outside a body up to which a point still means that body."""


def name_level(run: RunNodes, point: ArrayLike, level: str) -> None:
    """Rename the run so that the body at a point is the vertebra of this level; one undoable step.

    point: [3] world RAS mm. level: of `NAMES`. The run's image keeps it too, for its next run.
    Raises InputError where no body is at the point, or a structure has no name by this count; the image keeps the
    level in the second case, for the next run leaves out what has no name.
    """
    now = body_at(run, point)
    for image in run.inputs[:1]:
        image.SetAttribute(IMAGE_LEVEL, level_text(level, point, image))
    by = NAMES.index(now) - NAMES.index(level)
    try:
        shift_levels(run, by, named=level)
    except InputError as error:
        raise InputError(f"{error}; press Apply again: the image keeps the level that you named") from error


def body_at(run: RunNodes, point: ArrayLike) -> str:
    """The name, now, of the vertebra whose body is at a point (world RAS mm). Raises InputError where none is."""
    distances = {
        structure_name(model): _outside(_body(mesh_of(model)), point)
        for model in run.models
        if STRUCTURES[structure_name(model)].kind in ("vertebra", "sacrum")
    }
    nearest = min(distances, key=lambda name: distances[name], default="")
    if not nearest or distances[nearest] > NEAR_MM:
        raise InputError("no vertebral body of this run is there: click inside a body, in front of the canal")
    return nearest


def level_text(level: str, point: ArrayLike, image: Any) -> str:
    """As the command line's ``--level``, with the point in the image's own RAS, its parent transforms undone."""
    to_own = transform_to_world(image)
    to_own.Inverse()
    own = to_own.TransformPoint(*np.asarray(point, dtype=float))
    return f"{level}@" + ",".join(f"{value:.1f}" for value in own)


def _body(mesh: Mesh) -> Mesh:
    return mesh if mesh.regions is None else body_of(mesh)


def _outside(mesh: Mesh, point: ArrayLike) -> float:
    """Distance from a closed surface, mm; negative inside."""
    distance = vtk.vtkImplicitPolyDataDistance()
    distance.SetInput(to_polydata(mesh))
    return float(distance.EvaluateFunction(*np.asarray(point, dtype=float)))

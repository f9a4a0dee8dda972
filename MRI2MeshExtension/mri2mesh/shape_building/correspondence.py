"""A bone of any topology, from labels or as a surface, in the vertices and faces of its template."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mri2mesh.anatomy.shape_models.model import ShapeModel
from mri2mesh.anatomy.structures import STRUCTURES
from mri2mesh.engines.segmentation.bones import BEND_SPREAD_MM, BENDING, HOLD, Labelled, fit_bone, place_best
from mri2mesh.engines.segmentation.drawn import where_drawn
from mri2mesh.engines.segmentation.fitting.fit import bend
from mri2mesh.engines.segmentation.fitting.priors import prior
from mri2mesh.engines.segmentation.fitting.starts import starts
from mri2mesh.engines.segmentation.fitting.whole import WholeSurface
from mri2mesh.engines.segmentation.patch import Patch
from mri2mesh.errors import InputError
from mri2mesh.geometry.distances import point_to_surface
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.transforms import rotation_about
from mri2mesh.quality.neighbours import unfolded
from mri2mesh.shape_building.subjects import Subject

_POINTS = 4000


@dataclass(frozen=True)
class Corresponding:
    """mesh: of the template's faces, without folds, where the subject's bone is. distance_mm: of the subject's surface
    from it, the mean."""

    subject: Subject
    mesh: Mesh
    distance_mm: float


def corresponding(bone: str, subject: Subject) -> Corresponding:
    """Raises InputError where a bone cannot be placed."""
    source = subject.bone
    if isinstance(source, Patch):
        fitted = fit_bone(Labelled(bone, source), where_drawn([source], source))
        if fitted is None:
            raise InputError(f"{subject.name}: too little of {bone} is in the image")
        mesh, home, outline = fitted.mesh, fitted.home, fitted.evidence.outline
    else:
        model, upright = prior(bone), STRUCTURES[bone].kind in ("hip", "femur", "whole_sacrum")
        mesh, home = onto_surface(model, source, upright=upright), model.surface(model.mean)
        outline = WholeSurface(source).outline
    mesh = unfolded(mesh, home)
    away = point_to_surface(outline[:: max(1, len(outline) // _POINTS)], mesh)
    return Corresponding(subject, mesh, float(away.mean()))


def onto_surface(
    model: ShapeModel, surface: Mesh, *, upright: bool, used: NDArray[np.bool_] | None = None
) -> Mesh:
    """The model's faces laid onto a surface of any triangles, which may have folds still.

    upright: the bone needs no turn to begin with. used: [V] vertices that the surface can say anything about; the
    others are carried along. Files of surfaces rarely say whether they are in LPS or RAS, which is half a turn about
    the long axis: both are tried.
    """
    evidence = WholeSurface(surface)
    used = np.ones(len(model.mean), bool) if used is None else used
    turned = rotation_about([0.0, 0.0, 1.0], 180.0, evidence.outline.mean(axis=0))
    poses = starts(model.mean[used], evidence.outline, (False, False), None, upright)
    placed = place_best(model, evidence, [*poses, *(turned @ pose for pose in poses)], used)
    vertices = bend(
        placed.vertices,
        model.faces,
        evidence,
        used,
        stiffness=BENDING[True],
        hold=HOLD,
        spread=BEND_SPREAD_MM,
    )
    return model.surface(vertices)

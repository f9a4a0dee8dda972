"""A bone of any topology, from labels or as a surface, in the vertices and faces of its template."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

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
        mesh, home, outline = _from_surface(bone, source)
    mesh = unfolded(mesh, home)
    away = point_to_surface(outline[:: max(1, len(outline) // _POINTS)], mesh)
    return Corresponding(subject, mesh, float(away.mean()))


def _from_surface(bone: str, surface: Mesh) -> tuple[Mesh, Mesh, NDArray[np.float64]]:
    """Files of surfaces rarely say whether they are in LPS or RAS, which is half a turn about the long axis: both are
    tried."""
    model, evidence = prior(bone), WholeSurface(surface)
    used = np.ones(len(model.mean), bool)
    upright = STRUCTURES[bone].kind in ("hip", "femur", "whole_sacrum")
    turned = rotation_about([0.0, 0.0, 1.0], 180.0, evidence.outline.mean(axis=0))
    poses = starts(model.mean, evidence.outline, (False, False), None, upright)
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
    return model.surface(vertices), model.surface(model.mean), evidence.outline

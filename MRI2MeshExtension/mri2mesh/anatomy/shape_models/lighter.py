"""A shape model's surfaces with fewer faces: some of its vertices, so that the same coefficients move them alike."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from vtkmodules.vtkFiltersCore import vtkQuadricDecimation

from mri2mesh.anatomy.shape_models.model import ShapeModel
from mri2mesh.geometry.vtk_bridge import from_polydata, to_polydata


def lighter_faces(model: ShapeModel, count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """[F', 3] faces over the model's own vertices, about ``count`` in all, every part closed still; and the part of
    each [F']. The model's own where it has no more."""
    if len(model.faces) <= count:
        return model.faces, model.part
    faces, part = [], []
    for number, name in enumerate(model.part_names):
        own = model.part_vertices(name)
        mesh = model.surface(model.mean, name)
        decimate = vtkQuadricDecimation()
        decimate.SetInputData(to_polydata(mesh))
        decimate.SetTargetReduction(1 - count / len(model.faces))
        decimate.VolumePreservationOn()
        decimate.Update()
        small = from_polydata(decimate.GetOutput())
        # its vertices lie between the surface's: each stands for the nearest of those
        corners = own[cKDTree(mesh.vertices).query(small.vertices)[1]][small.faces]
        folded = (corners == np.roll(corners, 1, axis=1)).any(1)
        faces.append(corners[~folded])
        part.append(np.full(int((~folded).sum()), number))
    return np.concatenate(faces), np.concatenate(part)


def lighter(model: ShapeModel, count: int) -> ShapeModel:
    """The model over the vertices that `lighter_faces` uses, without landmarks; its modes are no longer orthonormal."""
    faces, part = lighter_faces(model, count)
    used = np.unique(faces)
    renumber = np.full(len(model.mean), -1)
    renumber[used] = np.arange(len(used))
    return ShapeModel(
        name=model.name,
        mean=model.mean[used],
        modes=model.modes[:, used],
        variances=model.variances,
        faces=renumber[faces],
        part=part,
        part_names=model.part_names,
        landmarks={},
        scores=model.scores,
        subjects=model.subjects,
        mirrored=model.mirrored,
        attribution=model.attribution,
        licence=model.licence,
        frame=model.frame,
        groups=model.groups,
        local=model.local,
    )

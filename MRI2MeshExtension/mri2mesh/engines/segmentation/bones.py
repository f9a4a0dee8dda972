"""One bone from its labels: a prior placed, then bent to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from mri2mesh.anatomy.regions import closed_part, is_body, main_part
from mri2mesh.anatomy.shape_models.model import ShapeModel
from mri2mesh.anatomy.structures import STRUCTURES
from mri2mesh.engines.segmentation.drawn import Drawn, slices_about
from mri2mesh.engines.segmentation.fitting.coccyx import COCCYX
from mri2mesh.engines.segmentation.fitting.fit import Placed, bend, place, posterior_mm
from mri2mesh.engines.segmentation.fitting.observations import Evidence, Together
from mri2mesh.engines.segmentation.fitting.priors import prior
from mri2mesh.engines.segmentation.fitting.sliced import SlicedLabels
from mri2mesh.engines.segmentation.fitting.starts import cut_by_the_image, starts
from mri2mesh.engines.segmentation.fitting.whole import WholeSurface
from mri2mesh.engines.segmentation.patch import Patch
from mri2mesh.errors import InputError
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.sampling import vertex_normals

MEAN_ROUNDS, SEARCH_ROUNDS = 12, 10
BENDING = {
    True: (30.0, 10.0, 5.0, 2.0, 1.0, 0.5, 0.3, 0.2, 0.2, 0.2),
    False: (30.0, 10.0, 5.0, 2.0, 1.0, 1.0),
}
"""Stiffness of each round of bending, for whole labels and for those in slices, between which the model knows more
than a smooth surface does."""
HOLD = 0.01
BEND_SPREAD_MM = 4.0
LEAST_IN_VIEW = 0.4
"""A vertebra or a disc of which less is in the image is left out: what is seen does not place it."""
COCCYX_NEAR_MM, COCCYX_SHARE = 8.0, 0.4
"""A coccyx was drawn where at least this share of the mean's, laid on the labels, has labels this near."""
LEAST_POINTS = 60
"""Fewer points of outline than this, about a millimetre apart, are no bone."""


@dataclass(frozen=True)
class Labelled:
    """A bone's voxels, and what is known of them. body: of a vertebra only the body was drawn. direction: [3] the
    spine's there, or None."""

    name: str
    patch: Patch
    body: bool = False
    direction: NDArray[np.float64] | None = None


@dataclass(frozen=True)
class Fitted:
    """mesh: in RAS, faces and regions of its template. home: the same faces without folds. evidence: its labels.
    posterior_mm: [V] standard deviation that the model has where no label says more. noise_mm: of what labels say."""

    name: str
    mesh: Mesh
    home: Mesh
    evidence: Evidence
    posterior_mm: NDArray[np.float64]
    noise_mm: float

    def support(self, mesh: Mesh) -> NDArray[np.float32]:
        """[V] 1 where a label says where the surface is, 0 where the model filled it in."""
        vertices = mesh.vertices.astype(np.float64)
        return self.evidence.covers(vertices, vertex_normals(mesh)).astype(np.float32)

    def uncertainty_mm(self, support: NDArray) -> NDArray[np.float32]:
        """[V] one standard deviation, mm."""
        squares = support * self.noise_mm**2 + (1 - support) * (self.noise_mm**2 + self.posterior_mm**2)
        return np.sqrt(squares).astype(np.float32)


def evidence_of(bone: Labelled, drawn: Drawn) -> Evidence:
    """Raises InputError where too little was drawn to place a bone by."""
    evidence = WholeSurface.of_labels(bone.patch) if drawn.whole else _of_slices(bone.patch, drawn)
    if len(evidence.outline) < LEAST_POINTS:
        raise InputError(
            f"too little of {bone.name} was labelled to place a bone by: draw more of it, or leave it out"
        )
    return evidence


def _of_slices(bone: Patch, drawn: Drawn) -> Evidence:
    parts: list[Evidence] = []
    for stack in drawn.stacks:
        slices = slices_about(bone, stack)
        if len(slices):
            parts.append(SlicedLabels(bone, stack.axis, slices, float(bone.spacing[stack.axis])))
    for sheet in drawn.sheets:
        if (flat := sheet.patch(bone)) is not None:
            parts.append(SlicedLabels(flat, 2, np.array([1]), sheet.thick_mm))
    return parts[0] if len(parts) == 1 else Together(parts)


def fit_bone(bone: Labelled, drawn: Drawn, whole_from_body: bool = False) -> Fitted | None:
    """The bone, None where too little of it is in the image.

    whole_from_body: of a vertebra whose body alone was drawn, the whole, its arch from the prior.
    """
    model = prior(bone.name)
    evidence = evidence_of(bone, drawn)
    poses = _poses(model, bone, evidence)
    used = _part_drawn(model, bone, evidence, poses)
    placed = place_best(model, evidence, poses, used)
    if _hardly_in_view(bone, model, placed.vertices):
        return None
    mesh, home = model.surface(placed.vertices), model.surface(model.mean)
    spread = posterior_mm(model, placed.covariance)
    if not used.all() and not (bone.body and whole_from_body):
        mesh, home = closed_part(mesh, used), closed_part(home, used)
        spread = np.concatenate([spread[used], np.full(len(mesh.vertices) - used.sum(), spread[used].mean())])
        used = np.ones(len(mesh.vertices), bool)
    vertices = bend(
        mesh.vertices.astype(np.float64),
        mesh.faces,
        evidence,
        used,
        stiffness=BENDING[drawn.whole],
        hold=HOLD,
        spread=BEND_SPREAD_MM,
    )
    spacing = bone.patch.spacing
    noise = 0.3 * float(np.mean(spacing if drawn.axis is None else np.delete(spacing, drawn.axis)))
    return Fitted(bone.name, mesh.with_vertices(vertices), home, evidence, spread, noise)


def _poses(model: ShapeModel, bone: Labelled, evidence: Evidence) -> list[NDArray[np.float64]]:
    """4x4 each, where a fit may begin."""
    used = is_body(np.asarray(model.regions)) if bone.body else np.ones(len(model.mean), bool)
    upright = STRUCTURES[bone.name].kind in ("hip", "femur", "whole_sacrum")
    return starts(model.mean[used], evidence.outline, cut_by_the_image(bone.patch), bone.direction, upright)


def _part_drawn(
    model: ShapeModel, bone: Labelled, evidence: Evidence, poses: Sequence[NDArray]
) -> NDArray[np.bool_]:
    """[V] vertices that the labels can say anything about: of a vertebra the body, where it alone was drawn; of a
    sacrum all but the coccyx, where nothing was drawn that far down."""
    if bone.body:
        return is_body(np.asarray(model.regions))
    used = np.ones(len(model.mean), bool)
    if COCCYX in model.landmarks:
        rough = place(model, evidence, poses[0], used=used, turns=[0] * SEARCH_ROUNDS)
        tip = model.landmarks[COCCYX]
        away = cKDTree(evidence.outline).query(rough.vertices[tip])[0]
        used[tip] = float((away < COCCYX_NEAR_MM).mean()) >= COCCYX_SHARE
    return used


def place_best(
    model: ShapeModel, evidence: Evidence, poses: Sequence[NDArray], used: NDArray[np.bool_]
) -> Placed:
    """From the start (4x4 each) whose mean shape comes nearest to the labels."""
    if len(poses) > 1:
        tried = [place(model, evidence, pose, used=used, turns=[0] * SEARCH_ROUNDS) for pose in poses]
        poses = [min(tried, key=lambda one: misfit(evidence, one.vertices, model, used)).pose]
    own = len(model.modes) - model.local
    turns = [0] * MEAN_ROUNDS + [min(15, own)] * 6 + [own] * 5 + [len(model.modes)] * 5
    return place(model, evidence, poses[0], used=used, turns=turns)


def _hardly_in_view(bone: Labelled, model: ShapeModel, vertices: NDArray) -> bool:
    """Whether the image cuts off so much of a vertebra or a disc that its place is a guess."""
    kind = STRUCTURES[bone.name].kind
    if kind not in ("vertebra", "disc", "sacrum") or not any(cut_by_the_image(bone.patch)):
        return False
    ijk = bone.patch.ijk_from_ras(vertices[main_part(np.asarray(model.regions), kind)])
    inside = ((ijk >= bone.patch.first - 0.5) & (ijk <= bone.patch.last + 0.5)).all(axis=1)
    return float(inside.mean()) < LEAST_IN_VIEW


def misfit(evidence: Evidence, vertices: NDArray, model: ShapeModel, used: NDArray[np.bool_]) -> float:
    """Mean distance between surface and labels, mm, none counted as more than 8."""
    seen = evidence.observe(vertices, model.faces, used, 10.0)
    return float(np.minimum(np.abs(seen.offset), 8.0).mean())

"""One person's pelvis, femora and lower spine, posed as people stand or lie for a radiograph."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.sampling import vertex_normals
from mri2mesh.rendering.surfaces import ClosedSurfaces
from mri2mesh.synthesis.films.region_shapes import RegionShapes, head_rows
from mri2mesh.synthesis.films.spines import LEVELS, LowerSpines
from mri2mesh.synthesis.films.variation import blended, deformed, with_growths

SPINE_PATH = 1
"""Paths through bone are summed over all of `BONES` (0) and over the vertebrae (1), which are not looked for."""
_MIRROR = np.array([-1.0, 1.0, 1.0])


@dataclass(frozen=True)
class PosedRegion:
    """vertices: [V, 3] RAS mm of all bones, the origin midway between the hip joint centres. bone_vertices: how many
    of them are those of `BONES`; the rest are vertebrae. hips_ras_mm: the joint centres, left and right. femora: the
    rotation of each femur against the pelvis [2, 3, 3]."""

    vertices: NDArray[np.float32]
    bone_vertices: int
    hips_ras_mm: NDArray[np.float64]
    thighs: NDArray[np.float64] = field(repr=False)
    """[2, 3] unit vectors down the shafts."""


class RegionMaker:
    """Draws posed regions from shapes and spines; its topology is the same for all of them."""

    def __init__(self, shapes: RegionShapes, spines: LowerSpines | None) -> None:
        self.shapes, self.spines = shapes, spines
        template = shapes.template
        self.bone_faces = template.faces
        self.bone_label = template.part
        self.canonical = shapes.canonical()
        faces, label = [template.faces], [np.zeros_like(template.part)]
        start = len(template.mean)
        for _ in LEVELS if spines is not None else ():
            assert spines is not None
            faces.append(spines.faces + start)
            label.append(np.full(len(spines.faces), SPINE_PATH))
            start += spines.vertices.shape[2]
        self.surfaces = ClosedSurfaces.of(np.concatenate(faces), start, np.concatenate(label))
        self.cortex_mm = self._cortex(start)
        self._groups = {
            source: np.flatnonzero([name == source for name in shapes.pelvis_sources])
            for source in sorted(set(shapes.pelvis_sources))
        }

    def _cortex(self, count: int) -> NDArray[np.float32]:
        """[V] usual thickness of the shell: thin at joints, sacrum and vertebrae, thick along the femoral shaft."""
        shell = np.full(count, 0.8, np.float32)
        bones = len(self.canonical)
        part = np.zeros(bones, np.int64)
        part[self.bone_faces.ravel()] = np.repeat(self.bone_label, 3)
        shell[:bones] = np.array([1.7, 1.7, 1.0, 1.3, 1.3])[part]
        below = -self.canonical[:, 2]
        shaft = np.clip((below - 35) / 70, 0, 1) * np.clip((380 - below) / 120, 0, 1)
        shell[:bones] += np.where(part >= 3, 4.7 * shaft, 0)
        return shell

    def draw(self, rng: np.random.Generator, strength: float = 1.0) -> PosedRegion:
        """One region. strength: of the smooth deformation; 0 gives blends of subjects, stretched."""
        rows = self._groups[str(rng.choice(list(self._groups)))]
        pelvis = deformed(blended(self.shapes.pelves[rows], rng), rng, strength)
        femora = [deformed(blended(self.shapes.femora, rng), rng, strength)]
        # Left and right differ a little in everybody, and much in some.
        other = deformed(femora[0], rng, strength * (0.4 if rng.random() < 0.8 else 1.0))
        femora.append(
            other if rng.random() < 0.85 else deformed(blended(self.shapes.femora, rng), rng, strength)
        )
        if rng.random() < 0.2:
            pelvis, femora = self._with_arthritis(pelvis, femora, rng)
        return self.pose(pelvis, femora, rng)

    def pose(
        self, pelvis: NDArray, femora: list[NDArray], rng: np.random.Generator, *, fitted: bool = True
    ) -> PosedRegion:
        """Femora [W, 3] (both as left ones, origin the head's centre) seated in the pelvis [V, 3]; joints turned,
        then the whole pelvis. fitted: heads are sized to the sockets."""
        template, head = self.shapes.template, head_rows(self.shapes.template)
        placed, hips, thighs = [pelvis], [], []
        spread = rng.normal(2.0, 5.0)
        flexed = 0.0 if rng.random() < 0.6 else abs(rng.normal(0, 15.0))
        for side, mirror, femur in zip(("left", "right"), (np.ones(3), _MIRROR), femora, strict=True):
            socket = pelvis[template.landmarks[f"acetabulum_centre_{side}"]]
            centre = socket.mean(axis=0)
            if fitted:
                ratio = _radius(socket) / _radius(femur[head]) * rng.uniform(0.9, 0.96)
                femur = femur * np.clip(ratio, 0.85, 1.18)
            turn = _joint(rng, spread, flexed)
            gap = rng.normal(0, 0.6, 3) + [0, 0, -0.3]
            turned = (femur - femur[head].mean(axis=0)) @ turn.T
            placed.append((turned + gap) * mirror + centre)
            hips.append(centre)
            shaft = placed[-1][femur[:, 2] < np.quantile(femur[:, 2], 0.2)].mean(axis=0) - centre
            thighs.append(shaft / np.linalg.norm(shaft))
        bones = np.concatenate(placed)
        if self.spines is not None:
            spine = self.spines.on(pelvis[self._endplate], rng)
            bones = np.concatenate([bones, spine.reshape(-1, 3)])
        tilt = rng.normal(0, [9.0, 4.0, 5.0]) * (2.0 if rng.random() < 0.1 else 1.0)
        whole = Rotation.from_euler("xyz", tilt, degrees=True).as_matrix()
        return PosedRegion(
            (bones @ whole.T).astype(np.float32),
            len(template.mean),
            np.array(hips) @ whole.T,
            np.array(thighs) @ whole.T,
        )

    @cached_property
    def _endplate(self) -> NDArray[np.int64]:
        return self.shapes.endplate

    def _with_arthritis(
        self, pelvis: NDArray, femora: list[NDArray], rng: np.random.Generator
    ) -> tuple[NDArray, list[NDArray]]:
        """Growths around one or both joints."""
        template = self.shapes.template
        count = len(pelvis)
        faces = template.faces[template.part < 3]
        normals = vertex_normals(Mesh(pelvis, faces))
        femur_faces = template.faces[template.part == 3] - count
        for number, side in enumerate(("left", "right")):
            if rng.random() < 0.7:
                centre = pelvis[template.landmarks[f"acetabulum_centre_{side}"]].mean(axis=0)
                pelvis = with_growths(pelvis, normals, centre, rng)
                own = vertex_normals(Mesh(femora[number], femur_faces))
                femora[number] = with_growths(femora[number], own, np.zeros(3), rng)
        return pelvis, femora


def _radius(points: NDArray) -> float:
    return float(np.linalg.norm(points - points.mean(axis=0), axis=1).mean())


def _joint(rng: np.random.Generator, spread_deg: float, flexed_deg: float) -> NDArray[np.float64]:
    """[3, 3] of a left hip: flexion, abduction, then rotation about the shaft; legs apart and feet turned as they lie.

    A left leg is abducted towards -x: a turn about +y by a positive angle takes -z to -x.
    """
    flexion = -(flexed_deg * rng.uniform(0.3, 1.3) + rng.normal(0, 5.0))
    abduction = spread_deg + rng.normal(0, 3.0)
    turned = rng.normal(0.0, 13.0)
    return np.asarray(Rotation.from_euler("zyx", [turned, abduction, -flexion], degrees=True).as_matrix())

"""Pelvis and femora of the 26 subjects of the lower-limb model, brought back from its modes and seated in the hip.

The source holds a mean, modes and every subject's weights, so that the subjects themselves come back exactly. Its bones
were aligned one by one: in the source the femoral head is up to 27 mm away from the acetabulum it belongs to. So every
femur is moved, not turned, until head and acetabulum have one centre. The right femur is the left one's mirror image.
All are turned together until the mean pelvis is symmetric about x = 0: in the source it is turned by a few degrees.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from building.anatomy.symmetry import sagittal_plane, to_plane
from building.shapes.axes import femur_facts, pelvis_facts, require, to_ras
from mri2mesh.anatomy.hip_joints import acetabulum, femoral_head, sphere
from mri2mesh.errors import InputError
from mri2mesh.geometry.checks import outward
from mri2mesh.geometry.connectivity import component_labels
from mri2mesh.geometry.mesh import Mesh

_MIRROR = np.array([-1.0, 1.0, 1.0])


@dataclass(frozen=True)
class LowerLimbs:
    """bones: name -> [S, V, 3] mm RAS; faces: name -> [F, 3], closed and outward. Femora sit in their acetabula."""

    bones: dict[str, NDArray]
    faces: dict[str, NDArray]
    subjects: tuple[str, ...]


def read_lower_limbs(data: Path) -> LowerLimbs:
    """All subjects. Raises InputError when the file is missing or its axes are not those recorded."""
    path = data / "lower_limb" / "pelvis_femur_llp26.npz"
    if not path.is_file():
        raise InputError(f"{path.name} is missing: point --data at the training data folder")
    with np.load(path, allow_pickle=False) as stored:
        source = {key: stored[key] for key in stored.files}
    shapes = {
        bone: to_ras(
            source[f"{bone}_vertices"]
            + np.einsum("vcm,ms->svc", source[f"{bone}_modes"], source["projectedWeights"]),
            "lower_limb",
        )
        for bone in ("pelvis", "femur_left")
    }
    normal, point = sagittal_plane(shapes["pelvis"].mean(axis=0))
    shapes = {
        bone: np.stack([to_plane(shape, normal, point) for shape in vertices])
        for bone, vertices in shapes.items()
    }
    bones, faces = _parts_of_pelvis(shapes["pelvis"], source["pelvis_faces"].astype(np.int64))
    bones["femur_left"] = shapes["femur_left"]
    faces["femur_left"] = source["femur_left_faces"].astype(np.int64)
    bones["femur_right"] = _mirrored_femora(shapes["pelvis"], bones["femur_left"])
    faces["femur_right"] = faces["femur_left"][:, ::-1]
    for side in ("left", "right"):
        bones[f"femur_{side}"] = seated(bones[f"femur_{side}"], bones[f"hip_{side}"])
    mean = {name: vertices.mean(axis=0) for name, vertices in bones.items()}
    require(pelvis_facts(mean["hip_left"], mean["hip_right"], mean["sacrum"]), "lower_limb")
    for side in ("left", "right"):
        require(femur_facts(mean[f"femur_{side}"], side), "lower_limb")
    faces = {name: outward(Mesh(mean[name], triangles)).faces for name, triangles in faces.items()}
    subjects = tuple(f"limb{number:02d}" for number in range(1, len(shapes["pelvis"]) + 1))
    return LowerLimbs(bones, faces, subjects)


def _parts_of_pelvis(vertices: NDArray, faces: NDArray) -> tuple[dict[str, NDArray], dict[str, NDArray]]:
    """The source's pelvis in its three pieces: of the two like ones the left has the smaller x in RAS."""
    mean = vertices.mean(axis=0)
    count, labels = component_labels(Mesh(mean, faces))
    pieces = [np.unique(faces[labels == label]) for label in range(count)]
    sacrum = max(pieces, key=len)
    left, right = sorted((piece for piece in pieces if piece is not sacrum), key=lambda p: mean[p, 0].mean())
    bones, parts = {}, {}
    for name, piece in (("hip_left", left), ("hip_right", right), ("sacrum", sacrum)):
        renumber = np.full(len(mean), -1)
        renumber[piece] = np.arange(len(piece))
        bones[name] = vertices[:, piece]
        parts[name] = renumber[faces[np.isin(faces, piece).all(axis=1)]]
    return bones, parts


def _mirrored_femora(pelvis: NDArray, femora: NDArray) -> NDArray[np.float64]:
    """[S, V, 3] femora reflected in the plane of symmetry of each subject's pelvis."""
    images = []
    for bones, femur in zip(pelvis, femora, strict=True):
        normal, point = sagittal_plane(bones[::3], iterations=30)  # rows lie in no order: a fair sample
        images.append(femur - 2 * ((femur - point) @ normal)[:, None] * normal)
    return np.stack(images)


def seated(femora: NDArray, hips: NDArray) -> NDArray[np.float64]:
    """[S, V, 3] femora moved until each head's centre is the centre of its acetabulum.

    Both spheres go through the same vertices in every subject: those of the mean bones' joint surfaces.
    """
    mean_hip = hips.mean(axis=0)
    centre, _, _ = acetabulum(mean_hip, np.sign(np.median(mean_hip[:, 0])))
    distance = np.linalg.norm(mean_hip - centre, axis=1)
    socket = np.abs(distance - np.median(distance[distance < 32.0])) < 2.5
    _, _, head = femoral_head(femora.mean(axis=0))
    moved = [
        femur + sphere(hip[socket])[0] - sphere(femur[head])[0]
        for femur, hip in zip(femora, hips, strict=True)
    ]
    return np.stack(moved)

"""Pelvises and femora of other sources than the models', to fit them to: surfaces in RAS from labels or meshes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import trimesh

from mri2mesh.engines.segmentation.label_map import read_label_map
from mri2mesh.engines.segmentation.parts import patches_of
from mri2mesh.errors import InputError
from mri2mesh.geometry.isosurface import surface_from_labels
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.sampling import face_normals

LABELLED = ("001", "002", "004", "005")
_LABELS = {1: "hips", 2: "femora", 3: "sacrum"}
_CUT_MM = 4.0


def labelled_bones(data: Path, number: str) -> dict[str, Mesh]:
    """Surfaces of one subject of ``pelvic_labels`` (1 x 1 x 3 mm): hips (both), sacrum, femur_left, femur_right.

    Femora are cut by the lower edge of the image; the cut is left out, so their surfaces are open there.
    Raises InputError when the file is missing.
    """
    path = data / "pelvic_labels" / f"pelvic_ref_{number}_labels.nii.gz"
    if not path.is_file():
        raise InputError(f"{path.name} is missing: point --data at the training data folder")
    patches = patches_of(read_label_map([path], {}), _LABELS)
    surfaces = {name: surface_from_labels(patch, largest=True) for name, patch in patches.items()}
    return {
        "hips": together(surfaces["hip_left"], surfaces["hip_right"]),
        "sacrum": surfaces["sacrum"],
        **{name: without_lower_cut(surfaces[name]) for name in ("femur_left", "femur_right")},
    }


def visible_human_pelvis(data: Path) -> dict[str, Mesh]:
    """Hips (one piece, joined at the symphysis) and sacrum of the Visible Human Male."""
    bones = {}
    for name, file in (("hips", "pelvis.ply"), ("sacrum", "S1.ply")):
        path = data / "visible_human_male" / file
        if not path.is_file():
            raise InputError(f"{path.name} is missing: point --data at the training data folder")
        mesh = trimesh.load_mesh(path, process=True)
        bones[name] = Mesh(mesh.vertices, mesh.faces)
    return bones


def without_lower_cut(mesh: Mesh) -> Mesh:
    """The surface without the flat face at its lower end, where the image ended: that is no bone."""
    heights = mesh.vertices[mesh.faces, 2].mean(axis=1)
    cut = (heights < mesh.vertices[:, 2].min() + _CUT_MM) & (face_normals(mesh)[:, 2] < -0.5)
    return Mesh(mesh.vertices, mesh.faces[~cut])


def together(*meshes: Mesh) -> Mesh:
    """Several surfaces as one."""
    offsets = np.cumsum([0] + [len(mesh.vertices) for mesh in meshes[:-1]])
    return Mesh(
        np.concatenate([mesh.vertices for mesh in meshes]),
        np.concatenate([mesh.faces + offset for mesh, offset in zip(meshes, offsets, strict=True)]),
    )

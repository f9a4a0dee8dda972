"""A small, asymmetric reconstruction of analytic shapes, and an oblique, thick-sliced image around it."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from mri2mesh.anatomy.structures import STRUCTURES
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.volume import Volume
from mri2mesh.reconstruction import Check, ReconstructedStructure, Reconstruction

TILT = Rotation.from_euler("xyz", [5, -8, 12], degrees=True).as_matrix()


def ellipsoid(centre: NDArray, radii: NDArray, n: int = 24) -> Mesh:
    """Closed, outward; n rings of 2n vertices between two poles, tilted: symmetric about no patient axis."""
    theta, phi = np.linspace(0, np.pi, n + 2)[1:-1], np.arange(2 * n) * np.pi / n
    ring = np.stack(
        [
            np.outer(np.sin(theta), np.cos(phi)),
            np.outer(np.sin(theta), np.sin(phi)),
            np.outer(np.cos(theta), np.ones(2 * n)),
        ],
        axis=-1,
    )
    unit = np.concatenate([[[0, 0, 1]], ring.reshape(-1, 3), [[0, 0, -1]]])
    index = 1 + np.arange(n * 2 * n).reshape(n, 2 * n)
    following = np.roll(index, -1, axis=1)
    last = len(unit) - 1
    faces = [np.stack([np.zeros(2 * n, int), index[0], following[0]], axis=1)]
    for r in range(n - 1):
        faces.append(np.stack([index[r], index[r + 1], following[r + 1]], axis=1))
        faces.append(np.stack([index[r], following[r + 1], following[r]], axis=1))
    faces.append(np.stack([index[-1], np.full(2 * n, last), following[-1]], axis=1))
    vertices = (unit * radii) @ TILT.T + centre
    region = np.where(unit[:, 2] > 0.9, 1, np.where(unit[:, 2] < -0.9, 2, 0)).astype(np.int16)
    return Mesh(vertices, np.concatenate(faces), {"region": region})


def place(name: str, centre: NDArray, radii: NDArray) -> ReconstructedStructure:
    mesh = ellipsoid(centre, radii)
    towards_back = (centre[1] - mesh.vertices[:, 1]) / radii[1]
    uncertainty = (0.6 + 0.3 * towards_back).astype(np.float32)
    return ReconstructedStructure(
        STRUCTURES[name], mesh, uncertainty, (towards_back < 0.5).astype(np.float32)
    )


@pytest.fixture(scope="session")
def spine() -> Reconstruction:
    """L1 to L5, S1 and the discs between them as ellipsoids: lordotic, a little scoliotic, off the origin."""
    levels = ["L1", "L2", "L3", "L4", "L5", "S1"]
    structures = []
    for step, name in enumerate(levels):
        s = step - 2.0
        centre = np.array([12 + 1.5 * s**2, -20 + 2 * s - 1.2 * s**2, 60 - 34.0 * step])
        structures.append(place(name, centre, np.array([23 + step, 16, 12.0])))
        if name != "S1":
            below = centre + [0.75, 1, -17.0]
            structures.append(place(f"{name}-{levels[step + 1]}", below, np.array([21 + step, 15, 3.5])))
    return Reconstruction(
        engine="mri2mesh",
        structures=structures,
        checks=[
            Check(
                "edges agree with the image",
                0.81,
                0.6,
                True,
                "81 % of the surface lies on an edge of the image",
            ),
            Check(
                "neighbours overlap, mm",
                1.4,
                0.5,
                False,
                "L4 and its disc touch <1.4 mm deep>",
                structure="L4",
            ),
        ],
        warnings=["the field of view cuts S1 & what is below"],
        provenance={
            "weights": [
                {
                    "name": "mri2mesh.safetensors",
                    "sha256": "ab" * 32,
                    "licence": "CC BY-SA 4.0",
                    "path": "/home/x",
                }
            ],
            "device": "cpu",
            "settings": {"seed": np.int64(3), "slices": "4 mm"},
            "patient": "Doe^Jane",
        },
        timings_s={"read": 0.2, "localise": 4.25},
    )


@pytest.fixture(scope="session")
def oblique_image(spine: Reconstruction) -> Volume:
    """Sagittal 4 mm slices, 1.5 mm in plane, tilted, with an L-shaped bright mark and bright ellipsoids."""
    size = np.array([150, 170, 20])  # i towards the back, j towards the feet, k towards the left
    axes = TILT @ np.array([[0, 0, -1.0], [-1, 0, 0], [0, -1, 0]])
    matrix = np.eye(4)
    matrix[:3, :3] = axes * [1.5, 1.5, 4.0]
    matrix[:3, 3] = [14, -30, -25] - matrix[:3, :3] @ ((size - 1) / 2)
    volume = Volume(np.zeros(size[::-1], np.float32), matrix, 4.0, {"modality": "MR", "patient": "Doe^Jane"})
    k, j, i = np.indices(volume.array.shape)
    ras = volume.ras_from_ijk(np.stack([i, j, k], axis=-1))
    grey = 60 + 20 * np.sin(ras[..., 1] / 9) + 15 * np.cos(ras[..., 2] / 13) + 0.2 * ras[..., 0]
    for structure in spine.structures:
        points = structure.mesh.vertices.astype(float)
        centre = (points.min(axis=0) + points.max(axis=0)) / 2
        radii = np.abs((points - centre) @ TILT).max(axis=0)
        inside = (((ras - centre) @ TILT / radii) ** 2).sum(axis=-1) < 1
        grey = np.where(inside, 220 if structure.structure.kind == "disc" else 150, grey)
    return volume.with_array(grey.astype(np.float32))

"""Vertebrae, femora and a pelvis of blocks, balls and rods, whose every measure is known."""

from __future__ import annotations

import numpy as np
import trimesh
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from mri2mesh.anatomy.regions import Region
from mri2mesh.anatomy.structures import STRUCTURES
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.reconstruction import ReconstructedStructure, Reconstruction

WIDTH, DEPTH, BACK_HEIGHT, FRONT_HEIGHT = 44.0, 32.0, 26.0, 30.0
CANAL, PEDICLE_LEFT, PEDICLE_RIGHT = 17.0, 9.0, 11.0
WEDGE = 2 * np.degrees(np.arctan2((FRONT_HEIGHT - BACK_HEIGHT) / 2, DEPTH))


def block(size: tuple[float, float, float], centre: tuple[float, float, float], edge: float = 2.0) -> Mesh:
    """A box in fine triangles."""
    solid = trimesh.creation.box(size)
    while solid.edges_unique_length.max() > edge * 1.5:
        solid = solid.subdivide()
    return Mesh(solid.vertices + centre, solid.faces)


def together(parts: list[tuple[Mesh, NDArray | int]]) -> Mesh:
    """One surface of several pieces, each with its regions."""
    vertices, faces, regions, count = [], [], [], 0
    for mesh, region in parts:
        vertices.append(mesh.vertices)
        faces.append(mesh.faces + count)
        regions.append(np.broadcast_to(region, (len(mesh.vertices),)))
        count += len(mesh.vertices)
    return Mesh(
        np.concatenate(vertices), np.concatenate(faces), {"region": np.concatenate(regions).astype(np.int16)}
    )


def body() -> tuple[Mesh, NDArray]:
    """A wedge, taller in front by the same amount above and below."""
    mesh = block((WIDTH, DEPTH, 1.0), (0, 0, 0))
    vertices = mesh.vertices.astype(float)
    top, bottom = vertices[:, 2] > 0.49, vertices[:, 2] < -0.49
    share = (vertices[:, 1] + DEPTH / 2) / DEPTH
    vertices[:, 2] *= BACK_HEIGHT + share * (FRONT_HEIGHT - BACK_HEIGHT)
    regions = np.where(top, Region.SUPERIOR_ENDPLATE, np.where(bottom, Region.INFERIOR_ENDPLATE, Region.BODY))
    return mesh.with_vertices(vertices), regions


def vertebra() -> Mesh:
    """The body, pedicles of two widths, and an arch whose front face closes the canal."""
    behind = -DEPTH / 2
    parts: list[tuple[Mesh, NDArray | int]] = [
        body(),
        (block((PEDICLE_LEFT, 12, 14), (-15, behind - 6, 3)), Region.PEDICLE_LEFT),
        (block((PEDICLE_RIGHT, 12, 14), (15, behind - 6, 3)), Region.PEDICLE_RIGHT),
        (block((24, 6, 16), (0, behind - CANAL - 3, 0)), Region.LAMINA),
    ]
    for left, right, height in (
        (Region.FACET_SUPERIOR_LEFT, Region.FACET_SUPERIOR_RIGHT, 12.0),
        (Region.FACET_INFERIOR_LEFT, Region.FACET_INFERIOR_RIGHT, -12.0),
        (Region.TRANSVERSE_LEFT, Region.TRANSVERSE_RIGHT, 0.0),
    ):
        parts += [
            (block((4, 4, 4), (side * 30, behind - 10, height)), region)
            for side, region in ((-1, left), (1, right))
        ]
    return together(parts)


def s1(slope: float) -> Mesh:
    """A body whose endplate leans forwards by so many degrees, its middle at the origin."""
    mesh = block((50, DEPTH, 20), (0, 0, -10))
    regions = np.where(mesh.vertices[:, 2] > -0.01, Region.SUPERIOR_ENDPLATE, Region.BODY)
    turned = Rotation.from_euler("x", -slope, degrees=True).apply(mesh.vertices)
    return Mesh(turned, mesh.faces, {"region": regions.astype(np.int16)})


def moved(mesh: Mesh, turn: Rotation, shift: tuple[float, float, float] | NDArray) -> Mesh:
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = turn.as_matrix(), shift
    return mesh.transformed(matrix)


def femur(
    neck_shaft: float, anteversion: float, radius: float = 24.0, side: str = "left", knee: bool = True
) -> Mesh:
    """A left femur: a ball at the origin, a neck, a shaft straight down and, if there is a knee, two condyles.

    The condyles' hindmost points lie on one line from left to right.
    """
    medial_up = np.array([np.sin(np.radians(180 - neck_shaft)), 0, np.cos(np.radians(180 - neck_shaft))])
    medial_up = Rotation.from_euler("z", anteversion, degrees=True).apply(medial_up)
    neck_end = -55 * medial_up
    bottom = neck_end + [0, 0, -380]
    head = _head_and_neck(radius).apply_transform(trimesh.geometry.align_vectors([0, 0, 1], -medial_up))
    shaft = _rod(neck_end + [0, 0, 5], bottom, 14.0)
    pieces = [(Mesh(one.vertices, one.faces), 0) for one in (head, shaft)]
    if knee:
        for across, size in ((22.0, 20.0), (-22.0, 24.0)):
            condyle = trimesh.creation.icosphere(3, size).apply_translation(bottom + [across, size - 30.0, 0])
            pieces.append((Mesh(condyle.vertices, condyle.faces), 0))
    mesh = Mesh(*(getattr(together(pieces), name) for name in ("vertices", "faces")))
    return mesh if side == "left" else mesh.transformed(np.diag([-1.0, 1, 1, 1]))


def reconstruction(meshes: dict[str, Mesh], spread: float = 1.0, support: float = 1.0) -> Reconstruction:
    structures = [
        ReconstructedStructure(
            STRUCTURES[name], mesh, np.full(len(mesh.vertices), spread, np.float32),
            np.full(len(mesh.vertices), support, np.float32),
        )
        for name, mesh in meshes.items()
    ]  # fmt: skip
    return Reconstruction("blocks", structures)


def _head_and_neck(radius: float, length: float = 55.0, waist: float = 13.0) -> trimesh.Trimesh:
    """A ball at the origin that goes over into a neck along z, narrowest at 1.4 radii."""
    meeting = np.arcsin(16.0 / radius)
    angles = np.linspace(np.pi, meeting, 40)
    ball = radius * np.stack([np.sin(angles), np.cos(angles)], axis=1)
    along = np.linspace(ball[-1, 1], length, 20)[1:]
    neck = np.stack([waist + 0.01 * (along - 1.4 * radius) ** 2, along], axis=1)
    return trimesh.creation.revolve(np.concatenate([ball, neck, [[0.0, length]]]), sections=48)


def _rod(start: NDArray, end: NDArray, radius: float, around: int = 32) -> trimesh.Trimesh:
    """Closed, with rings 4 mm apart."""
    length = float(np.linalg.norm(end - start))
    rings = np.linspace(0, length, int(length / 4) + 1)
    profile = np.array([[0.0, 0.0], *([radius, height] for height in rings), [0.0, length]])
    solid = trimesh.creation.revolve(profile, sections=around)
    axis = (end - start) / length
    return solid.apply_transform(trimesh.geometry.align_vectors([0, 0, 1], axis)).apply_translation(start)

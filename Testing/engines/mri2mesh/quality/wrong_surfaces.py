"""What goes wrong with a surface, done to one that is right. Millimetres; directions are the structure's own."""

from __future__ import annotations

import numpy as np

from mri2mesh.anatomy.measures import region_centre
from mri2mesh.anatomy.regions import Region
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.sampling import vertex_normals
from mri2mesh.geometry.transforms import compose, rotation_about

ENDPLATES = {
    True: (Region.SUPERIOR_ENDPLATE, Region.INFERIOR_ENDPLATE),
    False: (Region.ENDPLATE_SUPERIOR, Region.ENDPLATE_INFERIOR),
}


def axes(mesh: Mesh) -> tuple[np.ndarray, np.ndarray]:
    """Middle between the endplates of a vertebra or a disc, and the vector from the lower to the upper one."""
    upper, lower = ENDPLATES[bool((mesh.regions == Region.SUPERIOR_ENDPLATE).any())]
    top, bottom = region_centre(mesh, upper), region_centre(mesh, lower)
    return (top + bottom) / 2, top - bottom


def moved(mesh: Mesh, *, up: float = 0.0, forwards: float = 0.0, right: float = 0.0) -> Mesh:
    along = axes(mesh)[1] / np.linalg.norm(axes(mesh)[1])
    front = np.cross(along, [1.0, 0.0, 0.0])
    front /= np.linalg.norm(front)
    return mesh.with_vertices(mesh.vertices + up * along + forwards * front + right * np.cross(front, along))


def grown(mesh: Mesh, by: float) -> Mesh:
    return mesh.with_vertices(mesh.vertices + by * vertex_normals(mesh))


def stretched_up(mesh: Mesh, by: float) -> Mesh:
    """Its upper endplate higher by so much, as where a body has swallowed the disc above."""
    middle, along = axes(mesh)
    height = np.linalg.norm(along)
    share = np.clip((mesh.vertices - middle) @ along / height / (height / 2), 0, 1)
    return mesh.with_vertices(mesh.vertices + by * share[:, None] * along / height)


def arches_in_front(mesh: Mesh) -> Mesh:
    """Turned by half a turn about its own long axis."""
    middle, along = axes(mesh)
    return mesh.transformed(rotation_about(along, 180.0, middle))


def mirrored(mesh: Mesh) -> Mesh:
    """Left and right changed over about the structure's middle, still a solid."""
    middle, _ = axes(mesh)
    return mesh.transformed(compose(np.diag([-1.0, 1.0, 1.0]), [2 * middle[0], 0.0, 0.0]))


def at_the_place_of(mesh: Mesh, other: Mesh) -> Mesh:
    return mesh.with_vertices(mesh.vertices + axes(other)[0] - axes(mesh)[0])

"""Frame and sizes of a vertebra that carries region labels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mri2mesh.anatomy.regions import Region, body_of, is_body
from mri2mesh.geometry.mesh import Mesh

_LEFT_RIGHT = (
    (Region.PEDICLE_LEFT, Region.PEDICLE_RIGHT),
    (Region.FACET_SUPERIOR_LEFT, Region.FACET_SUPERIOR_RIGHT),
    (Region.FACET_INFERIOR_LEFT, Region.FACET_INFERIOR_RIGHT),
    (Region.TRANSVERSE_LEFT, Region.TRANSVERSE_RIGHT),
)


def area_vectors(mesh: Mesh) -> NDArray:
    """[F, 3] outward normal of each face times its area, mm2."""
    a, b, c = mesh.vertices.astype(np.float64)[mesh.faces.T]
    return np.cross(b - a, c - a) / 2.0


def solid_centroid(mesh: Mesh) -> NDArray:
    """[3] centroid of the volume inside a closed mesh, mm."""
    corners = mesh.vertices.astype(np.float64)
    shift = corners.mean(axis=0)
    a, b, c = (corners - shift)[mesh.faces.T]
    volumes = np.einsum("ij,ij->i", a, np.cross(b, c))
    return shift + ((a + b + c) * volumes[:, None]).sum(axis=0) / (4.0 * volumes.sum())


def region_centre(mesh: Mesh, region: Region) -> NDArray:
    """[3] mean of the vertices of a region, mm."""
    return mesh.vertices[np.asarray(mesh.regions) == region].astype(np.float64).mean(axis=0)


def endplate_normals(mesh: Mesh) -> tuple[NDArray, NDArray]:
    """Mean outward unit normal of the superior and of the inferior endplate."""
    regions, areas = np.asarray(mesh.regions)[mesh.faces], area_vectors(mesh)
    normals = [areas[(regions == region).all(axis=1)].sum(axis=0)
               for region in (Region.SUPERIOR_ENDPLATE, Region.INFERIOR_ENDPLATE)]  # fmt: skip
    superior, inferior = (normal / np.linalg.norm(normal) for normal in normals)
    return superior, inferior


def local_frame(mesh: Mesh) -> NDArray:
    """4x4 local-to-mesh transform of a vertebra with regions: where its local frame lies.

    Origin: centroid of the body's volume. z: normal of the plane midway between the endplates, upwards. x: to the
    patient's right, from the left to the right pedicles, facets and processes. Right-handed, so y is anterior.
    """
    superior, inferior = endplate_normals(mesh)
    z = superior - inferior
    z /= np.linalg.norm(z)
    across = sum(region_centre(mesh, right) - region_centre(mesh, left) for left, right in _LEFT_RIGHT)
    x = across - (across @ z) * z
    x /= np.linalg.norm(x)
    matrix = np.eye(4)
    matrix[:3, :3] = np.stack([x, np.cross(z, x), z], axis=1)
    matrix[:3, 3] = solid_centroid(body_of(mesh))
    return matrix


def to_local_frame(mesh: Mesh) -> Mesh:
    """The vertebra moved rigidly into its own local frame."""
    return mesh.transformed(np.linalg.inv(local_frame(mesh)))


def body_size(mesh: Mesh) -> tuple[float, float, float]:
    """(width, depth, height) in mm of the vertebral body of a mesh in its local frame.

    Width and depth are the full extent of the body's outline; height is the mean distance between the endplates.
    """
    regions = np.asarray(mesh.regions)
    body = mesh.vertices[is_body(regions)]
    width, depth, _ = np.ptp(body, axis=0)
    height = (
        region_centre(mesh, Region.SUPERIOR_ENDPLATE)[2] - region_centre(mesh, Region.INFERIOR_ENDPLATE)[2]
    )
    return float(width), float(depth), float(height)


def pedicle_midpoints(mesh: Mesh) -> tuple[NDArray, NDArray]:
    """Midpoints [3] of the left and of the right pedicle, mm, in the frame of the mesh."""
    return region_centre(mesh, Region.PEDICLE_LEFT), region_centre(mesh, Region.PEDICLE_RIGHT)

"""The disc template: the Visible Human's L3-L4 disc, made symmetric, in its local frame, with regions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import trimesh

from building.anatomy.sources import read_surface
from building.anatomy.symmetry import sagittal_plane, symmetric_remesh, to_plane
from mri2mesh.anatomy.measures import solid_centroid
from mri2mesh.anatomy.regions import Region
from mri2mesh.geometry.mesh import Mesh


def build_disc_template(data: Path, n_vertices: int = 1250) -> Mesh:
    """Closed, genus 0. Origin: centroid of the volume; +z: the mean direction of the superior side."""
    disc = read_surface(data / "visible_human_male" / "disc_L3-L4.ply")
    disc.vertices = to_plane(disc.vertices, *sagittal_plane(disc.vertices))
    disc = disc.subdivide_loop(1)
    surface, _ = symmetric_remesh(disc, n_vertices)
    for _ in range(3):
        up = surface.vertex_normals[:, 2]
        sides = [surface.area_faces[face] @ surface.face_normals[face]
                 for face in (surface.face_normals[:, 2] > 0.5, surface.face_normals[:, 2] < -0.5)]  # fmt: skip
        z = sides[0] / np.linalg.norm(sides[0]) - sides[1] / np.linalg.norm(sides[1])
        pitch = np.arctan2(z[1], z[2])
        surface.vertices = (
            surface.vertices @ trimesh.transformations.rotation_matrix(pitch, [1, 0, 0])[:3, :3].T
        )
    up = surface.vertex_normals[:, 2]
    regions = np.full(len(up), int(Region.ANNULUS), dtype=np.uint8)
    regions[up > 0.55] = Region.ENDPLATE_SUPERIOR
    regions[up < -0.55] = Region.ENDPLATE_INFERIOR
    mesh = Mesh(surface.vertices, surface.faces, {"region": regions})
    centre = solid_centroid(mesh) * [0, 1, 1]
    return mesh.with_vertices(mesh.vertices - centre)

"""One film before it is developed: thickness maps along the rays, and the truth of every bone."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from mri2mesh.anatomy.hip_region import BONES
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.sampling import vertex_normals
from mri2mesh.geometry.xray_camera import XrayCamera
from mri2mesh.rendering.both_faces import render_both_faces
from mri2mesh.rendering.projective import ProjectiveCameras
from mri2mesh.rendering.surfaces import ClosedSurfaces
from mri2mesh.rendering.thickness import ray_thickness
from mri2mesh.synthesis.films.posed_region import PosedRegion, RegionMaker
from mri2mesh.synthesis.films.soft_tissue import soft_tissue
from mri2mesh.synthesis.films.views import View

TRUTH_GRID = 2
"""Truth is kept on pixels twice as large as the image's."""
_STEP_MM = 0.02
"""Vertices are stored in such steps about their middle: up to 655 mm away from it."""


@dataclass(frozen=True)
class FilmTruth:
    """Of every one of L bones, on a camera's own grid.

    mask: [L, H, W] bool. depth: [L, 2, H, W] mm from the source along the beam, of the face nearest to it and the one
    farthest from it, 0 outside the mask. canonical: [L, 2, 3, H, W] mm, where on the mean bone that is.
    """

    mask: NDArray[np.bool_]
    depth: NDArray[np.float32]
    canonical: NDArray[np.float32]


@dataclass(frozen=True)
class FilmCase:
    """cortex, marrow, tissue: [H, W] mm along each ray (tissue as water). camera: of the image; the truth's grid is
    `TRUTH_GRID` times coarser. round_field, kind: as of `View`. anchors_ras_mm: [A, 3] places of the region that
    distance and hardware go by: of hips the two joint centres, of spines see `lumbar.anchors`. bones: their names.
    vertices: [V, 3] RAS mm of the surfaces of all bones, one after the other, where they are kept."""

    cortex: NDArray[np.float16]
    marrow: NDArray[np.float16]
    tissue: NDArray[np.float16]
    truth: FilmTruth
    camera: XrayCamera
    anchors_ras_mm: NDArray[np.float64]
    round_field: bool
    kind: str
    bones: tuple[str, ...] = BONES
    vertices: NDArray[np.float32] | None = None

    def save(self, path: Path) -> None:
        """One uncompressed ``.npz``: what lies outside the masks is not stored."""
        mask = self.truth.mask
        camera = self.camera
        row = {
            "source": camera.source_ras_mm.tolist(),
            "axes": camera.axes_ras.tolist(),
            "distance": camera.source_to_detector_mm,
            "spacing": camera.pixel_spacing_mm,
            "principal": camera.principal_point_px,
            "size": camera.size,
            "anchors": self.anchors_ras_mm.tolist(),
            "round_field": self.round_field,
            "kind": self.kind,
            "bones": self.bones,
        }
        surfaces = {}
        if self.vertices is not None:
            middle = self.vertices.mean(axis=0)
            row["middle"] = middle.tolist()
            surfaces["vertices"] = np.rint((self.vertices - middle) / _STEP_MM).astype(np.int16)
        np.savez(
            path,
            images=np.stack([self.cortex, self.marrow, self.tissue]).astype(np.float16),
            mask=np.packbits(mask),
            depth=np.moveaxis(self.truth.depth, 1, -1)[mask],
            canonical=np.moveaxis(self.truth.canonical, (1, 2), (-2, -1))[mask].astype(np.float16),
            row=np.frombuffer(json.dumps(row).encode(), np.uint8),
            **surfaces,
        )

    @classmethod
    def load(cls, path: Path) -> FilmCase:
        """What `save` wrote. Raises OSError or ValueError for a file that is not whole."""
        with np.load(path, allow_pickle=False) as stored:
            row = json.loads(stored["row"].tobytes().decode())
            images, bits = stored["images"], stored["mask"]
            depth_in, canonical_in = stored["depth"], stored["canonical"]
            vertices = None
            if "vertices" in stored:
                vertices = (stored["vertices"] * _STEP_MM + np.array(row["middle"])).astype(np.float32)
        camera = XrayCamera(
            np.array(row["source"]), np.array(row["axes"]), row["distance"], tuple(row["spacing"]),
            tuple(row["principal"]), tuple(row["size"]),
        )  # fmt: skip
        size = tuple(n // TRUTH_GRID for n in camera.size)
        bones = tuple(row.get("bones", BONES))
        shape = (len(bones), *size)
        mask = np.unpackbits(bits, count=int(np.prod(shape))).reshape(shape).astype(bool)
        depth = np.zeros((*shape, 2), np.float32)
        depth[mask] = depth_in
        canonical = np.zeros((*shape, 2, 3), np.float32)
        canonical[mask] = canonical_in
        truth = FilmTruth(mask, np.moveaxis(depth, -1, 1), np.moveaxis(canonical, (-2, -1), (1, 2)))
        anchors = np.array(row["anchors"] if "anchors" in row else row["hips"])
        return cls(
            images[0], images[1], images[2], truth, camera, anchors, bool(row["round_field"]), str(row["kind"]), bones,
            vertices,
        )  # fmt: skip


def make_case(maker: RegionMaker, region: PosedRegion, view: View, rng: np.random.Generator) -> FilmCase:
    """The film of a region in a view. Raises InputError where a bone reaches the source."""
    camera = view.camera
    cortex, marrow = bone_paths(region.vertices, maker.surfaces, maker.cortex_mm, camera, rng)
    tissue = soft_tissue(region, camera, rng)
    truth = film_truth(maker, region, camera.coarser(TRUTH_GRID))
    half = np.float16
    return FilmCase(
        cortex.astype(half), marrow.astype(half), tissue.astype(half), truth, camera, region.hips_ras_mm,
        view.round_field, view.kind,
    )  # fmt: skip


def film_truth(maker: RegionMaker, region: PosedRegion, camera: XrayCamera) -> FilmTruth:
    """Mask, depths and canonical coordinates of every bone on the camera's own grid."""
    vertices = region.vertices[: region.bone_vertices]
    return surface_truth(
        vertices, maker.bone_faces, maker.bone_label, maker.canonical, len(BONES), camera
    )  # fmt: skip


def surface_truth(
    vertices: NDArray[np.float32],
    faces: NDArray[np.int64],
    label: NDArray[np.int64],
    canonical: NDArray[np.float32],
    bones: int,
    camera: XrayCamera,
) -> FilmTruth:
    """Mask, depths and places of surfaces: vertices [V, 3] RAS mm, faces [F, 3], the number of each face's bone [F],
    the place of each vertex on the mean bones [V, 3] mm. Raises InputError for a vertex behind the source."""
    corners = torch.from_numpy(faces)
    seen = render_both_faces(
        torch.from_numpy(vertices)[None],
        corners,
        torch.from_numpy(label),
        bones,
        ProjectiveCameras.of([camera]),
    )
    places = seen.of_vertices(torch.from_numpy(canonical), corners)[0, 0]
    return FilmTruth(
        seen.mask[0, 0].numpy(),
        torch.nan_to_num(seen.depth[0, 0]).float().numpy(),
        places.permute(0, 1, 4, 2, 3).float().numpy(),
    )


def bone_paths(
    vertices: NDArray[np.float32],
    surfaces: ClosedSurfaces,
    cortex_mm: NDArray[np.float32],
    camera: XrayCamera,
    rng: np.random.Generator,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """[H, W] mm in cortex and in marrow of all bones; those of the surfaces' second group count less or a little more,
    as their density is lower or higher. cortex_mm: [V] usual thickness of the shell."""
    normals = vertex_normals(Mesh(vertices, surfaces.faces.numpy())).astype(np.float32)
    shell = cortex_mm * _uneven(vertices, rng)
    inner = vertices - shell[:, None] * normals
    both = torch.from_numpy(np.stack([vertices, inner]))
    paths = ray_thickness(both, surfaces, ProjectiveCameras.of([camera]))[:, 0].numpy()
    whole = np.maximum(paths[0], 0)
    marrow = np.clip(paths[1], 0, whole)
    share = np.array([1.0, rng.uniform(0.6, 1.1)][: len(whole)], np.float32)
    cortex = np.tensordot(share, whole - marrow, axes=1)
    return cortex.astype(np.float32), np.tensordot(share, marrow, axes=1).astype(np.float32)


def _uneven(vertices: NDArray, rng: np.random.Generator) -> NDArray[np.float32]:
    """[V] factors by which the shell is thicker or thinner, from place to place some 30 mm apart and between people."""
    waves = rng.normal(size=(3, 8)).astype(np.float32) / 30.0
    phases = rng.uniform(0, 2 * np.pi, 8).astype(np.float32)
    field = np.cos(vertices @ waves + phases) @ rng.normal(size=8).astype(np.float32) / 2.0
    return np.exp(0.3 * field + np.float32(0.25 * rng.normal())).clip(0.3, 2.0)

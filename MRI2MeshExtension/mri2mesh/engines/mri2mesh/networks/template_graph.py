"""Templates joined into one graph, as the deformation network sees them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from mri2mesh.anatomy.regions import BODY_REGIONS
from mri2mesh.engines.mri2mesh.networks.graph import Adjacency
from mri2mesh.geometry.edges import edges
from mri2mesh.geometry.mesh import Mesh

KINDS = ("vertebra", "disc", "sacrum")


@dataclass
class TemplateGraph:
    """One or more template surfaces in the frame of a crop, millimetres.

    vertices [V, 3]; faces [F, 3]; kind [V] index into KINDS; region [V]; part [V] index of the structure;
    slices and face_slices give each structure's range of vertices and faces.
    """

    names: tuple[str, ...]
    vertices: Tensor
    faces: Tensor
    kind: Tensor
    region: Tensor
    part: Tensor
    slices: tuple[slice, ...]
    face_slices: tuple[slice, ...]
    adjacency: Adjacency

    @classmethod
    def from_meshes(cls, meshes: dict[str, Mesh]) -> TemplateGraph:
        """Join surfaces keyed by kind (``"vertebra"``, ``"disc"``, ``"sacrum"``), each with regions."""
        vertices, faces, kinds, regions, parts = [], [], [], [], []
        slices, face_slices = [], []
        offset = face_offset = 0
        for part, (kind, mesh) in enumerate(meshes.items()):
            count = len(mesh.vertices)
            if mesh.regions is None:
                raise ValueError(f"the {kind} template has no regions")
            vertices.append(mesh.vertices)
            faces.append(mesh.faces + offset)
            kinds.append(np.full(count, KINDS.index(kind)))
            regions.append(mesh.regions)
            parts.append(np.full(count, part))
            slices.append(slice(offset, offset + count))
            face_slices.append(slice(face_offset, face_offset + len(mesh.faces)))
            offset += count
            face_offset += len(mesh.faces)
        all_faces = np.concatenate(faces)
        return cls(
            names=tuple(meshes),
            vertices=torch.from_numpy(np.concatenate(vertices)).float(),
            faces=torch.from_numpy(all_faces),
            kind=torch.from_numpy(np.concatenate(kinds)).long(),
            region=torch.from_numpy(np.concatenate(regions).astype(np.int64)),
            part=torch.from_numpy(np.concatenate(parts)).long(),
            slices=tuple(slices),
            face_slices=tuple(face_slices),
            adjacency=Adjacency(torch.from_numpy(edges(all_faces)), offset),
        )

    def to(self, device: torch.device | str) -> TemplateGraph:
        """Move every tensor to a device, in place; returns itself."""
        device = torch.device(device)
        for name in ("vertices", "faces", "kind", "region", "part"):
            setattr(self, name, getattr(self, name).to(device))
        self.adjacency.to(device)
        return self

    def faces_of(self, part: int) -> Tensor:
        """[F, 3] faces of one structure, numbered within its own vertices."""
        return self.faces[self.face_slices[part]] - self.slices[part].start

    def body_faces_of(self, part: int) -> Tensor:
        """[F, 3] those of the vertebral body: an open surface, with holes where the pedicles leave."""
        region = self.region[self.slices[part]]
        of_body = torch.isin(region, torch.tensor(BODY_REGIONS, device=region.device))
        faces = self.faces_of(part)
        return faces[of_body[faces].all(1)]

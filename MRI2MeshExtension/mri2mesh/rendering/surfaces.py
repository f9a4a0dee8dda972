"""The closed surfaces of a scene: which vertices make its faces and which structure each face belongs to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mri2mesh.errors import InputError


@dataclass(frozen=True)
class ClosedSurfaces:
    """Faces of one or several closed, outward surfaces over V shared vertices; made once, rendered many times.

    faces: [F, 3] int64. label: [F] int64 in 0 .. n_labels - 1. Use `of`, which checks that every label is closed.
    """

    faces: Tensor
    label: Tensor
    n_vertices: int
    n_labels: int

    @classmethod
    def of(
        cls, faces: Tensor | NDArray, n_vertices: int, label: Tensor | NDArray | None = None
    ) -> ClosedSurfaces:
        """Faces [F, 3] with their labels [F] (none: all one structure).

        Closed means that every edge is run along as often in one direction as in the other, so that a ray leaves as
        often as it enters; duplicated and touching sheets are allowed. Raises InputError where a label is open or a
        face names a vertex that does not exist.
        """
        faces = torch.as_tensor(np.asarray(faces) if not isinstance(faces, Tensor) else faces).long()
        if faces.ndim != 2 or faces.shape[1] != 3 or not len(faces):
            raise InputError(f"faces must be [F, 3] with at least one face, got {tuple(faces.shape)}")
        if int(faces.min()) < 0 or int(faces.max()) >= n_vertices:
            raise InputError("a face names a vertex that does not exist")
        if label is None:
            label = torch.zeros(len(faces), dtype=torch.int64, device=faces.device)
        label = torch.as_tensor(label).long().to(faces.device)
        if label.shape != (len(faces),) or int(label.min()) < 0:
            raise InputError(f"labels must be one number from 0 for each face, got {tuple(label.shape)}")
        n_labels = int(label.max()) + 1
        loose = open_edges(faces.cpu().numpy(), label.cpu().numpy(), n_vertices)
        if loose.any():
            where = ", ".join(f"{count} open edges in surface {n}" for n, count in enumerate(loose) if count)
            raise InputError(f"the thickness of an open surface is not defined ({where}): close it first")
        return cls(faces, label, n_vertices, n_labels)

    def to(self, device: torch.device | str) -> ClosedSurfaces:
        """The same on another device."""
        return ClosedSurfaces(self.faces.to(device), self.label.to(device), self.n_vertices, self.n_labels)


def open_edges(faces: NDArray, label: NDArray, n_vertices: int) -> NDArray[np.int64]:
    """Per label, how many edges are not run along equally often in both directions."""
    start, stop = faces.ravel(), np.roll(faces, -1, axis=1).ravel()
    of_label = np.repeat(label, 3).astype(np.int64)
    low, high = np.minimum(start, stop).astype(np.int64), np.maximum(start, stop)
    key, inverse = np.unique((of_label * n_vertices + low) * n_vertices + high, return_inverse=True)
    balance = np.bincount(inverse, weights=np.sign(stop - start), minlength=len(key))
    unbalanced = key[balance != 0] // n_vertices // n_vertices
    return np.bincount(unbalanced, minlength=int(label.max()) + 1)

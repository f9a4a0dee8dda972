"""A statistical shape model: the mean of one or several bones and the ways in which subjects differ from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mri2mesh.anatomy.structures import STRUCTURES
from mri2mesh.geometry.mesh import Mesh

_LEAST_SHARE = 1e-9
"""A mode with less than this share of the variance is rounding, not anatomy."""


@dataclass(frozen=True)
class ShapeModel:
    """Principal components of surfaces in point correspondence (Cootes et al. 1995), millimetres.

    A shape is mean + sum over m of b_m sqrt(variances_m) modes_m, with b ~ N(0, 1) in the population.

    mean: [V, 3] in the model's local frame, whose axes are patient RAS. frame: where its origin lies, in words.
    modes: [M, V, 3], orthonormal over all 3V coordinates. variances: [M] mm2, largest first.
    faces: [F, 3], every part closed and outward. part: [F] index into part_names; parts share no vertex.
    part_names: names in `anatomy.structures.STRUCTURES`.
    landmarks: name -> vertex indices; the landmark is the mean of these vertices.
    scores: [S, M] coefficients b of the shapes learned from. subjects: [S] whose they are, without names of
        persons; a subject and its mirror image share one. mirrored: [S] which of them are mirror images.
    attribution: name, source and licence of everything learned from. licence: of the model as a whole.
    regions: [V] `anatomy.regions.Region`, or None.
    groups: [S] of which group's mean each shape is a difference from, widened by sqrt(n / (n - 1)) for a group of n
        subjects; the model's mean is that of the group called as the model is. Empty: all shapes are one group.
    local: how many of the last modes are local ones (`anatomy.shape_models.local_modes`); they are made
        anew, never stored.

    Raises ValueError when the arrays do not fit together.
    """

    name: str
    mean: NDArray[np.float64]
    modes: NDArray[np.float32]
    variances: NDArray[np.float64]
    faces: NDArray[np.int64]
    part: NDArray[np.int64]
    part_names: tuple[str, ...]
    landmarks: Mapping[str, NDArray[np.int64]]
    scores: NDArray[np.float64]
    subjects: tuple[str, ...]
    mirrored: NDArray[np.bool_]
    attribution: tuple[dict[str, str], ...]
    licence: str
    frame: str
    regions: NDArray | None = field(default=None)
    groups: tuple[str, ...] = ()
    local: int = 0

    def __post_init__(self) -> None:
        n_vertices, n_modes, n_subjects = len(self.mean), len(self.modes), len(self.subjects)
        expected = {
            "mean": (n_vertices, 3),
            "modes": (n_modes, n_vertices, 3),
            "variances": (n_modes,),
            "faces": (len(self.faces), 3),
            "part": (len(self.faces),),
            "scores": (n_subjects, n_modes),
            "mirrored": (n_subjects,),
        }
        for name, shape in expected.items():
            if np.shape(getattr(self, name)) != shape:
                raise ValueError(f"{name} must be {shape}, got {np.shape(getattr(self, name))}")
        if not (np.isfinite(self.mean).all() and np.isfinite(self.modes).all()):
            raise ValueError("a number of the shape model is not finite")
        if (np.asarray(self.variances) <= 0).any():
            raise ValueError("a mode has no variance")
        indices = [self.faces.ravel(), *(np.asarray(group).ravel() for group in self.landmarks.values())]
        if any(len(group) == 0 or group.min() < 0 or group.max() >= n_vertices for group in indices):
            raise ValueError("a face or a landmark names a vertex that does not exist")
        if self.part.min() < 0 or self.part.max() >= len(self.part_names):
            raise ValueError("a face belongs to a part that does not exist")
        if unknown := [name for name in self.part_names if name not in STRUCTURES]:
            raise ValueError(f"no structure is named {unknown[0]!r}")
        if self.groups and (len(self.groups) != n_subjects or self.name not in self.groups):
            raise ValueError("every shape needs its group, and the model's own must be among them")
        if self.regions is not None and len(self.regions) != n_vertices:
            raise ValueError(f"{len(self.regions)} regions for {n_vertices} vertices")

    @property
    def deviations(self) -> NDArray[np.float64]:
        """[M] standard deviation of each mode over all coordinates together, mm."""
        return np.sqrt(self.variances)

    def vertices(self, coefficients: ArrayLike = ()) -> NDArray[np.float64]:
        """[..., V, 3] of coefficients [..., m] in standard deviations; m may be less than M: the first modes."""
        b = np.asarray(coefficients, dtype=np.float64)
        m = b.shape[-1]
        if m > len(self.modes):
            raise ValueError(f"{m} coefficients for {len(self.modes)} modes")
        moved = (b * self.deviations[:m]) @ self.modes[:m].reshape(m, 3 * len(self.mean))
        return self.mean + moved.reshape(*b.shape[:-1], *self.mean.shape)

    def sample(self, rng: np.random.Generator, limit: float = 3.0) -> NDArray[np.float64]:
        """[M] random coefficients from N(0, 1), drawn again beyond the limit."""
        b = rng.standard_normal(len(self.modes))
        while (wide := np.abs(b) > limit).any():
            b[wide] = rng.standard_normal(int(wide.sum()))
        return b

    def project(
        self, vertices: ArrayLike, *, observed: NDArray | None = None, noise_mm: float = 0.0
    ) -> NDArray[np.float64]:
        """[..., M] coefficients of shapes [..., V, 3] that are in correspondence and in the model's frame.

        observed: [V] mask of the vertices to go by; the others may hold anything.
        noise_mm: standard deviation of each coordinate's error; above 0 the coefficients are the most probable
            ones given the population, drawn towards the mean, and not the nearest shape.
        """
        offset = np.asarray(vertices, dtype=np.float64) - self.mean
        used = np.ones(len(self.mean), bool) if observed is None else np.asarray(observed, bool)
        basis = self.modes[:, used].reshape(len(self.modes), -1).astype(np.float64)
        basis *= self.deviations[:, None]
        gram = basis @ basis.T
        # Without noise a partly observed shape can leave a mode undecided: then it stays at the mean.
        ridge = max(noise_mm**2, 1e-9 * float(np.trace(gram)) / len(gram))
        right = offset[..., used, :].reshape(*offset.shape[:-2], -1) @ basis.T
        b = np.linalg.solve(gram + ridge * np.eye(len(gram)), right[..., None])[..., 0]
        return b.astype(np.float64)

    def mesh(self, coefficients: ArrayLike = (), part: str | None = None) -> Mesh:
        """The surface of coefficients [m], whole or one part of it (KeyError for a part it does not have)."""
        return self.surface(self.vertices(coefficients), part)

    def meshes(self, coefficients: ArrayLike = ()) -> dict[str, Mesh]:
        """Every part's closed surface by name."""
        vertices = self.vertices(coefficients)
        return {name: self.surface(vertices, name) for name in self.part_names}

    def surface(self, vertices: NDArray, part: str | None = None) -> Mesh:
        """A surface of vertices [V, 3] in the model's correspondence, anywhere in space, whole or one part."""
        data = {} if self.regions is None else {"region": self.regions}
        if part is None:
            return Mesh(vertices, self.faces, data)
        used = self.part_vertices(part)
        renumber = np.full(len(self.mean), -1)
        renumber[used] = np.arange(len(used))
        faces = renumber[self.faces[self.part == self.part_names.index(part)]]
        return Mesh(vertices[used], faces, {name: values[used] for name, values in data.items()})

    def part_vertices(self, part: str) -> NDArray[np.int64]:
        """Indices of the vertices of a part, in order. Raises KeyError for a part the model does not have."""
        if part not in self.part_names:
            raise KeyError(part)
        return np.unique(self.faces[self.part == self.part_names.index(part)])

    def landmark(self, name: str, vertices: NDArray | None = None) -> NDArray[np.float64]:
        """[3] a landmark of the mean, or of vertices [V, 3] in correspondence. Raises KeyError when unknown."""
        place = self.mean if vertices is None else np.asarray(vertices, dtype=np.float64)
        return place[self.landmarks[name]].mean(axis=0)

    def only(self, *parts: str) -> ShapeModel:
        """The model of some parts alone: modes made orthonormal again, coefficients of its own."""
        used = np.concatenate([self.part_vertices(part) for part in parts])
        renumber = np.full(len(self.mean), -1)
        renumber[used] = np.arange(len(used))
        numbers = [self.part_names.index(part) for part in parts]
        kept = np.isin(self.part, numbers)
        return self._recombined(
            np.arange(len(self.subjects)),
            self.scores * self.deviations,
            mean=self.mean[used],
            basis=self.modes[:, used],
            faces=renumber[self.faces[kept]],
            part=np.array([numbers.index(number) for number in self.part[kept]]),
            part_names=parts,
            landmarks={
                name: renumber[group]
                for name, group in self.landmarks.items()
                if (renumber[group] >= 0).all()
            },
            regions=None if self.regions is None else self.regions[used],
        )

    def without(self, subject: int | str) -> ShapeModel:
        """The model learned from everyone else: a row of ``subjects`` or its name; mirror images go with it.

        Rebuilt from the scores: exact for a model with all its modes, but for the alignment, which was made with the
        subject. Raises ValueError when fewer than two shapes would be left.
        """
        name = self.subjects[subject] if isinstance(subject, int | np.integer) else subject
        rest = np.flatnonzero([other != name for other in self.subjects])
        if len(rest) == len(self.subjects):
            raise ValueError(f"{name!r} is not a subject of the model")
        if len(rest) < 2:
            raise ValueError("a shape model needs at least two shapes")
        offsets = self.scores * self.deviations
        if not self.groups:
            return self._recombined(rest, offsets[rest], mean=self.mean, basis=self.modes)
        rest, offsets, centre = self._regrouped(rest, offsets)
        mean = self.mean + np.tensordot(centre, self.modes, axes=1)
        return self._recombined(rest, offsets, mean=mean, basis=self.modes)

    def _regrouped(self, rest: NDArray, offsets: NDArray) -> tuple[NDArray, NDArray, NDArray]:
        """The rows whose group still has two subjects, their differences from the group's mean without the others
        [S', M] mm, and how far the model's own group's mean moves [M]."""
        groups, subjects = np.array(self.groups), np.array(self.subjects)

        def wider(rows: NDArray) -> float:
            count = len(set(subjects[rows]))
            return float(np.sqrt(count / (count - 1)))

        kept, differences, centre = [], [], np.zeros(len(self.modes))
        for group in dict.fromkeys(self.groups):
            rows = rest[groups[rest] == group]
            if not len(rows):
                continue
            plain = offsets[rows] / wider(np.flatnonzero(groups == group))
            if group == self.name:
                centre = plain.mean(axis=0)
            if len(set(subjects[rows])) > 1:
                kept.append(rows)
                differences.append((plain - plain.mean(axis=0)) * wider(rows))
        if self.name not in groups[rest] or not kept:
            raise ValueError("too few shapes would be left")
        return np.concatenate(kept), np.concatenate(differences), centre

    def _recombined(
        self, kept: NDArray, offsets: NDArray, mean: NDArray, basis: NDArray, **changed: Any
    ) -> ShapeModel:
        """Principal components again, of the kept rows: offsets [S', M] mm from the mean along a basis [M, v, 3]."""
        centre = offsets.mean(axis=0)
        flat = basis.reshape(len(basis), -1).astype(np.float64)
        gram = flat @ flat.T
        values, vectors = np.linalg.eigh((gram + gram.T) / 2)
        values = np.maximum(values, 0.0)
        root = vectors * np.sqrt(values)  # lengths in the basis, where its vectors are no longer orthonormal
        own, deviations, axes = np.linalg.svd((offsets - centre) @ root, full_matrices=False)
        variances = deviations**2 / (len(kept) - 1)
        real = variances > _LEAST_SHARE * variances.sum()
        real[len(kept) - 1 :] = False
        inverse = np.where(values > 1e-12 * values.max(), 1 / np.sqrt(np.maximum(values, 1e-300)), 0.0)
        combine = (vectors * inverse) @ axes[real].T  # [M, M'] new modes in terms of the old
        return replace(
            self,
            mean=mean + (centre @ flat).reshape(mean.shape),
            modes=(combine.T @ flat).reshape(-1, *mean.shape).astype(np.float32),
            variances=variances[real],
            scores=own[:, real] * np.sqrt(len(kept) - 1),
            subjects=tuple(self.subjects[row] for row in kept),
            mirrored=np.asarray(self.mirrored)[kept],
            groups=tuple(self.groups[row] for row in kept) if self.groups else (),
            local=0,
            **changed,
        )

"""Crops around vertebrae of synthetic cases, with the true surfaces in the crop's frame."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation
from torch import Tensor, nn
from torch.utils.data import Dataset

from mri2mesh.anatomy.regions import main_part
from mri2mesh.anatomy.structures import disc_name
from mri2mesh.anatomy.templates import TemplateKind, template
from mri2mesh.engines.mri2mesh.deformation.crops import TISSUES, network_crop
from mri2mesh.engines.mri2mesh.localisation.evidence import locate_tissues
from mri2mesh.engines.mri2mesh.training.evidence_noise import blurred_as_seen, coarse_tissues, displaced
from mri2mesh.engines.mri2mesh.training.intensity import jitter_intensity
from mri2mesh.geometry.sizing import sized_fit
from mri2mesh.geometry.transforms import apply
from mri2mesh.imaging.volumes.crop import CropGrid, crop_block
from mri2mesh.synthesis.mr.targets import semantic_labels

if TYPE_CHECKING:
    from mri2mesh.engines.mri2mesh.training.pool import CasePool
    from mri2mesh.synthesis.mr.case import SyntheticCase

TRAINED_LEVELS = ("T11", "T12", "L1", "L2", "L3", "L4", "L5")
TRANSLATION_SD_MM = 2.0
ROTATION_SD_DEG = 4.0
SIZE_SD = np.array([0.09, 0.07, 0.06])
"""Of the scale along right-left, front-back and up-down: sizes come from the localiser, which sees the sides worst."""
MIN_INSIDE = 0.6
"""A level is trained on when at least this share of its body's box is inside the image."""


def jitter_frame(frame: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """A 4x4 frame displaced as a localiser misplaces it: some millimetres, degrees and percent, more in one of ten."""
    scale = 2.0 if rng.random() < 0.1 else 1.0
    moved = frame.copy()
    turn = Rotation.from_rotvec(np.radians(rng.normal(0, scale * ROTATION_SD_DEG, 3)))
    moved[:3, :3] = (frame[:3, :3] @ turn.as_matrix()) * np.exp(rng.normal(0, scale * SIZE_SD, 3))
    moved[:3, 3] += frame[:3, :3] @ rng.normal(0, scale * TRANSLATION_SD_MM, 3)
    return moved


class CropView:
    """What mesh training needs of a case: image and tissues, and per level a frame and the surfaces."""

    def __init__(self, case: SyntheticCase, localiser: nn.Module | None) -> None:
        matrix = case.image.ijk_to_ras
        self.image = (torch.from_numpy(case.image.array.astype(np.float16))[None], matrix)
        self.true_tissues = coarse_tissues(semantic_labels(case.tissues))
        self.seen_tissues = None
        if localiser is not None:
            evidence = locate_tissues(case.image, localiser, "cpu")
            self.seen_tissues = (torch.from_numpy(evidence.semantic[TISSUES]).half(), evidence.ijk_to_ras)
        self.spine = case.spine
        self.levels = [name for name in TRAINED_LEVELS if name in self.spine.frames and self._visible(name)]
        self.has_sacrum = "S1" in self.spine.frames and self._visible("S1")

    def sized_frame(self, level: str) -> NDArray[np.float64]:
        """4x4 template to RAS: where a localiser that made no mistake would put the template, at which size."""
        kind: TemplateKind = "sacrum" if level == "S1" else "vertebra"
        home = template(kind)
        chosen = main_part(np.asarray(home.regions), kind)
        found = self.spine.structures[level].vertices.astype(np.float64)
        return sized_fit(home.vertices[chosen].astype(np.float64), found[chosen])

    def tissues(
        self, rng: np.random.Generator, frame: NDArray[np.float64], grid: CropGrid
    ) -> tuple[Tensor, NDArray[np.float64]]:
        """Probabilities around a crop as a localiser gives them: its own in half of the samples, where there is one.

        Either with faults added that it does not make on synthetic cases, but does on real exams.
        """
        if self.seen_tissues is not None and rng.random() < 0.5:
            shares, matrix = crop_block(*self.seen_tissues, frame, grid)
        else:
            shares, matrix = blurred_as_seen(*crop_block(*self.true_tissues, frame, grid), rng)
        return displaced(shares, matrix, rng), matrix

    def _visible(self, name: str) -> bool:
        frame = self.spine.frames[name]
        box = np.array([[x, y, z] for x in (-20, 0, 20) for y in (-15, 0, 15) for z in (-12, 0, 12)])
        image, matrix = self.image
        ijk = apply(np.linalg.inv(matrix) @ frame, box)
        inside = ((ijk >= 0) & (ijk <= np.array(image.shape[:0:-1]) - 1)).all(1)
        return float(inside.mean()) >= MIN_INSIDE


class CropSamples(Dataset, ABC):
    """Item n is a batch: ``crop`` [B, 7, K, J, I], ``target`` (what the subclass makes), ``graph`` the batch's kind.

    A batch holds levels (a vertebra and the disc below it) or S1 bodies. It depends only on the seed and n.
    """

    sacrum_share = 0.12

    def __init__(
        self, pool: CasePool, grid: CropGrid, batch: int, seed: int, localiser: nn.Module | None = None
    ) -> None:
        self.pool, self.grid, self.batch, self.seed = pool, grid, batch, seed
        self.view = lru_cache(maxsize=600)(lambda index: CropView(pool.load(index), localiser))

    @abstractmethod
    def target(self, view: CropView, level: str, frame: NDArray[np.float64]) -> Tensor:
        """What the network should make of the crop of ``level`` (or ``"S1"``) in ``frame`` (4x4 local to RAS)."""

    def __getitem__(self, n: int) -> dict[str, object]:
        rng = np.random.default_rng((self.seed, n))
        graph = "sacrum" if rng.random() < self.sacrum_share else "level"
        crops: list[Tensor] = []
        targets: list[Tensor] = []
        while len(crops) < self.batch:
            view = self.view(int(rng.integers(self.pool.allowed(n * self.batch))))
            levels = view.levels if graph == "level" else ["S1"] * view.has_sacrum
            if not levels:
                continue
            level = levels[int(rng.integers(len(levels)))]
            frame = jitter_frame(view.sized_frame(level), rng)
            crop = network_crop(view.image, view.tissues(rng, frame, self.grid), frame, self.grid)
            crop[0] = torch.from_numpy(jitter_intensity(crop[0].numpy(), rng)) * crop[1]
            crops.append(crop)
            targets.append(self.target(view, level, frame))
        return {"crop": torch.stack(crops), "target": torch.stack(targets), "graph": graph}


class MeshSamples(CropSamples):
    """Crops with the true vertices [B, V, 3] of the graph's structures, in the crop's frame."""

    def target(self, view: CropView, level: str, frame: NDArray[np.float64]) -> Tensor:
        names = ["S1"] if level == "S1" else [level, disc_name(level)]
        world = np.concatenate([view.spine.structures[name].vertices for name in names])
        return torch.from_numpy(apply(np.linalg.inv(frame), world)).float()

"""Batches from a researcher's labelled exams: crops, and what their contours look like from several sides."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation
from torch import Tensor, nn
from torch.utils.data import Dataset

from mri2mesh.anatomy.structures import STRUCTURES, VERTEBRA_LEVELS, disc_name
from mri2mesh.engines.mri2mesh.deformation.crops import TISSUES, network_crop
from mri2mesh.engines.mri2mesh.localisation.spine import find_spine
from mri2mesh.engines.mri2mesh.training.intensity import jitter_intensity
from mri2mesh.engines.mri2mesh.training.labelled_folder import LabelledExam
from mri2mesh.engines.mri2mesh.training.mesh_samples import jitter_frame
from mri2mesh.engines.mri2mesh.training.supervision import VIEW_SIZE
from mri2mesh.errors import InputError
from mri2mesh.geometry.transforms import apply
from mri2mesh.imaging.volumes.crop import CropGrid
from mri2mesh.rendering.cameras import OrthographicCameras, axis_views
from mri2mesh.rendering.label_targets import LabelTargets, targets_from_labels


@dataclass(frozen=True)
class LabelledLevel:
    """One vertebra of one exam: its level, and from the localiser its frame (4x4 local to RAS) and the tissues."""

    exam: LabelledExam
    level: str
    frame: NDArray[np.float64]
    tissues: tuple[Tensor, NDArray[np.float64]]


def labelled_levels(exams: list[LabelledExam], localiser: nn.Module) -> list[LabelledLevel]:
    """Every labelled vertebra with the frame the localiser gives it, as the engine will see it later.

    Raises InputError when no labelled vertebra is found in any exam.
    """
    found = []
    for exam in exams:
        spine = find_spine(exam.image, localiser)
        tissues = (torch.from_numpy(spine.evidence.semantic[TISSUES]), spine.evidence.ijk_to_ras)
        centres = np.array([frame[:3, 3] for frame in spine.frames])
        for level in VERTEBRA_LEVELS:
            voxels = np.argwhere(exam.labels.array == STRUCTURES[level].label)
            if not len(voxels):
                continue
            ras = exam.labels.ras_from_ijk(voxels[:, ::-1])
            nearest = [float(np.linalg.norm(ras - centre, axis=1).min()) for centre in centres]
            best = int(np.argmin(nearest))
            if nearest[best] < 8.0:
                found.append(LabelledLevel(exam, level, spine.frames[best], tissues))
    if not found:
        raise InputError(
            "no labelled vertebra was found by the localiser: check label values and image orientation"
        )
    return found


class LabelledSamples(Dataset):
    """Item n is a batch: ``crop`` [B, 7, K, J, I], ``rotation`` [N, 3, 3] (crop frame), per kind ``centre`` [B, 3]
    and `LabelTargets` [B, N, H, W]; ``bodies_only`` [B]."""

    def __init__(self, levels: list[LabelledLevel], grid: CropGrid, batch: int, seed: int) -> None:
        self.levels, self.grid, self.batch, self.seed = levels, grid, batch, seed

    def __getitem__(self, n: int) -> dict[str, object]:
        rng = np.random.default_rng((self.seed, n))
        chosen = [self.levels[int(rng.integers(len(self.levels)))] for _ in range(self.batch)]
        # Half of the views lie in the plane of sagittal slices, where sparse contours say most.
        rotation = torch.cat([axis_views()[2:], _turned(axis_views()[[0, 2, 4]], rng)])
        crops = []
        centres: dict[str, list[Tensor]] = {"vertebra": [], "disc": []}
        targets: dict[str, list[LabelTargets]] = {"vertebra": [], "disc": []}
        for item in chosen:
            frame = jitter_frame(item.frame, rng)
            image = torch.from_numpy(np.ascontiguousarray(item.exam.image.array, dtype=np.float32))
            crop = network_crop((image[None], item.exam.image.ijk_to_ras), item.tissues, frame, self.grid)
            crop[0] = torch.from_numpy(jitter_intensity(crop[0].numpy(), rng)) * crop[1]
            crops.append(crop)
            for kind, name in (("vertebra", item.level), ("disc", disc_name(item.level))):
                centre, target = self._targets(item.exam, name, kind, frame, rotation)
                centres[kind].append(centre)
                targets[kind].append(target)
        return {
            "crop": torch.stack(crops),
            "rotation": rotation,
            "bodies_only": torch.tensor([item.exam.bodies_only for item in chosen]),
            "centre": {kind: torch.stack(values) for kind, values in centres.items()},
            "targets": {
                kind: LabelTargets(*map(torch.stack, zip(*v, strict=True))) for kind, v in targets.items()
            },
        }

    @staticmethod
    def _targets(
        exam: LabelledExam, name: str, kind: str, frame: NDArray, rotation: Tensor
    ) -> tuple[Tensor, LabelTargets]:
        """Centre of the views and the targets in them, all in the crop's frame; nothing valid where no label is."""
        mask = exam.labels.array == STRUCTURES[name].label
        to_local = np.linalg.inv(frame)
        voxels = np.argwhere(mask)
        pixels, size_mm = VIEW_SIZE[kind]
        centre = np.zeros(3)
        if len(voxels):
            local = apply(to_local, exam.labels.ras_from_ijk(voxels[:, ::-1]))
            centre = (local.min(0) + local.max(0)) / 2
        middle = torch.from_numpy(centre).float()
        cameras = OrthographicCameras(rotation, middle, size_mm, (pixels, pixels))
        axis = exam.labels.slice_axis
        matrix = to_local @ exam.labels.ijk_to_ras
        target = targets_from_labels(mask, exam.labelled, matrix, cameras, slice_axis=axis)
        if not len(voxels):
            nothing = torch.zeros_like(target.valid)
            target = target._replace(valid=nothing, depth_valid=nothing)
        return middle, target


def _turned(rotations: Tensor, rng: np.random.Generator) -> Tensor:
    turn = Rotation.from_rotvec(rng.normal(0, 0.4, 3)).as_matrix()
    return rotations @ torch.from_numpy(turn).float()

"""A real abdomen as a tissue map, made once from a labelled CT: the background of the synthetic spine.

Source: the abdomen-pelvis CT that comes with TotalSegmentator (Wasserthal et al. 2023, Apache-2.0) and its
label map, classes as in `totalsegmentator/map_to_binary.py`, task "total", version 2. It stays in the data
folder.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import SimpleITK
from numpy.typing import NDArray
from scipy import ndimage

from mri2mesh.errors import InputError
from mri2mesh.synthesis.mr.fields import apply_separable, linear_matrix
from mri2mesh.synthesis.mr.tissues import Tissue

TISSUE_OF_CLASS: dict[int, Tissue] = {
    1: Tissue.SPLEEN,
    2: Tissue.KIDNEY,
    3: Tissue.KIDNEY,
    4: Tissue.FLUID,
    5: Tissue.LIVER,
    6: Tissue.STOMACH_CONTENT,
    7: Tissue.ORGAN,
    8: Tissue.ORGAN,
    9: Tissue.ORGAN,
    **dict.fromkeys(range(10, 15), Tissue.LUNG),
    18: Tissue.BOWEL_CONTENT,
    19: Tissue.BOWEL_CONTENT,
    20: Tissue.BOWEL_CONTENT,
    21: Tissue.FLUID,
    22: Tissue.ORGAN,
    52: Tissue.AORTA,
    63: Tissue.VENA_CAVA,
    **dict.fromkeys(range(64, 69), Tissue.VESSEL),
    **dict.fromkeys(range(75, 79), Tissue.MARROW_OTHER),
    **dict.fromkeys(range(80, 86), Tissue.MUSCLE_GLUTEAL),
    86: Tissue.MUSCLE_PARASPINAL,
    87: Tissue.MUSCLE_PARASPINAL,
    88: Tissue.MUSCLE_PSOAS,
    89: Tissue.MUSCLE_PSOAS,
    **dict.fromkeys(range(92, 116), Tissue.MARROW_OTHER),
    117: Tissue.CARTILAGE,
}
SPINE_CLASSES = (25, 26, 27, 28, 29, 30, 31, 32, 33, 79)
CLASS_OF_LEVEL = {"T12": 32, "L1": 31, "L2": 30, "L3": 29, "L4": 28, "L5": 27, "S1": 26}
SACRUM_CLASSES = (25, 26)
CANAL_CLASS = 79

SACRAL_DEPTHS = (20.0, 40.0, 60.0, 80.0)
"""Millimetres below the S1 body at which the course of the sacrum is measured."""

_FAT_HU, _BONE_HU, _GAS_HU, _BODY_HU = -30, 180, -300, -250
_FINE_MM = 1.5


@dataclass(frozen=True)
class Abdomen:
    """tissues: [K, J, I] uint8 `Tissue`, no spine, axes along RAS, `spacing` mm, voxel (0, 0, 0) at `origin`.

    knots: RAS position of each vertebral body of this patient (T12 to S1, then "S1-20" ... mm below S1).
    """

    tissues: NDArray[np.uint8]
    origin: NDArray[np.float64]
    spacing: float
    knots: dict[str, NDArray[np.float64]]


@lru_cache(maxsize=2)
def load_abdomen(data_dir: Path) -> Abdomen:
    """Read `data_dir`/abdomen_ct and build the tissue map (a few seconds; kept for the life of the process).

    Raises InputError when the files are not there.
    """
    folder = Path(data_dir) / "abdomen_ct"
    ct, origin, spacing = _read(folder / "ct.nii.gz")
    labels, _, _ = _read(folder / "labels_totalsegmentator.nii.gz")
    labels = labels.astype(np.uint8)
    coarse = _coarse_tissues(ct, labels)
    fine = _refine(coarse, spacing / _FINE_MM)
    _add_shells(fine)
    return Abdomen(fine, origin, _FINE_MM, _knots(labels, origin, spacing))


def _read(path: Path) -> tuple[NDArray, NDArray[np.float64], float]:
    """Array [K, J, I] with RAS axes, the position of its first voxel, and its isotropic spacing."""
    if not path.is_file():
        raise InputError(f"{path.name} is missing: name the training data folder, with abdomen_ct/ in it")
    image = SimpleITK.DICOMOrient(SimpleITK.ReadImage(str(path)), "LPS")
    array = SimpleITK.GetArrayFromImage(image)[:, ::-1, ::-1]  # both in-plane axes turned: RAS
    last = image.TransformIndexToPhysicalPoint((array.shape[2] - 1, array.shape[1] - 1, 0))
    return np.ascontiguousarray(array), np.array([-last[0], -last[1], last[2]]), float(image.GetSpacing()[0])


def _coarse_tissues(ct: NDArray, labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    body = ndimage.binary_opening(ct > _BODY_HU, iterations=2)
    components, _ = ndimage.label(body)
    body = components == np.bincount(components.ravel())[1:].argmax() + 1
    body = np.stack([ndimage.binary_fill_holes(section) for section in body])

    soft = body & (ct > _FAT_HU)
    core = (soft & (labels > 0)) | ndimage.binary_opening(soft)  # without the skin
    inner = np.stack([ndimage.binary_fill_holes(ndimage.binary_closing(s, iterations=5)) for s in core])
    tissues = np.full(ct.shape, Tissue.AIR, np.uint8)
    tissues[body] = Tissue.FAT_SUBCUTANEOUS
    tissues[body & inner] = Tissue.FAT_INTERNAL
    tissues[soft] = Tissue.MUSCLE_WALL
    tissues[body & (labels == 0) & (ct > _BONE_HU)] = Tissue.MARROW_OTHER
    for label, tissue in TISSUE_OF_CLASS.items():
        tissues[labels == label] = tissue
    muscle = np.isin(labels, [80, 81, 82, 83, 84, 85, 86, 87, 88, 89])
    tissues[muscle & (ct < _FAT_HU + 10)] = Tissue.FAT_INTRAMUSCULAR
    tissues[body & (ct < _GAS_HU) & (tissues != Tissue.LUNG)] = Tissue.GAS

    spine = ndimage.binary_dilation(np.isin(labels, SPINE_CLASSES), iterations=1)
    spine &= (labels == 0) | np.isin(labels, SPINE_CLASSES)
    filling = np.isin(tissues, [Tissue.MUSCLE_PARASPINAL, Tissue.MUSCLE_PSOAS, Tissue.FAT_INTERNAL]) & ~spine
    nearest = ndimage.distance_transform_edt(~filling, return_distances=False, return_indices=True)
    tissues[spine] = tissues[tuple(nearest)][spine]
    return tissues


def _refine(tissues: NDArray[np.uint8], factor: float) -> NDArray[np.uint8]:
    """The map on a finer grid, borders smoothed: each tissue's mask is blurred and enlarged, the largest
    wins."""
    shape = tuple(int((n - 1) * factor) + 1 for n in tissues.shape)
    best = np.full(shape, -1, np.float32)
    winner = np.zeros(shape, np.uint8)
    for value in np.unique(tissues):
        mask = tissues == value
        where = ndimage.find_objects(mask.astype(np.uint8))[0]
        low = [max(0, s.start - 3) for s in where]
        high = [min(n, s.stop + 3) for s, n in zip(where, tissues.shape, strict=True)]
        crop = mask[tuple(slice(a, b) for a, b in zip(low, high, strict=True))].astype(np.float32)
        out = [
            np.arange(int(np.ceil(a * factor)), min(n, int((b - 1) * factor) + 1))
            for a, b, n in zip(low, high, shape, strict=True)
        ]
        matrices = [linear_matrix(o / factor - a, b - a) for o, a, b in zip(out, low, high, strict=True)]
        fine = apply_separable(ndimage.gaussian_filter(crop, 0.6), (matrices[0], matrices[1], matrices[2]))
        window = tuple(slice(o[0], o[-1] + 1) for o in out)
        better = fine > best[window]
        best[window][better] = fine[better]
        winner[window][better] = value
    return winner


def _add_shells(tissues: NDArray[np.uint8]) -> None:
    """Skin, walls of hollow organs and cortical bone: the outermost voxel of what they enclose; in place."""
    for inside, shell in (
        ((Tissue.MARROW_OTHER,), Tissue.CORTEX_OTHER),
        ((Tissue.BOWEL_CONTENT, Tissue.GAS), Tissue.BOWEL_WALL),
        ((Tissue.STOMACH_CONTENT,), Tissue.BOWEL_WALL),
        ((Tissue.FLUID,), Tissue.BOWEL_WALL),
    ):
        mask = np.isin(tissues, inside)
        tissues[mask & ~ndimage.binary_erosion(mask, border_value=1)] = shell
    body = tissues != Tissue.AIR
    tissues[body & ~ndimage.binary_erosion(body, border_value=1)] = Tissue.SKIN


def _knots(
    labels: NDArray[np.uint8], origin: NDArray[np.float64], spacing: float
) -> dict[str, NDArray[np.float64]]:
    def position(kji: NDArray) -> NDArray[np.float64]:
        return origin + spacing * kji[::-1]

    canal = np.argwhere(labels == CANAL_CLASS)
    slices = np.unique(canal[:, 0])
    canal_y = np.array([canal[canal[:, 0] == k, 1].mean() for k in slices])
    knots = {}
    for level, label in CLASS_OF_LEVEL.items():
        voxels = np.argwhere(labels == label)
        behind = np.interp(voxels[:, 0], slices, canal_y)
        knots[level] = position(voxels[voxels[:, 1] > behind + 9.0 / spacing].mean(axis=0))
    sacrum = np.argwhere(np.isin(labels, SACRUM_CLASSES))
    for depth in SACRAL_DEPTHS:
        height = (knots["S1"][2] - depth - origin[2]) / spacing
        middle = (np.abs(sacrum[:, 0] - height) < 2) & (np.abs(sacrum[:, 2] - sacrum[:, 2].mean()) < 7)
        knots[f"S1-{depth:.0f}"] = position(np.array([height, sacrum[middle, 1].mean(), sacrum[:, 2].mean()]))
    return knots

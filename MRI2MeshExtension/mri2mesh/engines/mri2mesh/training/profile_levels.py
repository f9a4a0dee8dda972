"""The blocks of a synthetic case around its vertebrae, with their surfaces, kept in a small file beside the cases."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mri2mesh.anatomy.structures import disc_name
from mri2mesh.engines.mri2mesh.deformation.profiles import block_around
from mri2mesh.engines.mri2mesh.training.mesh_samples import TRAINED_LEVELS
from mri2mesh.geometry.transforms import apply
from mri2mesh.imaging.volumes.intensity import normalise
from mri2mesh.synthesis.mr.case import SyntheticCase

MIN_INSIDE = 0.6


def structures_of(level: str) -> list[str]:
    """Names of the surfaces that the graph of a level joins."""
    return ["S1"] if level == "S1" else [level, disc_name(level)]


def in_view(case: SyntheticCase, level: str) -> bool:
    """Whether enough of a vertebra is in the image to learn from."""
    ijk = apply(
        np.linalg.inv(case.image.ijk_to_ras), case.spine.structures[level].vertices.astype(np.float64)
    )
    inside = ((ijk >= 0) & (ijk <= np.array(case.image.array.shape[::-1]) - 1)).all(1)
    return float(inside.mean()) >= MIN_INSIDE


def write_levels(case: SyntheticCase, path: Path) -> None:
    """The blocks around all levels in view, normalised, in 8 bits, and their surfaces."""
    arrays: dict[str, NDArray] = {}
    for level in (*TRAINED_LEVELS, "S1"):
        names = structures_of(level)
        if not all(name in case.spine.structures for name in names):
            continue
        if not in_view(case, level):
            continue
        vertices = np.concatenate([case.spine.structures[name].vertices for name in names])
        image, matrix = block_around(case.image.array, case.image.ijk_to_ras, vertices)
        arrays[f"{level}_image"] = np.rint(normalise(image) * 170).astype(np.uint8)
        arrays[f"{level}_matrix"] = matrix
        arrays[f"{level}_vertices"] = vertices.astype(np.float32)
        arrays[f"{level}_frame"] = case.spine.frames[level]
    temporary = path.with_name(f".{path.stem}.{os.getpid()}.npz")
    np.savez(temporary, **arrays)  # type: ignore[arg-type]
    os.replace(temporary, path)


def read_level(path: Path, level: str) -> tuple[NDArray[np.float32], NDArray, NDArray, NDArray]:
    """Image block in 0..1.5, its ijk_to_ras, the true vertices [V, 3] and the vertebra's frame."""
    with np.load(path) as file:
        image, matrix, vertices, frame = (
            file[f"{level}_{key}"] for key in ("image", "matrix", "vertices", "frame")
        )
    return image.astype(np.float32) / np.float32(170), matrix, vertices, frame


def levels_in(path: Path) -> list[str]:
    with np.load(path) as file:
        return [name.removesuffix("_image") for name in file.files if name.endswith("_image")]


MOST_RESIZED = 0.1


def resized(
    image: NDArray[np.float32], matrix: NDArray, vertices: NDArray, frame: NDArray, rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.float64], NDArray[np.float32], NDArray[np.float64]]:
    """What `read_level` gives, image and anatomy larger or smaller by up to MOST_RESIZED along each patient axis."""
    middle = frame[:3, 3]
    scale = np.eye(4)
    scale[:3, :3] = np.diag(np.exp(rng.uniform(-MOST_RESIZED, MOST_RESIZED, 3)))
    scale[:3, 3] = middle - scale[:3, :3] @ middle
    return image, scale @ matrix, apply(scale, vertices.astype(np.float64)).astype(np.float32), scale @ frame

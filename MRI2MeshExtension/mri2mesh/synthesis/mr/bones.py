"""Vertebrae and sacrum: cortex, endplates, marrow and what may be wrong with it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mri2mesh.anatomy.regions import body_of
from mri2mesh.anatomy.spine_model import SpineSample
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.synthesis.mr.canvas import Canvas, Window, dilated, eroded
from mri2mesh.synthesis.mr.tissues import DISC, Tissue, mask_table

_DISC = mask_table((*DISC, Tissue.CARTILAGE))


@dataclass(frozen=True)
class BoneOptions:
    """thick_cortex: share of the bone where the cortex is two voxels thick; lesions: how many, relative to
    usual."""

    thick_cortex: float
    lesions: float


def random_bones(rng: np.random.Generator) -> BoneOptions:
    """Random options."""
    return BoneOptions(thick_cortex=float(rng.uniform(0, 0.6)), lesions=float(rng.choice([0.0, 1.0, 2.5])))


def paint_vertebra(
    canvas: Canvas, spine: SpineSample, name: str, rng: np.random.Generator, options: BoneOptions
) -> None:
    """Paint one vertebra over whatever is there; discs must have been painted before (they make the
    endplates)."""
    mesh = spine.structures[name]
    window = canvas.window_of(mesh)
    if window is None:
        return
    body = canvas.inside(body_of(mesh), window)
    whole = canvas.inside(mesh, window) | body
    tissues = canvas.tissues[window]
    next_to_disc = dilated(_DISC[tissues], 2)

    inner = eroded(whole)
    posterior = whole & ~body
    tissues[posterior] = Tissue.MARROW_POSTERIOR
    tissues[posterior & ~inner] = Tissue.CORTEX_POSTERIOR
    deep = eroded(inner)
    thick = rng.random(whole.shape, dtype=np.float32) < options.thick_cortex
    tissues[posterior & inner & ~deep & thick] = Tissue.CORTEX_POSTERIOR

    shell = body & ~inner
    tissues[body] = Tissue.MARROW_BODY
    tissues[shell] = Tissue.CORTEX_BODY
    tissues[shell & next_to_disc] = Tissue.ENDPLATE

    marrow = body & inner
    if not marrow.any():
        return
    frame = spine.frames[name]
    points = canvas.local(window, marrow, frame)
    values = np.full(len(points), Tissue.MARROW_BODY, np.uint8)
    _basivertebral_vein(values, points, rng)
    _focal_lesions(values, points, rng, options.lesions)
    _endplate_changes(values, points, rng, options.lesions)
    tissues[marrow] = values


def paint_sacrum(canvas: Canvas, spine: SpineSample, rng: np.random.Generator, options: BoneOptions) -> None:
    """Paint the sacrum and the remnants of discs inside it."""
    mesh: Mesh = spine.structures["sacrum"]
    window = canvas.window_of(mesh)
    if window is None:
        return
    whole = canvas.inside(mesh, window)
    if "S1" in spine.structures:
        whole |= canvas.inside(spine.structures["S1"], window)
    inner = eroded(whole)
    tissues = canvas.tissues[window]
    tissues[whole] = Tissue.CORTEX_SACRUM
    tissues[inner] = Tissue.MARROW_SACRUM
    thick = rng.random(whole.shape, dtype=np.float32) < options.thick_cortex * 0.5
    tissues[inner & ~eroded(inner) & thick] = Tissue.CORTEX_SACRUM
    _sacral_discs(canvas, window, whole, spine.frames["S1"], rng)


def _sacral_discs(
    canvas: Canvas, window: Window, whole: NDArray[np.bool_], frame: NDArray, rng: np.random.Generator
) -> None:
    """Thin remnants between S1, S2 and S3: planes across the sacrum, each tilted further back than the
    last."""
    points = canvas.local(window, whole, frame)
    values = canvas.tissues[window][whole]
    tilt = 0.0
    centre = np.zeros(3, np.float32)
    for size in (1.0, 0.75):
        if rng.random() < 0.15:
            break
        tilt += np.radians(rng.uniform(5, 20))
        normal = np.array([0, -np.sin(tilt), np.cos(tilt)], np.float32)
        forward = np.array([0, np.cos(tilt), np.sin(tilt)], np.float32)
        centre = centre - normal * np.float32(rng.uniform(14, 17) if size == 1.0 else rng.uniform(24, 28))
        offset = points - centre
        flat = (offset[:, 0] / (20 * size)) ** 2 + ((offset @ forward) / (11 * size)) ** 2
        height = np.abs(offset @ normal)
        thickness = rng.uniform(0.6, 2.5) * size
        values[(flat < 1) & (height < thickness + 1)] = Tissue.CORTEX_SACRUM
        values[(flat < 0.8) & (height < thickness)] = Tissue.SACRAL_DISC
        centre = centre - normal * 3
    canvas.tissues[window][whole] = values


def _basivertebral_vein(values: NDArray[np.uint8], points: NDArray, rng: np.random.Generator) -> None:
    if rng.random() < 0.2:
        return
    back = np.percentile(points[:, 1], 2)
    depth = points[:, 1] - back
    length, height, width = rng.uniform(6, 15), rng.uniform(1.0, 2.6), rng.uniform(2, 9)
    taper = np.clip(1 - depth / length, 0, 1)
    near = (depth < length) & (np.abs(points[:, 2] - rng.normal(0, 1)) < height * taper**0.5)
    values[near & (np.abs(points[:, 0]) < width * taper**0.5)] = Tissue.BASIVERTEBRAL_VEIN


def _focal_lesions(values: NDArray[np.uint8], points: NDArray, rng: np.random.Generator, rate: float) -> None:
    """Haemangiomas and other focal lesions: blobs with an uneven border."""
    for tissue, probability in ((Tissue.HAEMANGIOMA, 0.08), (Tissue.LESION, 0.05)):
        if rng.random() > probability * rate:
            continue
        centre = points[rng.integers(len(points))]
        radii = rng.uniform(3, 9) * rng.uniform(0.7, 1.3, 3)
        waves = np.sin(points * rng.uniform(0.15, 0.4, 3) + rng.uniform(0, 6.3, 3)) @ rng.uniform(
            -0.2, 0.2, 3
        )
        distance = np.linalg.norm((points - centre) / radii, axis=1) + waves
        values[distance + 0.15 * rng.standard_normal(len(points)) < 1] = tissue


def _endplate_changes(
    values: NDArray[np.uint8], points: NDArray, rng: np.random.Generator, rate: float
) -> None:
    """Modic changes and Schmorl nodes, above and below."""
    half = np.percentile(np.abs(points[:, 2]), 96)
    depth_ap = np.percentile(np.abs(points[:, 1]), 97)
    for side in (-1.0, 1.0):
        below = half - side * points[:, 2]  # distance from this endplate
        if rng.random() < 0.12 * rate:
            tissue = rng.choice([Tissue.MODIC_1, Tissue.MODIC_2, Tissue.MODIC_2, Tissue.MODIC_3])
            centre_y = rng.uniform(-0.8, 0.8) * depth_ap
            extent = rng.uniform(3, 10) * np.exp(
                -(((points[:, 1] - centre_y) / (depth_ap * rng.uniform(0.5, 2))) ** 2)
            )
            extent = extent * (1 + 0.25 * np.sin(points[:, 0] * rng.uniform(0.1, 0.4) + rng.uniform(0, 6)))
            values[below + 0.7 * rng.standard_normal(len(points)) < extent] = tissue  # fades into the marrow
        if rng.random() < 0.08 * rate:
            centre = np.array([rng.normal(0, 6), rng.normal(0, depth_ap / 3)])
            radius = rng.uniform(3, 6.5)
            distance = np.sqrt(((points[:, :2] - centre) ** 2).sum(axis=1) + np.maximum(below, 0) ** 2)
            values[distance < radius + 1.2] = Tissue.CORTEX_BODY
            values[distance < radius] = Tissue.SCHMORL_NODE

"""Films of real people, from a CT or from labels alone: line integrals through voxels (`rendering.drr`), by which
nothing learns one simulator's hand. Levels are VerSe's numbers (T7 is 14, L1 is 20, L5 is 24)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, find_objects

from mri2mesh.anatomy.lumbar_region import VERTEBRAE
from mri2mesh.anatomy.structures import STRUCTURES, VERTEBRA_LEVELS
from mri2mesh.errors import InputError
from mri2mesh.geometry.isosurface import surface_from_labels
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.volume import Volume
from mri2mesh.geometry.xray_camera import XrayCamera
from mri2mesh.rendering.drr import WATER_PER_MM, attenuation_from_hu, render_drr
from mri2mesh.rendering.projective import ProjectiveCameras
from mri2mesh.synthesis.films.case import TRUTH_GRID, FilmCase, FilmTruth, surface_truth
from mri2mesh.synthesis.films.lumbar.region import ANCHORS, LumbarRegion
from mri2mesh.synthesis.films.lumbar.tissue import lumbar_tissue
from mri2mesh.synthesis.films.views import View

_SHELL_MM = 1.2
_LEAST_VOXELS = 200


@dataclass(frozen=True)
class LabelledSpine:
    """labels: VerSe's numbers. ct: HU on a grid of its own, where there is one. surfaces: level -> RAS mm."""

    labels: Volume
    ct: Volume | None
    surfaces: dict[str, Mesh]

    @classmethod
    def of(cls, labels: Volume, ct: Volume | None = None) -> LabelledSpine:
        """Raises InputError where no vertebra from T7 to L5 is labelled, or labels are not whole numbers."""
        array = labels.array
        if array.dtype.kind == "f":
            if not np.array_equal(array, np.rint(array)):
                raise InputError("the label volume has fractions: give labels, not an image or probabilities")
            array = array.astype(np.int32)
        found, boxes = {}, find_objects(np.clip(array, 0, 255).astype(np.uint8))
        for level in VERTEBRA_LEVELS:
            number = STRUCTURES[level].label
            if number > len(boxes) or boxes[number - 1] is None:
                continue
            mask = array == number
            if mask.sum() >= _LEAST_VOXELS:
                found[level] = surface_from_labels(labels.with_array(mask), largest=True)
        if not found:
            raise InputError("no vertebra is labelled by VerSe's numbers (T7 is 14, L1 is 20, L5 is 24)")
        return cls(labels.with_array(array), ct, found)

    def centre(self, level: str) -> NDArray[np.float64]:
        """[3] RAS mm, the middle of the whole vertebra."""
        vertices = self.surfaces[level].vertices.astype(np.float64)
        return np.asarray((vertices.min(axis=0) + vertices.max(axis=0)) / 2)

    def whole(self, level: str) -> bool:
        """Whether a level lies within the label volume, uncut."""
        ijk = self.labels.ijk_from_ras(self.surfaces[level].vertices)
        return bool(((ijk > 0) & (ijk < np.array(self.labels.array.shape[::-1]) - 1)).all())


def make_labelled_case(
    spine: LabelledSpine, level: str, view: View, rng: np.random.Generator, *, alone: bool = False
) -> FilmCase:
    """The film of one level in a view; its truth has that bone alone, and no places on a mean bone (zeros).

    From the CT where there is one: all that it holds, as water. Else from the labels: shells and marrow of the
    vertebrae among soft tissue that is made up. alone: the level's own voxels, nothing around them.
    """
    camera, bone = view.camera, spine.surfaces[level]
    chosen = [level] if alone else list(spine.surfaces)
    cortex, marrow = np.zeros(camera.size, np.float32), np.zeros(camera.size, np.float32)
    if spine.ct is not None:
        tissue = _ct_path(spine, level if alone else None, camera)
    else:
        cortex, marrow = _label_paths(spine, chosen, camera)
        tissue = np.zeros(camera.size, np.float32) if alone else lumbar_tissue(region_of(spine), camera, rng)
    label = np.zeros(len(bone.faces), np.int64)
    places = np.zeros_like(bone.vertices)
    truth: FilmTruth = surface_truth(bone.vertices, bone.faces, label, places, 1, camera.coarser(TRUTH_GRID))
    half = np.float16
    return FilmCase(
        cortex.astype(half), marrow.astype(half), tissue.astype(half), truth, camera,
        region_of(spine).anchors.reshape(-1, 3), view.round_field, view.kind, (level,), bone.vertices,
    )  # fmt: skip


def _ct_path(spine: LabelledSpine, level: str | None, camera: XrayCamera) -> NDArray[np.float32]:
    """[H, W] mm of water that attenuate as much as the CT does along each ray; of one level's voxels alone."""
    assert spine.ct is not None
    hu = torch.from_numpy(spine.ct.array.astype(np.float32))
    density = attenuation_from_hu(hu) / WATER_PER_MM
    if level is not None:
        density = density * torch.from_numpy(_on_grid(spine, level).astype(np.float32))
    return _integral(density, spine.ct.ijk_to_ras, camera)


def _on_grid(spine: LabelledSpine, level: str) -> NDArray[np.bool_]:
    """[K, J, I] of the CT: where the level's label is."""
    assert spine.ct is not None
    shape = spine.ct.array.shape
    if shape == spine.labels.array.shape and np.allclose(
        spine.ct.ijk_to_ras, spine.labels.ijk_to_ras, atol=1e-3
    ):
        return np.asarray(spine.labels.array == STRUCTURES[level].label)
    raise InputError("labels and CT are not on one grid: resample the labels onto the CT first")


def _label_paths(
    spine: LabelledSpine, levels: list[str], camera: XrayCamera
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """[H, W] mm in the shells and in the marrow of vertebrae."""
    numbers = [STRUCTURES[level].label for level in levels]
    inside = np.isin(spine.labels.array, numbers)
    depth = distance_transform_edt(inside, spine.labels.spacing[::-1]) - spine.labels.spacing.min() / 2
    shell = np.clip(1 - (depth - _SHELL_MM) / spine.labels.spacing.min(), 0, 1) * inside
    paths = [
        _integral(torch.from_numpy(part.astype(np.float32)), spine.labels.ijk_to_ras, camera)
        for part in (shell, inside - shell)
    ]
    return paths[0], paths[1]


def _integral(volume: torch.Tensor, ijk_to_ras: NDArray, camera: XrayCamera) -> NDArray[np.float32]:
    cameras = ProjectiveCameras.of([camera])
    matrix = torch.from_numpy(ijk_to_ras)
    return render_drr(volume, matrix, cameras, step_mm=0.7)[0].float().numpy()


def _front(vertices: NDArray) -> NDArray[np.float64]:
    own = vertices.astype(np.float64)
    return np.asarray(own[own[:, 1] > np.median(own[:, 1]) + 5.0].mean(axis=0))


def region_of(spine: LabelledSpine) -> LumbarRegion:
    """What soft tissue is made, and cameras are placed, around: rough places of the levels; those not
    labelled go on along the spine."""
    known = [level for level in VERTEBRA_LEVELS if level in spine.surfaces]
    numbers = np.array([VERTEBRA_LEVELS.index(level) for level in known])
    centres = np.stack([_front(spine.surfaces[level].vertices) for level in known])
    anchors = np.empty((len(VERTEBRAE), len(ANCHORS), 3))
    for row, level in enumerate(VERTEBRAE):
        at = VERTEBRA_LEVELS.index(level)
        nearest = numbers[np.abs(numbers - at).argmin()]
        centre = centres[list(numbers).index(nearest)] + [0, 0, -34.0 * (at - nearest)]
        aside = np.array([[0, 0, 0], [-13, -20, 3], [13, -20, 3], [0, 18, 0], [0, -60, -10.0]])
        anchors[row] = centre + aside
    return LumbarRegion(np.concatenate([mesh.vertices for mesh in spine.surfaces.values()]), anchors)

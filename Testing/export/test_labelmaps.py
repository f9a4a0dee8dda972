"""Label maps lie on the input's grid, with the table's values, in the right place."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from mri2mesh.anatomy.structures import STRUCTURES
from mri2mesh.export.labelmaps import LABEL_MAPS, disc_labels, label_map, vertebrae_labels, write_labelmaps
from mri2mesh.geometry.checks import volume_mm3
from mri2mesh.geometry.volume import Volume
from mri2mesh.reconstruction import Reconstruction

VOXEL_MM3 = 1.5 * 1.5 * 4


def test_values_are_those_of_the_table(spine: Reconstruction, oblique_image: Volume) -> None:
    vertebrae, discs = vertebrae_labels(spine, oblique_image).array, disc_labels(spine, oblique_image).array
    assert set(np.unique(vertebrae)) == {0} | {
        STRUCTURES[n].label for n in ("L1", "L2", "L3", "L4", "L5", "S1")
    }
    assert {20, 24} < set(np.unique(vertebrae)) and {120, 124} < set(np.unique(discs))
    assert vertebrae.dtype == np.uint8


@pytest.mark.parametrize("name", ["L2", "L5"])
def test_a_label_has_the_volume_and_the_place_of_its_surface(
    spine: Reconstruction, oblique_image: Volume, name: str
) -> None:
    labels = vertebrae_labels(spine, oblique_image)
    voxels = np.argwhere(labels.array == STRUCTURES[name].label)[:, ::-1]
    vertices = spine[name].mesh.vertices
    centre = (vertices.min(axis=0) + vertices.max(axis=0)) / 2
    assert len(voxels) * VOXEL_MM3 == pytest.approx(volume_mm3(spine[name].mesh), rel=0.03)
    np.testing.assert_allclose(labels.ras_from_ijk(voxels).mean(axis=0), centre, atol=0.5)


def test_where_surfaces_overlap_the_first_keeps_the_voxel(
    spine: Reconstruction, oblique_image: Volume
) -> None:
    mesh = spine["L3"].mesh
    labels = label_map(
        [(1, mesh), (2, mesh.with_vertices(mesh.vertices + np.float32([0, 0, 6])))], oblique_image
    )
    alone = label_map([(1, mesh)], oblique_image)
    np.testing.assert_array_equal(labels.array == 1, alone.array == 1)
    assert (labels.array == 2).any()


def test_files_keep_the_grid_of_the_input(
    spine: Reconstruction, oblique_image: Volume, tmp_path: Path
) -> None:
    paths = write_labelmaps(spine, oblique_image, tmp_path)
    assert [path.name for path in paths] == list(LABEL_MAPS)
    image = sitk.ReadImage(str(tmp_path / "discs.nii.gz"))
    assert image.GetSize() == oblique_image.array.shape[::-1]
    for index in ([0, 0, 0], [149, 20, 7], [3, 169, 19]):
        lps = np.array(image.TransformIndexToPhysicalPoint(index))
        np.testing.assert_allclose(lps * [-1, -1, 1], oblique_image.ras_from_ijk(index), atol=1e-3)
    np.testing.assert_array_equal(sitk.GetArrayFromImage(image), disc_labels(spine, oblique_image).array)

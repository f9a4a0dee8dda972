"""Profiles are read where the vertices are, in millimetres, also of oblique images, and say what lies outside."""

import numpy as np
import pytest
import torch
from scipy import ndimage
from scipy.spatial.transform import Rotation

from mri2mesh.anatomy.templates import template
from mri2mesh.engines.mri2mesh.deformation.graphs import build_graphs
from mri2mesh.engines.mri2mesh.deformation.models import load_profiles
from mri2mesh.engines.mri2mesh.deformation.profiles import (
    MARGIN_MM,
    block_around,
    read_edges,
    sample_profiles,
)
from mri2mesh.engines.mri2mesh.networks.profile_net import wall_groups
from mri2mesh.geometry.transforms import apply
from mri2mesh.geometry.volume import Volume
from mri2mesh.geometry.voxelise import voxelise

SHAPE = (60, 70, 50)


@pytest.fixture(params=[0.0, 20.0])
def ijk_to_ras(request) -> np.ndarray:
    matrix = np.eye(4)
    turn = Rotation.from_euler(
        "xyz", [request.param, 0.5 * request.param, -request.param], degrees=True
    ).as_matrix()
    matrix[:3, :3] = turn @ np.diag([4.0, 0.8, 0.9])
    matrix[:3, 3] = (-60, 12, 300)
    return matrix


def ramp(ijk_to_ras: np.ndarray) -> torch.Tensor:
    """Every voxel holds its x in mm."""
    kji = np.indices(SHAPE).reshape(3, -1).T
    return torch.from_numpy(apply(ijk_to_ras, kji[:, ::-1].astype(float))[:, 0].reshape(SHAPE)).float()


def test_a_profile_shows_the_image_along_the_normal(ijk_to_ras):
    vertices = torch.from_numpy(apply(ijk_to_ras, np.array([[25.0, 30, 25], [20, 25, 32]]))).float()
    normals = torch.tensor([[1.0, 0, 0], [0, 0, 1.0]])
    offsets = torch.tensor([-3.0, 0.0, 3.0])
    image, inside = sample_profiles((ramp(ijk_to_ras), ijk_to_ras), vertices, normals, offsets)
    assert (inside == 1).all()
    torch.testing.assert_close(image[0], vertices[0, 0] + offsets, atol=0.02, rtol=0)
    torch.testing.assert_close(image[1], vertices[1, 0].expand(3), atol=0.02, rtol=0)


def test_what_lies_outside_the_image_is_said_to(ijk_to_ras):
    edge = torch.from_numpy(apply(ijk_to_ras, np.array([[SHAPE[2] - 0.5, 30.0, 25]]))).float()
    outwards = torch.from_numpy(ijk_to_ras[:3, 0] / 4.0)[None].float()
    image, inside = sample_profiles(
        (ramp(ijk_to_ras), ijk_to_ras), edge, outwards, torch.tensor([-5.0, -1.0, 1.0, 5.0])
    )
    assert inside[0].tolist() == [1, 1, 0, 0]
    assert (image[0, 2:] == 0).all()


def test_a_block_is_a_part_of_the_image_in_its_place(ijk_to_ras):
    array = ramp(ijk_to_ras).numpy()
    points = apply(ijk_to_ras, np.array([[20.0, 30, 30], [22, 36, 32]]))
    block, matrix = block_around(array, ijk_to_ras, points)
    assert block.size < array.size
    first = apply(matrix, np.zeros((1, 3)))[0]
    assert block[0, 0, 0] == pytest.approx(first[0], abs=1e-3)
    ijk = apply(np.linalg.inv(matrix), points)
    room = np.minimum(ijk, np.array(block.shape[::-1]) - 1 - ijk) * np.array([4.0, 0.8, 0.9])
    assert (room >= MARGIN_MM - 1e-6).all()


@pytest.mark.parametrize("scale", [0.92, 1.08])
def test_a_body_of_the_wrong_width_comes_back_to_the_edges_that_the_image_shows(scale):
    """Bright marrow, a thin dark rim and grey surroundings, with discs that are darker: what most contrasts show."""
    graph = build_graphs()["level"]
    truth = graph.vertices.numpy().astype(np.float64)
    matrix = np.eye(4)
    matrix[:3, 3] = (-50, -75, -50)
    grid = Volume(np.zeros((100, 130, 100), np.uint8), matrix)
    bone = voxelise(template("vertebra").with_vertices(truth[graph.slices[0]].astype(np.float32)), grid)
    disc = voxelise(template("disc").with_vertices(truth[graph.slices[1]].astype(np.float32)), grid)
    signal = np.where(ndimage.binary_erosion(bone), 0.8, np.where(bone, 0.1, 0.5))
    signal[disc] = 0.3
    noise = np.random.default_rng(0).normal(0, 0.02, signal.shape)
    image = grid.with_array((ndimage.gaussian_filter(signal, 0.7) + noise).astype(np.float32))
    network, _ = load_profiles(torch.device("cpu"))
    (found,) = read_edges(image, (truth * np.array([scale, 1, 1]))[None], network, graph)
    sides = np.isin(wall_groups(graph).numpy(), (0, 1))  # of the body
    outwards = np.sign(truth[sides, 0])
    before, after = (
        float((outwards * (vertices[sides, 0] - truth[sides, 0])).mean())
        for vertices in (truth * np.array([scale, 1, 1]), found)
    )
    discs = graph.slices[1]
    np.testing.assert_allclose(found[discs], truth[discs] * np.array([scale, 1, 1]), atol=1e-4)
    assert abs(before) > 1.2
    assert abs(after) < 0.6 * abs(before)

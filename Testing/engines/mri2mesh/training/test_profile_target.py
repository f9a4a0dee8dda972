"""What the network that reads profiles should answer: how far the true surface is along a normal."""

import numpy as np
import pytest
import torch

from mri2mesh.engines.mri2mesh.deformation.graphs import build_graphs
from mri2mesh.engines.mri2mesh.training.profile_target import distance_along
from mri2mesh.geometry.tensors import vertex_normals


@pytest.fixture(scope="module")
def graph():
    return build_graphs()["level"]


@pytest.fixture(scope="module")
def truth(graph) -> np.ndarray:
    return graph.vertices.numpy().astype(np.float64)


def normals_of(graph, vertices) -> np.ndarray:
    return vertex_normals(torch.from_numpy(vertices[None]), graph.faces)[0].numpy()


def test_a_surface_moved_along_its_normals_has_to_go_all_the_way_back(graph, truth):
    normals = normals_of(graph, truth)
    rows = np.arange(0, len(truth), 7)
    along = distance_along(truth + normals, normals, truth, normals, graph, rows)
    assert np.abs(along + 1.0).mean() < 0.1


def test_vertices_that_slid_along_the_surface_have_nowhere_to_go(graph, truth):
    """An endplate is nearly flat: slid by 2 mm, its vertices still lie on it, though not where they were."""
    normals = normals_of(graph, truth)
    where = graph.slices[0]
    flat = np.flatnonzero((normals[where][:, 2] > 0.97) & (np.hypot(*truth[where][:, :2].T) < 10))
    slid = truth + 2.0 * np.eye(3)[0]
    along = distance_along(slid, normals, truth, normals, graph, flat)
    assert len(flat) > 20
    assert np.abs(along).mean() < 0.35


def test_the_other_structure_s_surface_is_never_meant(graph, truth):
    """A disc set 3 mm up into the body goes back to the disc, not to the endplate that it has crossed."""
    disc = graph.slices[1]
    moved = truth.copy()
    moved[disc, 2] += 3.0
    normals = normals_of(graph, truth)
    rows = np.flatnonzero(normals[disc, 2] > 0.95) + disc.start
    along = distance_along(moved, normals, truth, normals, graph, rows)
    assert abs(np.median(along) + 3.0) < 0.2

"""Losses on configurations whose value is known."""

from __future__ import annotations

import math

import pytest
import torch
import trimesh

from mri2mesh.geometry.checks import volume_mm3
from mri2mesh.geometry.distances import surface_distances
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.topology import MeshTopology
from mri2mesh.learning.losses import (
    both_on,
    chamfer_distance,
    chamfer_loss,
    depth_l1_loss,
    dice_loss,
    edge_length_loss,
    laplacian_loss,
    nearest_index,
    normal_consistency_loss,
    sample_points,
    sliding_loss,
)
from mri2mesh.rendering.cameras import OrthographicCameras, axis_views
from mri2mesh.rendering.hard import render_hard
from mri2mesh.rendering.soft import blur_for, render_soft


def solid(mesh: trimesh.Trimesh) -> tuple[torch.Tensor, torch.Tensor, MeshTopology]:
    vertices, faces = torch.tensor(mesh.vertices, dtype=torch.float64)[None], torch.tensor(mesh.faces)
    return vertices, faces, MeshTopology.from_faces(faces, vertices.shape[1])


def test_dice_of_half_overlapping_squares():
    a, b = torch.zeros(1, 1, 40, 40), torch.zeros(1, 1, 40, 40)
    a[..., :20, :20], b[..., 10:30, :20] = 1, 1
    assert abs(float(dice_loss(a, b, smooth=0.0)) - 0.5) < 1e-6
    assert float(dice_loss(a, a)) == pytest.approx(0)


def test_dice_ignores_pixels_and_images_that_are_not_valid():
    target = torch.zeros(1, 2, 8, 8)
    target[..., :4] = 1
    prediction = target.clone()
    prediction[:, 0, :4] = 1 - prediction[:, 0, :4]
    prediction[:, 1] = 1 - prediction[:, 1]
    valid = torch.zeros(1, 2, 8, 8, dtype=torch.bool)
    valid[:, 0, 4:] = True
    assert float(dice_loss(prediction, target, valid)) == pytest.approx(0, abs=1e-6)
    assert float(dice_loss(prediction, target)) > 0.6
    assert float(dice_loss(prediction, target, torch.zeros_like(valid))) == 0


def test_depth_loss_is_in_millimetres_and_never_looks_outside_its_mask():
    depth = torch.zeros(1, 1, 4, 4, requires_grad=True)
    target = torch.full((1, 1, 4, 4), 3.0)
    target[..., 0] = torch.nan
    mask = both_on(torch.ones(1, 1, 4, 4), (~target.isnan()).float())
    loss = depth_l1_loss(depth, target, mask)
    loss.backward()
    assert loss.item() == pytest.approx(3.0) and torch.isfinite(depth.grad).all()
    assert depth_l1_loss(depth, target, mask, scale_mm=6.0).item() == pytest.approx(0.5)
    assert depth_l1_loss(depth, target, torch.zeros_like(mask)).item() == 0


def test_topology_of_a_tetrahedron_and_of_an_open_fan():
    tetrahedron = MeshTopology.from_faces(torch.tensor([[0, 2, 1], [0, 1, 3], [1, 2, 3], [2, 0, 3]]), 4)
    assert tetrahedron.edges.tolist() == [[0, 1], [0, 2], [0, 3], [1, 2], [1, 3], [2, 3]]
    assert len(tetrahedron.face_pairs) == 6 and tetrahedron.degree.tolist() == [3.0] * 4
    fan = MeshTopology.from_faces(torch.tensor([[0, 1, 2], [0, 2, 3]]), 5)
    assert fan.face_pairs.tolist() == [[0, 1]] and fan.opposite.tolist() == [[1, 3]]
    assert sorted(fan.pair_edges[0].tolist()) == [0, 2]
    assert fan.degree.tolist() == [3.0, 2.0, 3.0, 2.0, 1.0]  # vertex 4 is alone: 1, to divide by


def test_topology_refuses_an_index_out_of_range():
    with pytest.raises(ValueError, match="does not exist"):
        MeshTopology.from_faces(torch.tensor([[0, 1, 5]]), 3)


def test_neighbour_mean_equals_a_dense_matrix():
    vertices, _, topology = solid(trimesh.creation.icosphere(1))
    n = topology.n_vertices
    adjacency = torch.zeros(n, n, dtype=torch.float64)
    adjacency[topology.edges[:, 0], topology.edges[:, 1]] = 1
    adjacency = adjacency + adjacency.T
    batch = torch.cat([vertices, 2 * vertices + 1])
    expected = torch.einsum("uv,bvc->buc", adjacency / adjacency.sum(1, keepdim=True), batch)
    torch.testing.assert_close(topology.neighbour_mean(batch), expected)


def test_laplacian_of_an_octahedron_and_of_a_flat_regular_patch():
    octahedron = trimesh.Trimesh(
        [[1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0], [0, 0, 1], [0, 0, -1]],
        [[0, 2, 4], [2, 1, 4], [1, 3, 4], [3, 0, 4], [2, 0, 5], [1, 2, 5], [3, 1, 5], [0, 3, 5]],
        process=False,
    )
    vertices, _, topology = solid(octahedron)
    # The four neighbours of every corner have the centre as their mean: the Laplacian is minus the corner
    # itself. assert laplacian_loss(3 * vertices, topology).item() == pytest.approx(9)
    assert laplacian_loss(3 * vertices, topology, 3 * vertices[0]).item() == pytest.approx(0)
    assert laplacian_loss(3 * vertices + 5, topology, 2 * vertices).item() == pytest.approx(1)

    angle = torch.arange(6, dtype=torch.float64) * math.pi / 3
    hexagon = torch.stack([angle.cos(), angle.sin(), torch.zeros(6, dtype=torch.float64)], 1)
    points = torch.cat([torch.zeros(1, 3, dtype=torch.float64), hexagon])[None]
    fan = MeshTopology.from_faces(torch.tensor([[0, k + 1, (k + 1) % 6 + 1] for k in range(6)]), 7)
    assert fan.laplacian(points)[0, 0].abs().max() < 1e-12


def test_normal_consistency_of_a_cube_and_of_a_folded_sheet():
    vertices, _, topology = solid(trimesh.creation.box())
    # 12 edges of 90 degrees (1 - cos = 1) and 6 flat diagonals.
    assert normal_consistency_loss(vertices, topology).item() == pytest.approx(12 / 18)
    assert normal_consistency_loss(vertices, topology, vertices[0]).item() == pytest.approx(0, abs=1e-12)

    def folded(angle: float) -> torch.Tensor:
        wing = [0.0, -math.cos(angle), math.sin(angle)]
        return torch.tensor([[[0.0, 0, 0], [1, 0, 0], [0.5, 1, 0], [0.5, *wing[1:]]]], dtype=torch.float64)

    sheet = MeshTopology.from_faces(torch.tensor([[0, 1, 2], [1, 0, 3]]), 4)
    assert normal_consistency_loss(folded(0.5), sheet).item() == pytest.approx(1 - math.cos(0.5))
    # The reference's fold is signed: the same fold to the other side is twice the angle away.
    assert normal_consistency_loss(folded(0.5), sheet, folded(0.5)).item() == pytest.approx(0, abs=1e-12)
    assert normal_consistency_loss(folded(0.5), sheet, folded(-0.5)).item() == pytest.approx(
        1 - math.cos(1.0)
    )


def test_sliding_costs_and_moving_along_the_normal_does_not():
    reference = torch.zeros(1, 3, 3)
    normals = torch.tensor([[[0.0, 0, 1]] * 3])
    outward = reference + torch.tensor([0.0, 0, 5])
    assert sliding_loss(outward, reference, normals) == 0
    slid = outward + torch.tensor([3.0, 4, 0])
    assert torch.isclose(sliding_loss(slid, reference, normals), torch.tensor(25.0))


def test_edge_lengths_of_regular_and_scaled_meshes():
    vertices, _, topology = solid(trimesh.creation.icosahedron())
    assert edge_length_loss(vertices, topology).item() == pytest.approx(0, abs=1e-12)
    box, _, box_topology = solid(trimesh.creation.box())
    assert edge_length_loss(box, box_topology).item() > 0.01
    assert edge_length_loss(3 * box, box_topology, box[0]).item() == pytest.approx(0, abs=1e-12)


def test_chamfer_of_two_planes_is_twice_their_squared_distance():
    x, y = torch.meshgrid(torch.arange(20.0), torch.arange(20.0), indexing="ij")
    plane = torch.stack([x, y, torch.zeros_like(x)], -1).view(1, -1, 3)
    up = torch.tensor([0.0, 0, 1]).expand_as(plane)
    tilted = torch.tensor([0.0, 0.6, 0.8]).expand_as(plane)
    distance, disagreement = chamfer_distance(plane, plane + torch.tensor([0, 0, 0.3]), up, tilted)
    assert float(distance) == pytest.approx(2 * 0.09) and float(disagreement) == pytest.approx(0.4)


def test_chamfer_of_concentric_spheres_and_its_gradient():
    vertices, faces, _ = solid(trimesh.creation.icosphere(4, 10.0))
    generator = torch.Generator().manual_seed(0)
    target, _ = sample_points(1.2 * vertices, faces, 5000, generator)
    vertices.requires_grad_(True)
    loss = chamfer_loss(vertices, faces, target, n_samples=5000, generator=generator)
    loss.backward()
    assert loss.item() == pytest.approx(8, rel=0.03)  # (2 mm)^2 in both directions, plus the samples' spacing
    radial = (vertices.grad * vertices.detach()).sum(-1)
    assert (radial < 0).double().mean() > 0.99  # descent grows the sphere


def test_samples_lie_on_the_surface_evenly_with_its_normals():
    vertices, faces, _ = solid(trimesh.creation.box((2, 4, 8)))
    points, normals = sample_points(vertices, faces, 20000, torch.Generator().manual_seed(0))
    scaled = points.abs() / torch.tensor([1.0, 2, 4], dtype=torch.float64)
    torch.testing.assert_close(scaled.amax(-1), torch.ones(1, 20000, dtype=torch.float64))
    share = normals.abs().round()[0].mean(0)  # area of the faces along x, y, z: 64, 32, 16 of 112
    torch.testing.assert_close(share, torch.tensor([64.0, 32, 16]).double() / 112, atol=0.02, rtol=0)
    assert ((points * normals).sum(-1) > 0).all()
    assert points[0, normals[0, :, 0] > 0.5].mean(0)[1:].abs().max() < 0.1


def test_nearest_index_in_chunks_is_the_true_nearest():
    a, b = torch.randn(2, 70, 3), torch.randn(2, 50, 3)
    brute = ((a[:, :, None] - b[:, None]) ** 2).sum(-1).argmin(2)
    assert torch.equal(nearest_index(a, b, chunk=16), brute)


@pytest.mark.parametrize("loss", [laplacian_loss, normal_consistency_loss, edge_length_loss])
@pytest.mark.parametrize("with_reference", [False, True])
def test_shape_losses_have_right_gradients(loss, with_reference):
    vertices, _, topology = solid(trimesh.creation.icosphere(0, 2.0))
    generator = torch.Generator().manual_seed(0)
    moved = (
        vertices + 0.2 * torch.randn(vertices.shape, generator=generator, dtype=torch.float64)
    ).requires_grad_()
    reference = vertices[0] if with_reference else None
    if loss is edge_length_loss:  # the wanted length is held fixed: compare at a fixed mean length
        (gradient,) = torch.autograd.grad(loss(moved, topology, reference), moved)
        step = moved - 1e-3 * gradient / gradient.norm()
        assert loss(step, topology, reference) < loss(moved, topology, reference)
    else:
        assert torch.autograd.gradcheck(lambda v: loss(v, topology, reference), moved)


def test_a_sphere_is_fitted_to_an_ellipsoid_from_six_views_of_silhouette_and_depth():
    mesh = trimesh.creation.icosphere(3, 15.0)
    start, faces = torch.tensor(mesh.vertices, dtype=torch.float32)[None], torch.tensor(mesh.faces)
    topology = MeshTopology.from_faces(faces, start.shape[1])
    radii, shift = torch.tensor([20.0, 14, 11]), torch.tensor([2.0, -1.5, 1])
    wanted = start / 15 * radii + shift
    cameras = OrthographicCameras(axis_views(), torch.zeros(3), 1.25, (40, 40))
    truth = render_hard(wanted, faces, cameras)
    sigma, blur_radius = blur_for(cameras, 0.8)
    offset = torch.zeros_like(start, requires_grad=True)
    optimiser = torch.optim.Adam([offset], lr=0.3)
    for step in range(50):
        optimiser.param_groups[0]["lr"] = 0.3 if step < 35 else 0.06
        vertices = start + offset
        soft = render_soft(vertices, faces, cameras, sigma, 0.025, blur_radius, cull_backfaces=True)
        mask = both_on(soft.silhouette, truth.silhouette)
        loss = (
            dice_loss(soft.silhouette, truth.silhouette)
            + 0.1 * depth_l1_loss(soft.depth, truth.depth, mask)
            + 0.05 * laplacian_loss(vertices, topology)
            + 0.1 * normal_consistency_loss(vertices, topology)
        )
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    fitted = Mesh((start + offset).detach()[0].numpy(), faces.numpy())
    true = Mesh(wanted[0].numpy(), faces.numpy())
    assert surface_distances(Mesh(start[0].numpy(), faces.numpy()), true).assd > 2
    assert surface_distances(fitted, true).assd < 0.25  # a fifth of a pixel
    assert abs(volume_mm3(fitted) / volume_mm3(true) - 1) < 0.05  # soft edges do not shrink it

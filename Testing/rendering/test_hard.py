"""Hard silhouettes and depth against analytic shapes."""

from __future__ import annotations

import math

import torch
import trimesh

from mri2mesh.rendering.cameras import AXIS_VIEW_NAMES, OrthographicCameras, axis_views, ring_cameras
from mri2mesh.rendering.hard import render_hard
from rendering.scenes import lump, six_views, sphere


def test_silhouette_and_depth_of_a_sphere():
    vertices, faces = sphere(20.0, 5)
    silhouette, depth = render_hard(vertices, faces, six_views(0.5, (100, 100)))
    torch.testing.assert_close(
        silhouette.sum((-2, -1))[0] * 0.25, torch.full((6,), math.pi * 400), rtol=0.01, atol=0
    )
    r, c = torch.meshgrid((torch.arange(100) - 49.5) * 0.5, (torch.arange(100) - 49.5) * 0.5, indexing="ij")
    inner = r**2 + c**2 < 18**2
    true = -torch.sqrt(400 - r**2 - c**2)
    assert (depth[0] - true)[:, inner].abs().max() < 0.05
    assert (depth[0][silhouette[0] == 0] == 50.0).all()


def test_neighbouring_faces_leave_no_cracks():
    # Edges of this box lie exactly on pixel centres and along diagonals of the pixel grid.
    mesh = trimesh.creation.box((20, 20, 20))
    vertices = torch.tensor(mesh.vertices, dtype=torch.float32)[None]
    silhouette, depth = render_hard(vertices, torch.tensor(mesh.faces), six_views(1.0, (31, 31)))
    assert silhouette[0, :, 5:26, 5:26].all()
    assert silhouette[0].sum((-2, -1)).eq(21 * 21).all()
    torch.testing.assert_close(depth[0, :, 5:26, 5:26], torch.full((6, 21, 21), -10.0))


def test_the_nearest_of_two_structures_is_seen_and_left_is_not_right():
    ball = trimesh.creation.icosphere(3, 4.0)
    at_right_front = ball.copy().apply_translation([6, 5, 3])
    at_middle = ball.copy().apply_translation([3, -5, 3])
    mesh = trimesh.util.concatenate([at_right_front, at_middle])
    vertices, faces = torch.tensor(mesh.vertices, dtype=torch.float32)[None], torch.tensor(mesh.faces)
    silhouette, depth = render_hard(vertices, faces, six_views(1.0, (33, 33)))
    front, back = AXIS_VIEW_NAMES.index("anterior"), AXIS_VIEW_NAMES.index("posterior")
    assert abs(float(depth[0, front, 13, 16 - 6]) + 9) < 0.1  # in front: depth -5 - 4
    assert abs(float(depth[0, back, 13, 16 + 3]) + 9) < 0.1
    assert not silhouette[0, front, 13, 18:].any()  # nothing beyond 1 mm to the left (columns run leftwards)


def test_opposite_views_mirror_each_other_and_enclose_the_volume():
    vertices, faces = sphere(10.0, 3)
    vertices = vertices * torch.tensor([1.0, 0.8, 1.3])
    rotation = ring_cameras(2, "z")
    cameras = OrthographicCameras(rotation, torch.zeros(3), 0.25, (128, 128))
    silhouette, depth = render_hard(vertices, faces, cameras)
    torch.testing.assert_close(silhouette[0, 0], silhouette[0, 1].flip(1))
    thickness = (-depth[0, 0] - depth[0, 1].flip(1)) * silhouette[0, 0]  # convex: front to back
    volume = float(thickness.sum()) * 0.25**2
    expected = trimesh.Trimesh(vertices[0].numpy(), faces.numpy()).volume
    assert abs(volume / expected - 1) < 0.01


def test_a_batch_equals_a_loop():
    vertices = torch.cat([lump(1, seed)[0] for seed in range(3)])
    faces = lump(1)[1]
    cameras = OrthographicCameras(axis_views(), torch.zeros(3, 3), 1.0, (20, 24))
    together = render_hard(vertices, faces, cameras)
    for b in range(3):
        alone = render_hard(vertices[b : b + 1], faces, cameras.at(torch.zeros(3)))
        torch.testing.assert_close(together.depth[b], alone.depth[0])

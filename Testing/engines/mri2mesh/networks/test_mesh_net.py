"""The deformation network: it starts at the templates, samples the image where it should, and can be taught."""

import torch
from scipy.spatial.transform import Rotation

from mri2mesh.engines.mri2mesh.deformation.graphs import build_graphs
from mri2mesh.engines.mri2mesh.networks.mesh_net import MeshNet, sample_at
from mri2mesh.engines.mri2mesh.networks.template_graph import TemplateGraph
from mri2mesh.geometry.tensors import rotation_matrix, vertex_normals
from mri2mesh.imaging.volumes.crop import CropGrid

GRID = CropGrid(shape=(16, 24, 16), spacing=(6.0, 4.5, 4.5), lower=(-48.0, -78.0, -42.0))


def network() -> MeshNet:
    torch.manual_seed(0)
    return MeshNet(GRID, base_width=4, hidden=8, blocks=1)


def graphs() -> dict[str, TemplateGraph]:
    return build_graphs()


def test_sampling_a_ramp_gives_the_coordinates_in_millimetres():
    """Feature c is the coordinate c of its voxel: sampling at a point must give the point."""
    k, j, i = torch.meshgrid(*(torch.arange(n) for n in GRID.shape), indexing="ij")
    matrix = torch.from_numpy(GRID.ijk_to_local).float()
    points = torch.stack([i, j, k], -1).float() @ matrix[:3, :3].T + matrix[:3, 3]
    wanted = torch.tensor([[[-31.0, 12.0, 7.5], [20.0, -60.0, -33.0]]])
    assert torch.allclose(sample_at(points.movedim(-1, 0)[None], wanted, GRID), wanted, atol=1e-4)


def test_rotation_vectors_become_the_rotations_they_stand_for():
    vector = torch.tensor([0.3, -0.5, 0.2])
    expected = torch.from_numpy(Rotation.from_rotvec(vector.numpy()).as_matrix()).float()
    assert torch.allclose(rotation_matrix(vector), expected, atol=1e-6)


def test_normals_of_the_templates_point_outward():
    for graph in graphs().values():
        for part, where in enumerate(graph.slices):
            vertices = graph.vertices[where][None]
            moved = vertices + 0.01 * vertex_normals(vertices, graph.faces_of(part))
            assert volume(moved[0], graph.faces_of(part)) > volume(vertices[0], graph.faces_of(part))


def volume(vertices: torch.Tensor, faces: torch.Tensor) -> float:
    a, b, c = (vertices[faces[:, k]].double() for k in range(3))
    return float((a * torch.linalg.cross(b, c)).sum() / 6)


def test_an_untaught_network_returns_the_templates():
    for graph in graphs().values():
        outputs = network()(torch.rand(1, 7, *GRID.shape), graph)
        assert len(outputs) == 4
        for vertices in outputs:
            assert torch.allclose(vertices[0], graph.vertices, atol=1e-4)


def test_every_weight_is_taught_by_the_final_surface():
    net, graph = network(), graphs()["level"]
    for parameter in net.parameters():  # the last layers start at zero and would hide the others
        torch.nn.init.normal_(parameter, std=0.05)
    net(torch.rand(1, 7, *GRID.shape), graph)[-1].square().sum().backward()
    untaught = [name for name, p in net.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert untaught == []


def test_a_batch_gives_what_its_members_give_alone():
    net, graph = network().eval(), graphs()["level"]
    for parameter in net.parameters():
        torch.nn.init.normal_(parameter, std=0.05)
    crops = torch.rand(2, 7, *GRID.shape)
    together = net(crops, graph)[-1]
    alone = torch.cat([net(crops[n : n + 1], graph)[-1] for n in range(2)])
    assert torch.allclose(together, alone, atol=1e-3)


def test_the_disc_hangs_under_the_vertebra_in_the_level_graph():
    graph = graphs()["level"]
    vertebra, disc = (graph.vertices[where] for where in graph.slices)
    assert disc[:, 2].mean() < vertebra[:, 2].mean()
    central = disc[disc[:, :2].norm(dim=1) < 8]
    assert (
        abs(float(central[:, 2].max()) - float(vertebra[vertebra[:, :2].norm(dim=1) < 8][:, 2].min())) < 0.5
    )

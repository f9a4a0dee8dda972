"""What the network that reads profiles is shown, and how its answer is read."""

import pytest
import torch

from mri2mesh.anatomy.regions import Region
from mri2mesh.engines.mri2mesh.deformation.graphs import build_graphs
from mri2mesh.engines.mri2mesh.networks.profile_net import (
    GROUPS,
    LOCAL,
    OVERVIEW,
    PLACE_IN_TEMPLATE,
    PLACES,
    WALLS,
    ProfileNet,
    describe_profiles,
    place_in_template,
    profile_offsets,
    wall_groups,
)

GRAPHS = build_graphs()


@pytest.fixture
def graph():
    return GRAPHS["level"]


def test_walls_of_bodies_and_discs_and_the_arch_are_groups_of_their_own(graph):
    groups = wall_groups(graph)
    assert set(groups.tolist()) == set(range(GROUPS))
    arch = groups == WALLS
    assert set(graph.region[arch].tolist()).isdisjoint(
        {Region.BODY, Region.SUPERIOR_ENDPLATE, Region.INFERIOR_ENDPLATE}
    )
    left, right = (graph.vertices[groups == n, 0].mean() for n in (0, 1))
    assert left < -10 < 10 < right
    upper = graph.region[groups == 5]
    assert (upper == Region.SUPERIOR_ENDPLATE).float().mean() > 0.7


@pytest.mark.parametrize("name", GRAPHS)
def test_no_two_vertices_of_a_template_have_the_same_place(name):
    place = place_in_template(GRAPHS[name])
    assert place.shape == (len(GRAPHS[name].vertices), PLACE_IN_TEMPLATE)
    assert len(torch.unique(place, dim=0)) == len(place)


def test_scale_and_offset_of_grey_values_do_not_matter(graph):
    generator = torch.Generator().manual_seed(0)
    image = torch.rand(len(graph.vertices), PLACES, generator=generator)
    inside = torch.ones_like(image)
    first, second = (
        describe_profiles(torch.stack([values, inside]), graph, wall_groups(graph))
        for values in (image, 0.3 * image + 0.2)
    )
    assert first[0].shape == (len(graph.vertices), LOCAL)
    assert first[1].shape == (OVERVIEW,)
    for one, other in zip(first, second, strict=True):
        torch.testing.assert_close(one, other, atol=1e-3, rtol=1e-3)


def test_wider_neighbourhoods_are_calmer_and_show_what_all_share(graph):
    generator = torch.Generator().manual_seed(0)
    step = (profile_offsets() > 2).float()
    image = step + 0.5 * torch.randn(len(graph.vertices), PLACES, generator=generator)
    local, _ = describe_profiles(torch.stack([image, torch.ones_like(image)]), graph, wall_groups(graph))
    around = local[:, : LOCAL - PLACES].unflatten(1, (-1, PLACES))
    deviations = around.std(dim=0).mean(dim=-1)
    assert (deviations[1:] < 0.8 * deviations[:-1]).all()
    height = around[..., step > 0].mean(dim=(0, 2)) - around[..., step == 0].mean(dim=(0, 2))
    assert (height > 0.8 * height[0]).all()


def test_a_network_that_is_sure_of_a_place_moves_a_vertex_there():
    network = ProfileNet(width=16, blocks=1)
    logits = torch.full((3, PLACES), -30.0)
    logits[torch.arange(3), torch.tensor([0, PLACES // 2, PLACES - 2])] = 30.0
    torch.testing.assert_close(network.move(logits), torch.tensor([-9.0, 0.0, 8.0]))

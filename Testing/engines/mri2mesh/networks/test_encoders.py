"""Encoders: shapes, strides, and what the number of weights says about them."""

import torch

from mri2mesh.anatomy.semantic import Semantic
from mri2mesh.engines.mri2mesh.networks.baseline import LABELS, build_baseline
from mri2mesh.engines.mri2mesh.networks.localiser import Heat, build_localiser
from mri2mesh.engines.mri2mesh.networks.resnet import Bottleneck, ResNet50Encoder
from mri2mesh.networks.unet import UNet3d


def test_resnet_has_fifty_layers():
    encoder = ResNet50Encoder(1, base_width=4)
    blocks = [m for m in encoder.modules() if isinstance(m, Bottleneck)]
    assert [len(stage) for stage in encoder.stages] == [3, 4, 6, 3]
    assert 3 * len(blocks) + 2 == 50  # three convolutions each, the stem, and the head (here: the pose head)


def test_pyramid_levels_have_strides_two_to_thirty_two():
    encoder = ResNet50Encoder(2, base_width=4, fused_channels=8)
    levels, pooled = encoder(torch.randn(1, 2, 32, 64, 96))
    assert [tuple(level.shape) for level in levels] == [
        (1, 4, 16, 32, 48),
        (1, 8, 8, 16, 24),
        (1, 8, 4, 8, 12),
        (1, 8, 2, 4, 6),
        (1, 8, 1, 2, 3),
    ]
    assert encoder.level_channels == (4, 8, 8, 8, 8)
    assert pooled.shape == (1, encoder.pooled_channels)


def test_fine_levels_know_what_coarse_levels_see():
    """Cross-level fusion: a change far outside a fine voxel's own reach still changes its fused features."""
    torch.manual_seed(0)
    encoder = ResNet50Encoder(1, base_width=4, fused_channels=8).eval()
    image = torch.randn(1, 1, 64, 32, 32)
    moved = image.clone()
    moved[:, :, 56:, 28:, 28:] += 5.0
    before, after = encoder(image)[0][1], encoder(moved)[0][1]
    assert (after - before)[0, :, 0, 0, 0].abs().max() > 0


def test_base_width_scales_the_encoder():
    def weights(width: int) -> int:
        return sum(p.numel() for p in ResNet50Encoder(1, width).parameters())

    assert weights(16) > 3 * weights(8)


def test_localiser_gives_a_channel_for_every_tissue_and_centre_at_full_size():
    out = build_localiser((4, 8, 8))(torch.randn(1, 1, 8, 12, 16))
    assert out.shape == (1, len(Semantic) + len(Heat), 8, 12, 16)


def test_baseline_labels_every_voxel_of_the_crop():
    assert build_baseline()(torch.randn(1, 7, 32, 16, 32)).shape == (1, len(LABELS), 32, 16, 32)


def test_the_u_net_takes_sizes_that_do_not_halve_evenly():
    network = UNet3d(1, 2, (4, 8, 16, 16, 16)).eval()
    with torch.inference_mode():
        assert network(torch.rand(1, 1, 24, 36, 19)).shape == (1, 2, 24, 36, 19)

"""A surface on an edge agrees with the image; one off by more than the tolerance, or on the wrong edge, does not."""

import numpy as np
import pytest

from geometry.solids import sphere
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.volume import Volume
from mri2mesh.quality.edge_agreement import (
    BY_CHANCE,
    DEPTHS_MM,
    edge_agreement,
    edge_offsets,
    edge_sign,
    edge_slopes,
)

CENTRE = np.array([4.0, -3.0, 6.0])


def distance_from_centre() -> tuple[np.ndarray, np.ndarray]:
    """On an oblique, left-handed, anisotropic grid, and its ijk_to_ras."""
    matrix = np.array([[-2.0, 0, 0.2, 52], [0, 1.0, 0, -43], [0.1, 0, 1.2, -40], [0, 0, 0, 1]])
    k, j, i = np.meshgrid(np.arange(75), np.arange(80), np.arange(50), indexing="ij")
    ras = np.stack([i, j, k], -1) @ matrix[:3, :3].T + matrix[:3, 3]
    return np.linalg.norm(ras - CENTRE, axis=-1), matrix


def ball_image(radius: float) -> Volume:
    """A bright ball on dark ground."""
    distance, matrix = distance_from_centre()
    return Volume(1 / (1 + np.exp(distance - radius)).astype(np.float32), matrix)


def shell_image(inner: float, outer: float) -> Volume:
    """Dark, then brighter from the inner radius on, then black outside the outer one, the stronger edge."""
    distance, matrix = distance_from_centre()
    image = 0.5 + 0.5 / (1 + np.exp(inner - distance)) - 1.0 / (1 + np.exp(outer - distance))
    return Volume(image.astype(np.float32), matrix)


def slopes(radius: float, volume: Volume) -> np.ndarray:
    mesh = ball(radius)
    return edge_slopes(mesh, volume, np.ones(len(mesh.vertices), bool))


def ball(radius: float) -> Mesh:
    return sphere(radius, tuple(CENTRE))


def test_a_surface_on_the_edge_agrees():
    assert edge_agreement(slopes(20.0, ball_image(20.0)), -1) > 0.99


@pytest.mark.parametrize("off_mm", [-3.0, 3.0, 6.0])
def test_a_surface_three_millimetres_off_or_more_does_not_agree(off_mm):
    assert edge_agreement(slopes(20.0 + off_mm, ball_image(20.0)), -1) < 0.1


@pytest.mark.parametrize("off_mm", [-1.0, 1.0])
def test_a_surface_one_millimetre_off_agrees(off_mm):
    assert edge_agreement(slopes(20.0 + off_mm, ball_image(20.0)), -1) > 0.9


@pytest.mark.parametrize(("radius", "outward"), [(17.0, 3.0), (26.0, -6.0)])
def test_the_offset_is_signed_outward_and_in_millimetres(radius, outward):
    offsets = edge_offsets(slopes(radius, ball_image(20.0)), -1)
    assert abs(np.median(offsets) - outward) < 0.3


def test_slopes_are_per_millimetre_along_the_outward_normal():
    """A ramp of 0.5 per mm upwards, of which a ball sees plus at its top and minus at its bottom."""
    ramp = np.broadcast_to(0.5 * np.arange(80, dtype=np.float32)[:, None, None], (80, 60, 60))
    matrix = np.eye(4)
    matrix[:3, 3] = [-30, -30, -40]
    mesh = sphere(10.0)
    height = mesh.vertices[:, 2] / 10.0
    seen = edge_slopes(mesh, Volume(ramp, matrix), np.ones(len(height), bool))
    assert seen.shape == (len(height), len(DEPTHS_MM))
    assert np.allclose(seen, 0.5 * height[:, None], atol=0.02)


def test_the_sign_is_that_of_the_image_and_is_unknown_where_there_is_none():
    assert edge_sign([slopes(20.0, ball_image(20.0))]) == -1
    dark = ball_image(20.0)
    assert edge_sign([slopes(20.0, dark.with_array(1 - dark.array))]) == 1
    assert edge_sign([slopes(20.0, ball_image(20.0)), slopes(20.0, dark.with_array(1 - dark.array))]) == 0
    assert edge_sign([]) == 0


@pytest.mark.parametrize(("more", "sign"), [(1.2, 0), (1.5, -1)])
def test_a_small_majority_does_not_make_a_sign(more, sign):
    """Two surfaces with opposite edges, of which one is so much stronger."""
    falling = slopes(20.0, ball_image(20.0))
    assert edge_sign([more * falling, -falling]) == sign


def test_an_edge_of_the_other_sign_is_not_the_surface_s_even_where_it_is_stronger():
    image = shell_image(inner=18.0, outer=22.0)
    assert edge_agreement(slopes(18.0, image), 1) > 0.9
    assert edge_agreement(slopes(22.0, image), -1) > 0.9
    assert edge_agreement(slopes(22.0, image), 1) < 0.1
    assert edge_agreement(slopes(18.0, image), -1) < 0.1


def test_where_the_sign_is_unknown_the_better_one_counts():
    image = shell_image(inner=18.0, outer=22.0)
    for radius, sign in ((18.0, 1), (22.0, -1)):
        assert edge_agreement(slopes(radius, image), 0) == edge_agreement(slopes(radius, image), sign)


def test_in_noise_agreement_is_what_chance_gives():
    rng = np.random.default_rng(0)
    noise = Volume(rng.normal(size=(80, 80, 80)).astype(np.float32), np.diag([1.0, 1.0, 1.0, 1.0]))
    mesh = sphere(18.0, (40.0, 40.0, 40.0))
    share = edge_agreement(edge_slopes(mesh, noise, np.ones(len(mesh.vertices), bool)), 1)
    assert abs(share - BY_CHANCE) < 0.06
    assert abs(BY_CHANCE - 0.29) < 0.01


def test_where_the_image_has_no_data_there_is_no_edge():
    mesh = sphere(18.0, (40.0, 40.0, 200.0))
    volume = Volume(np.random.default_rng(0).normal(size=(80, 80, 80)).astype(np.float32), np.eye(4))
    found = edge_slopes(mesh, volume, np.ones(len(mesh.vertices), bool))
    assert not found.any()
    assert np.isinf(edge_offsets(found, 1)).all()
    assert edge_agreement(found, 0) == 0
    assert np.isnan(edge_agreement(found[:0], 1))

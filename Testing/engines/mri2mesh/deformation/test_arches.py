"""Arches have no holes, no clefts and no spurs, whatever a network put there; bodies stay as they are."""

import numpy as np
import pytest

from mri2mesh.anatomy.regions import Region, is_body
from mri2mesh.anatomy.templates import template
from mri2mesh.engines.mri2mesh.deformation.arches import drawn_together, thin_or_cleft, whole_arch
from mri2mesh.geometry.mesh import Mesh


@pytest.fixture(scope="module")
def home() -> Mesh:
    return template("vertebra")


def pressed(home: Mesh, share: float) -> Mesh:
    """The middle of the spinous process pressed to a share of its thickness; below 0 its walls have crossed."""
    vertices = home.vertices.astype(np.float64)
    spinous = np.asarray(home.regions) == Region.SPINOUS
    middle = vertices[spinous].mean(axis=0)
    near = np.exp(-0.5 * (np.linalg.norm((vertices - middle)[:, 1:], axis=1) / 5.0) ** 2) * spinous
    vertices[:, 0] = middle[0] + (vertices[:, 0] - middle[0]) * (1 - (1 - share) * near)
    return home.with_vertices(vertices)


def test_a_sound_vertebra_is_left_as_it_is_at_any_size(home):
    for size in (0.8, 1.0, 1.2):
        sound = home.transformed(np.diag([size, size, size, 1.0]))
        assert not thin_or_cleft(sound).any()
        assert not drawn_together(sound, sound).any()
        assert whole_arch(sound, home) is sound


def test_a_place_pressed_flat_gets_its_thickness_back(home):
    flat = pressed(home, 0.05)
    assert thin_or_cleft(flat).sum() > 10, "what is to be mended is there"
    mended = whole_arch(flat, home)
    assert not thin_or_cleft(mended).any()


def test_walls_pressed_through_each_other_do_not_face_each_other_any_more(home):
    folded = pressed(home, -0.35)
    assert thin_or_cleft(folded).any()
    assert not thin_or_cleft(whole_arch(folded, home)).any()


def test_bodies_and_distant_processes_stay(home):
    mended = whole_arch(pressed(home, 0.05), home)
    body = is_body(np.asarray(home.regions))
    moved = np.linalg.norm(mended.vertices - pressed(home, 0.05).vertices, axis=1)
    assert moved[body].max() == 0
    far = np.isin(np.asarray(home.regions), [Region.TRANSVERSE_LEFT, Region.TRANSVERSE_RIGHT])
    assert moved[far].max() < 0.01
    assert moved.max() > 0.5


def test_a_tip_drawn_into_a_spur_gets_its_roundness_back(home):
    vertices = home.vertices.astype(np.float64)
    facet = np.asarray(home.regions) == Region.FACET_INFERIOR_LEFT
    tip = vertices[facet][np.argmin(vertices[facet][:, 2])]
    near = np.exp(-0.5 * (np.linalg.norm(vertices - tip, axis=1) / 6.0) ** 2)
    spur = vertices + near[:, None] * ([0, 0, -4.0] - 0.8 * (vertices - tip) * [1, 1, 0])
    spurred = home.with_vertices(spur)
    assert drawn_together(spurred, home).sum() > 3, "what is to be mended is there"
    mended = whole_arch(spurred, home)
    body = is_body(np.asarray(home.regions))
    assert not drawn_together(mended, home)[~body].any()
    there = near > 0.5

    def off(mesh: Mesh) -> float:
        return float(np.linalg.norm(mesh.vertices - home.vertices, axis=1)[there].mean())

    assert off(mended) < 0.8 * off(spurred)

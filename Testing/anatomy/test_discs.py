"""Discs fitted between turned bodies, where every distance is known."""

from __future__ import annotations

import numpy as np
import pytest

from anatomy.lathe import moved, puck_disc, puck_vertebra, volume_mm3
from mri2mesh.anatomy.discs import Bulge, disc_between, disc_coordinates
from mri2mesh.anatomy.regions import Region
from mri2mesh.errors import InputError
from mri2mesh.geometry.mesh import Mesh

GAP = 0.5
HEIGHT = 10.0
UPPER = moved(puck_vertebra(), (0, 0, 13 + HEIGHT / 2))
LOWER = moved(puck_vertebra(), (0, 0, -13 - HEIGHT / 2))
FLAT = Bulge(around_mm=0.0)


def fit(upper: Mesh = UPPER, lower: Mesh = LOWER, bulge: Bulge = FLAT) -> Mesh:
    return disc_between(puck_disc(), upper, lower, bulge=bulge, gap_mm=GAP)


def test_disc_between_flat_endplates_fills_the_space_less_the_gaps():
    disc = fit()
    assert disc.vertices[:, 2].max() == pytest.approx(HEIGHT / 2 - GAP, abs=1e-3)
    assert disc.vertices[:, 2].min() == pytest.approx(-HEIGHT / 2 + GAP, abs=1e-3)
    assert volume_mm3(disc) == pytest.approx(np.pi * 22 * 16 * (HEIGHT - 2 * GAP), rel=0.06)


def test_disc_keeps_topology_and_regions_of_the_template():
    template, disc = puck_disc(), fit()
    assert np.array_equal(disc.faces, template.faces)
    assert np.array_equal(disc.regions, template.regions)


def test_disc_of_a_wedge_shaped_space_is_thicker_in_front():
    disc = fit(moved(puck_vertebra(), (0, 0, 19), tilt_deg=10), LOWER)
    top = disc.vertices[disc.regions == Region.ENDPLATE_SUPERIOR]
    front, back = top[top[:, 1] > 12, 2].mean(), top[top[:, 1] < -12, 2].mean()
    assert front - back == pytest.approx(np.tan(np.radians(10)) * 28, rel=0.15)


def test_disc_follows_the_upper_body_when_it_slips_forward():
    disc = fit(moved(UPPER, (0, 6, 0)))
    centre = [
        disc.vertices[disc.regions == r].mean(0)[1]
        for r in (Region.ENDPLATE_SUPERIOR, Region.ENDPLATE_INFERIOR)
    ]
    assert centre == pytest.approx([6, 0], abs=0.5)


def test_bulge_all_around_stands_out_by_its_size_at_mid_height():
    flat, bulging = fit(), fit(bulge=Bulge(around_mm=2.0))
    assert np.ptp(bulging.vertices[:, 0]) - np.ptp(flat.vertices[:, 0]) == pytest.approx(4.0, abs=0.1)


def test_protrusion_lies_behind_and_on_the_side_asked_for():
    change = fit(bulge=Bulge(0.0, focal_mm=5.0, focal_angle_deg=40.0)).vertices - fit().vertices
    tip = np.argmax(np.linalg.norm(change, axis=1))
    where = fit().vertices[tip]
    assert np.linalg.norm(change[tip]) == pytest.approx(5.0, abs=0.3)
    assert where[0] > 5 and where[1] < -5  # patient's right, posterior


def test_disc_never_turns_inside_out_where_endplates_nearly_touch():
    disc = fit(moved(puck_vertebra(), (0, 0, 13 - HEIGHT / 2 + 4.2), tilt_deg=14))
    height = disc_coordinates(disc_template := puck_disc())[2]
    assert len(height) == len(disc_template.vertices)
    assert volume_mm3(disc) > 0


def test_disc_works_for_a_spine_lying_on_its_side():
    quarter = np.eye(4)
    quarter[:3, :3] = [[0, 0, 1], [0, 1, 0], [-1, 0, 0]]
    turned = disc_between(
        puck_disc(), UPPER.transformed(quarter), LOWER.transformed(quarter), bulge=FLAT, gap_mm=GAP,
        anterior=quarter[:3, 1], up=quarter[:3, 2],
    )  # fmt: skip
    assert np.allclose(turned.vertices, fit().transformed(quarter).vertices, atol=1e-3)


def test_vertebrae_in_the_wrong_order_are_refused():
    with pytest.raises(InputError, match="order"):
        fit(LOWER, UPPER)


def test_surfaces_without_regions_are_refused():
    with pytest.raises(InputError, match="region"):
        fit(Mesh(UPPER.vertices, UPPER.faces))


def test_disc_coordinates_reach_from_the_lower_to_the_upper_side():
    angle, radius, height = disc_coordinates(puck_disc())
    assert height.min() == 0 and height.max() == 1
    assert radius.min() == pytest.approx(0, abs=1e-6) and radius.max() == pytest.approx(1, abs=0.03)
    assert angle[np.argmax(puck_disc().vertices[:, 1])] == pytest.approx(np.pi / 2, abs=0.1)

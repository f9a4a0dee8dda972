"""New triangles have the edge length asked for, lie on the old surface, and keep what has to be kept."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from mri2mesh.anatomy.regions import Region
from mri2mesh.errors import InputError
from mri2mesh.export.finite_elements.displacement import displacement
from mri2mesh.export.finite_elements.surfaces import ReadySurface, ready_surface
from mri2mesh.export.finite_elements.zones import zone_number
from mri2mesh.geometry.checks import area_mm2, is_watertight, self_intersections, volume_mm3
from mri2mesh.geometry.mesh import Mesh

SIDE_MM = 12.0
Ready = Callable[[float], ReadySurface]


def test_a_box_stays_the_box_that_it_is(box: Mesh) -> None:
    ready = ready_surface("box", box, 1.5)
    assert is_watertight(ready.mesh) and not self_intersections(ready.mesh)
    assert volume_mm3(ready.mesh) == pytest.approx(SIDE_MM**3, rel=1e-4)
    assert area_mm2(ready.mesh) == pytest.approx(6 * SIDE_MM**2, rel=1e-4)
    assert displacement(box, ready.mesh).largest_mm < 1e-3
    corners = np.linalg.norm(ready.mesh.vertices[:, None] - box.vertices[None], axis=2).min(axis=0)
    assert corners.max() < 1e-4


@pytest.mark.parametrize("edge_mm", [2.0, 3.0])
def test_edges_are_as_long_as_asked_and_the_displacement_is_bounded(
    barrel: Mesh, ready_barrel: Ready, edge_mm: float
) -> None:
    ready = ready_barrel(edge_mm)
    assert ready.figures["edges"]["share_within_30_percent"] > 0.95
    assert ready.figures["edges"]["median_mm"] == pytest.approx(edge_mm, rel=0.08)
    assert displacement(barrel, ready.mesh, seed=7).largest_mm < 0.3 * edge_mm
    assert is_watertight(ready.mesh) and volume_mm3(ready.mesh) > 0


def test_endplates_have_the_same_rim_at_every_edge_length(ready_barrel: Ready) -> None:
    areas = []
    for edge_mm in (2.0, 3.0):
        ready = ready_barrel(edge_mm)
        chosen = ready.zones == zone_number(Region.SUPERIOR_ENDPLATE)
        areas.append(area_mm2(Mesh(ready.mesh.vertices, ready.mesh.faces[chosen])))
        corners = ready.mesh.vertices[ready.mesh.faces[chosen]]
        assert corners[..., 2].min() > 40 + 11  # the zone is on top, not on the wall
    assert areas[0] == pytest.approx(areas[1], rel=0.03)


def test_arrays_of_the_vertices_follow(ready_barrel: Ready) -> None:
    ready = ready_barrel(3.0)
    front = ready.mesh.vertices[:, 1] > -10 + 3
    back = ready.mesh.vertices[:, 1] < -10 - 3
    assert ready.mesh.point_data["support"][front].min() > 0.9
    assert ready.mesh.point_data["support"][back].max() < 0.1
    assert set(np.unique(ready.mesh.point_data["region"])) == {0, 1, 2}


def test_by_curvature_edges_are_shorter_where_the_surface_bends(barrel: Mesh, ready_barrel: Ready) -> None:
    even = ready_barrel(3.0)
    bent = ready_surface("L3", barrel, 3.0, by_curvature=True)
    assert bent.wanted.min() < 2.0 < 2.8 < bent.wanted.max()
    assert len(bent.mesh.faces) > 1.15 * len(even.mesh.faces)


def test_bad_surfaces_and_lengths_are_refused_in_one_line(box: Mesh, barrel: Mesh) -> None:
    with pytest.raises(InputError, match="not a closed surface"):
        ready_surface("L3", Mesh(box.vertices, box.faces[1:]), 2.0)
    with pytest.raises(InputError, match=r"12\.0 mm thin, too small for edges of 20 mm"):
        ready_surface("L3", box, 20.0)
    with pytest.raises(InputError, match=r"would have .* triangles"):
        ready_surface("L3", box, 0.02)


def test_a_displacement_beyond_the_limit_is_refused_not_made_in_silence(
    barrel: Mesh, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mri2mesh.export.finite_elements.even_triangles._KEPT_AROUND", ())
    monkeypatch.setattr("mri2mesh.export.finite_elements.even_triangles._TOUCHES", 0)
    with pytest.raises(
        InputError, match=r"would move its surface by up to .* more than the 0\.01 mm allowed"
    ):
        ready_surface("L3", barrel, 3.0, max_displacement_mm=0.01)


def test_where_nothing_else_helps_the_old_triangles_stay(barrel: Mesh) -> None:
    ready = ready_surface("L3", barrel, 6.0, max_displacement_mm=0.01)
    assert displacement(barrel, ready.mesh, seed=5).largest_mm <= 0.01

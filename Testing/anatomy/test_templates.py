"""The templates: solid, in their frame, of human size, labelled where they should be."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from mri2mesh.anatomy.measures import body_size, local_frame, pedicle_midpoints, region_centre, solid_centroid
from mri2mesh.anatomy.regions import MIRRORED_REGION, Region
from mri2mesh.anatomy.templates import TemplateKind, template
from mri2mesh.errors import InputError
from mri2mesh.geometry.checks import is_watertight, self_intersections, volume_mm3
from mri2mesh.geometry.connectivity import component_labels, euler_characteristic, vertex_adjacency

KINDS: tuple[TemplateKind, ...] = ("vertebra", "disc", "sacrum")


@pytest.mark.parametrize(("kind", "low", "high", "euler"), [("vertebra", 2000, 3000, 0), ("disc", 1000, 1500, 2),
                                                            ("sacrum", 1000, 1500, 2)])  # fmt: skip
def test_template_is_one_solid_of_its_genus(kind: TemplateKind, low: int, high: int, euler: int) -> None:
    mesh = template(kind)
    assert low <= len(mesh.vertices) <= high
    assert is_watertight(mesh) and self_intersections(mesh) == 0 and volume_mm3(mesh) > 0
    assert component_labels(mesh)[0] == 1 and euler_characteristic(mesh) == euler


@pytest.mark.parametrize("kind", KINDS)
def test_template_is_symmetric_with_sides_that_change_places(kind: TemplateKind) -> None:
    mesh = template(kind)
    distance, image = cKDTree(mesh.vertices).query(mesh.vertices * [-1, 1, 1])
    assert distance.max() < 0.03
    assert np.array_equal(np.asarray(mesh.regions)[image], MIRRORED_REGION[mesh.regions])


@pytest.mark.parametrize("kind", KINDS)
def test_template_triangles_are_well_shaped(kind: TemplateKind) -> None:
    mesh = template(kind)
    corners = mesh.vertices[mesh.faces].astype(float)
    sides = np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2)
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1) / 2
    quality = 4 * np.sqrt(3) * area / (sides**2).sum(axis=1)  # 1 for an equilateral triangle
    assert quality.min() > 0.2 and quality.mean() > 0.85


def test_vertebra_template_lies_in_its_own_local_frame() -> None:
    assert np.abs(local_frame(template("vertebra")) - np.eye(4)).max() < 0.02


def test_local_frame_finds_a_known_motion() -> None:
    matrix = np.array([[0, -1, 0, 10], [1, 0, 0, -20], [0, 0, 1, 300], [0, 0, 0, 1]], float)
    assert np.abs(local_frame(template("vertebra").transformed(matrix)) - matrix).max() < 0.03


@pytest.mark.parametrize("kind", ["disc", "sacrum"])
def test_disc_and_s1_have_their_centroid_at_the_origin(kind: TemplateKind) -> None:
    assert np.abs(solid_centroid(template(kind))).max() < 0.05


def test_vertebra_template_has_the_size_of_a_lumbar_vertebra() -> None:
    width, depth, height = body_size(template("vertebra"))
    assert 44 < width < 58 and 32 < depth < 44 and 24 < height < 32
    left, right = pedicle_midpoints(template("vertebra"))
    assert 22 < right[0] - left[0] < 40 and left[1] < -15 and left[2] > 0


def test_regions_lie_where_anatomy_puts_them() -> None:
    vertebra = template("vertebra")
    centre = {region: region_centre(vertebra, region) for region in list(Region)[: Region.SPINOUS + 1]}
    assert centre[Region.TRANSVERSE_LEFT][0] < -25 and centre[Region.TRANSVERSE_RIGHT][0] > 25
    assert centre[Region.SUPERIOR_ENDPLATE][2] > 10 and centre[Region.INFERIOR_ENDPLATE][2] < -10
    assert centre[Region.SPINOUS][1] < centre[Region.LAMINA][1] < centre[Region.PEDICLE_LEFT][1] < -15
    assert centre[Region.FACET_SUPERIOR_LEFT][2] > 5 > -15 > centre[Region.FACET_INFERIOR_LEFT][2]
    assert abs(centre[Region.SPINOUS][0]) < 0.1


@pytest.mark.parametrize("kind", ["vertebra", "disc"])
def test_every_region_is_one_patch(kind: TemplateKind) -> None:
    mesh = template(kind)
    adjacency = vertex_adjacency(mesh.faces, len(mesh.vertices))
    for region in np.unique(mesh.regions):
        if region == Region.LAMINA:  # the lamina's inner side meets the outer between the facets
            continue
        members = np.asarray(mesh.regions) == region
        _, labels = connected_components(adjacency[members][:, members])
        assert np.bincount(labels).max() > 0.97 * members.sum(), Region(region).name


def test_disc_faces_up_and_down() -> None:
    disc = template("disc")
    assert region_centre(disc, Region.ENDPLATE_SUPERIOR)[2] > 3
    assert region_centre(disc, Region.ENDPLATE_INFERIOR)[2] < -3
    width, depth, height = np.ptp(disc.vertices, axis=0)
    assert width > depth > height and 40 < width < 60


def test_unknown_kind_is_refused() -> None:
    with pytest.raises(InputError, match="vertebra"):
        template("femur")  # type: ignore[arg-type]

"""A surface that is too small and off its place is drawn to the boundary of its tissue."""

import numpy as np

from mri2mesh.anatomy.regions import BODY_REGIONS
from mri2mesh.anatomy.templates import template
from mri2mesh.deformation.evidence_fit import fit_to_evidence
from mri2mesh.geometry.checks import is_watertight, self_intersections
from mri2mesh.geometry.distances import point_to_surface, surface_distances
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.voxelise import voxelise
from mri2mesh.imaging.volume import Volume
from mri2mesh.localisation.evidence import Evidence
from mri2mesh.networks.localiser import SPACING_MM, Heat, Semantic

PLACE = np.array([3.0, -2.0, 4.0])


def evidence(mesh: Mesh, tissue: Semantic) -> Evidence:
    """The solid as shares of the localiser's voxels."""
    fine = np.eye(4)
    fine[:3, 3] = [-57.0, -81.0, -57.0]
    grid = Volume(np.zeros((120, 150, 120), np.uint8), fine)
    shares = voxelise(mesh, grid).reshape(40, 3, 50, 3, 24, 5).mean((1, 3, 5))
    matrix = np.diag([*SPACING_MM, 1.0])
    matrix[:3, 3] = fine[:3, 3] + [2.0, 1.0, 1.0]
    semantic = np.zeros((len(Semantic), *shares.shape), np.float32)
    semantic[tissue] = shares
    return Evidence(
        semantic, np.zeros((len(Heat), *shares.shape), np.float32), np.ones(shares.shape, bool), matrix
    )


def test_a_disc_finds_its_true_size_and_place():
    truth = template("disc").with_vertices(template("disc").vertices * 1.12 + PLACE)
    start = template("disc").with_vertices(template("disc").vertices * 0.95 + PLACE + [1.5, -1.0, 1.5])
    fitted = fit_to_evidence(start, "disc", evidence(truth, Semantic.DISC))
    assert surface_distances(start, truth).assd > 1.5
    assert surface_distances(fitted, truth).assd < 0.9
    assert is_watertight(fitted)
    assert self_intersections(fitted) == 0


def test_a_body_is_found_and_its_arch_follows():
    from mri2mesh.anatomy.regions import body_of

    vertebra = template("vertebra")
    truth = vertebra.with_vertices(vertebra.vertices * 1.1 + PLACE)
    start = vertebra.with_vertices(vertebra.vertices + PLACE + [1.0, 1.0, -1.0])
    fitted = fit_to_evidence(start, "vertebra", evidence(body_of(truth), Semantic.BODY))
    body = np.isin(vertebra.regions, BODY_REGIONS)
    before = point_to_surface(start.vertices[body], truth).mean()
    after = point_to_surface(fitted.vertices[body], truth).mean()
    assert after < 0.6 * before
    assert self_intersections(fitted) == 0


def test_without_evidence_a_surface_stays_where_it_is():
    nothing = evidence(template("disc"), Semantic.SACRUM)
    start = template("disc")
    assert np.allclose(fit_to_evidence(start, "disc", nothing).vertices, start.vertices, atol=1e-4)

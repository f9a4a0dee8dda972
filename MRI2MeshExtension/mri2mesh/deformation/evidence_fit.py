"""A last step after the network: the surface is drawn to where the localiser's tissues end.

As in an active shape model (Cootes et al. 1995): every vertex of a body, disc or S1 looks along its normal for the
place where the probability of its tissue falls through one half; what the vertices found is made smooth over the
surface, so that single voxels do not show, and the surface moves there. The arch, which thick slices hardly show,
only follows.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, sparse
from scipy.sparse.linalg import splu

from mri2mesh.anatomy.regions import BODY_REGIONS, Region
from mri2mesh.anatomy.structures import Kind
from mri2mesh.geometry.connectivity import neighbour_average
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.sampling import vertex_normals
from mri2mesh.localisation.evidence import Evidence
from mri2mesh.networks.localiser import Semantic

TISSUE: dict[Kind, Semantic] = {
    "vertebra": Semantic.BODY,
    "disc": Semantic.DISC,
    "sacrum": Semantic.SACRUM,
}
REACH_MM = 7.0
STEP_MM = 0.5
STIFFNESS = (30.0, 10.0, 4.0)
"""Weight of smoothness against what a vertex found, round by round."""

NOTHING_FOUND = 0.02
"""Weight with which a vertex that found nothing asks to stay."""


def fit_to_evidence(mesh: Mesh, kind: Kind, evidence: Evidence) -> Mesh:
    """The surface (with regions, RAS mm) moved to the boundary of its tissue; faces and regions are kept."""
    looking = _looking(mesh, kind)
    probability = evidence.semantic[TISSUE[kind]]
    roughness = _roughness(mesh)
    for stiffness in STIFFNESS:
        normals = vertex_normals(mesh)
        offset, found = _boundary_offsets(mesh.vertices[looking], normals[looking], probability, evidence)
        weight = np.full(len(mesh.vertices), NOTHING_FOUND)
        weight[looking] = np.where(found, 1.0, NOTHING_FOUND)
        wanted = np.zeros(len(mesh.vertices))
        wanted[looking] = np.where(found, offset, 0.0)
        # least squares: weight (d - wanted)^2 + stiffness |roughness d|^2
        system = sparse.diags(weight) + stiffness * (roughness.T @ roughness)
        move = splu(system.tocsc()).solve(weight * wanted)
        mesh = mesh.with_vertices(mesh.vertices + move[:, None] * normals)
    return mesh


def _looking(mesh: Mesh, kind: Kind) -> NDArray[np.bool_]:
    """[V] the vertices whose tissue the localiser knows: not the arch, and not where a bone was cut off another."""
    if mesh.regions is None:
        raise ValueError("the surface has no regions: use a mesh made from this project's templates")
    if kind == "vertebra":
        return np.isin(mesh.regions, BODY_REGIONS)
    return np.asarray(mesh.regions) != Region.CUT


def _roughness(mesh: Mesh) -> sparse.csr_matrix:
    """[V, V] a value minus its neighbours' mean: zero for what is smooth over the surface."""
    count = len(mesh.vertices)
    return (sparse.identity(count) - neighbour_average(mesh.faces, count)).tocsr()


def _boundary_offsets(
    points: NDArray, normals: NDArray, probability: NDArray[np.float32], evidence: Evidence
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """[N] signed mm along the normal to the nearest fall through one half, and whether there is one in reach."""
    offsets = np.arange(-REACH_MM, REACH_MM + STEP_MM / 2, STEP_MM)
    places = points[:, None].astype(np.float64) + offsets[None, :, None] * normals[:, None]
    kji = evidence.kji_from_ras(places)
    profile = ndimage.map_coordinates(probability, kji.reshape(-1, 3).T, order=1, mode="nearest")
    profile = profile.reshape(len(points), -1)
    before, after = profile[:, :-1], profile[:, 1:]
    falls = (before >= 0.5) & (after < 0.5)
    fraction = np.divide(before - 0.5, before - after, out=np.zeros_like(before), where=falls)
    crossing = np.where(falls, offsets[:-1] + STEP_MM * fraction, np.inf)
    nearest = np.argmin(np.abs(crossing), axis=1)
    offset = crossing[np.arange(len(points)), nearest]
    return offset, np.isfinite(offset)

"""From surfaces to a volume mesh with its sets, and the figures of both."""

from __future__ import annotations

import time
from dataclasses import asdict, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from mri2mesh.errors import InputError
from mri2mesh.export.finite_elements.assembly import Assembly, Member
from mri2mesh.export.finite_elements.improving import improve
from mri2mesh.export.finite_elements.meshers import Filled, fill
from mri2mesh.export.finite_elements.quality import edge_figures, scaled_jacobians
from mri2mesh.export.finite_elements.sets import boundary_triangles, check_sets, parts_of, surface_sets
from mri2mesh.export.finite_elements.volume_mesh import (
    TET_EDGES,
    VolumeMesh,
    set_name,
    signed_volumes,
    with_quadratic_nodes,
)
from mri2mesh.geometry.checks import volume_mm3
from mri2mesh.geometry.mesh import Mesh

LEAST_SCALED_JACOBIAN = 0.1
"""What a mesh for finite elements should reach everywhere; the sidecar says whether it does."""


def build_volume(
    assembly: Assembly, mesher: str, edge_length_mm: float, quadratic: bool, shells: bool
) -> tuple[VolumeMesh, dict[str, Any]]:
    """Tetrahedra inside every member of an assembly, with sets; and figures for the sidecar.

    shells: also triangles on the outside of bones, to carry a cortex.
    Raises InputError where no mesher can fill the surfaces or an element came out inverted.
    """
    begun = time.process_time()
    boundary = assembly.boundary()
    filled = fill(boundary, mesher, edge_length_mm)
    surface = boundary.faces if filled.keeps_surface else boundary_triangles(filled.tetrahedra)
    better = improve(filled.nodes, filled.tetrahedra, surface, edge_length_mm)
    moved = float(np.linalg.norm(better - filled.nodes, axis=1)[np.unique(surface)].max())
    filled = replace(filled, nodes=better)
    members = assembly.members if filled.keeps_surface else [_found_again(assembly.members[0], filled)]
    mesh = _with_sets(filled, members)
    if shells:
        mesh = _with_shells(mesh, members)
    check_sets(mesh)
    jacobians = scaled_jacobians(mesh.nodes, mesh.tetrahedra)
    inverted = int((jacobians <= 0).sum())
    if inverted:
        raise InputError(f"{inverted} elements came out inverted: try another edge length or --mesher")
    figures = _figures(mesh, members, jacobians, edge_length_mm, filled.mesher)
    figures["surface_nodes_moved_by_at_most_mm"] = moved
    if quadratic:
        mesh = with_quadratic_nodes(mesh)
    figures.update(nodes=len(mesh.nodes), nodes_per_element=mesh.tetrahedra.shape[1])
    figures["seconds_of_one_core"] = round(time.process_time() - begun, 2)
    return mesh, figures


def _found_again(member: Member, filled: Filled) -> Member:
    """The surface of a mesher that does not keep the one it was given, with zones from the nearest old triangle."""
    triangles = boundary_triangles(filled.tetrahedra)
    old = member.surface.vertices[member.surface.faces].mean(axis=1)
    nearest = cKDTree(old).query(filled.nodes[triangles].mean(axis=1))[1]
    return Member(member.name, member.kind, triangles, member.zones[nearest], member.surface)


def _with_sets(filled: Filled, members: list[Member]) -> VolumeMesh:
    element_sets: dict[str, NDArray] = {}
    parts: dict[str, NDArray] = {}
    surfaces: dict[str, NDArray] = {}
    for number, member in enumerate(members, 1):
        own = np.nonzero(filled.domains == number)[0]
        for name, elements in parts_of(
            member.name, member.kind, member.surface, filled.nodes, filled.tetrahedra[own]
        ).items():
            parts[name] = own[elements]
        surfaces.update(surface_sets(member.name, member.triangles, member.zones))
    element_sets.update(parts)
    return VolumeMesh(
        filled.nodes,
        filled.tetrahedra,
        filled.domains - 1,
        tuple(member.name for member in members),
        element_sets,
        tuple(parts),
        surfaces,
        _node_data(filled.nodes, members),
    )


def _node_data(nodes: NDArray, members: list[Member]) -> dict[str, NDArray]:
    """Arrays that every member has; a node inside has what the nearest vertex of a surface has."""
    shared = set.intersection(*(set(member.surface.point_data) for member in members))
    nearest = cKDTree(np.concatenate([member.surface.vertices for member in members])).query(nodes)[1]
    data = {}
    for name in sorted(shared):
        values = [np.asarray(member.surface.point_data[name]) for member in members]
        if all(array.ndim == 1 for array in values):
            data[name] = np.concatenate(values)[nearest]
    return data


def _with_shells(mesh: VolumeMesh, members: list[Member]) -> VolumeMesh:
    shells = {f"{set_name(m.name)}_CORTEX": m.triangles for m in members if m.kind != "disc"}
    return replace(mesh, shells=shells)


def _figures(
    mesh: VolumeMesh, members: list[Member], jacobians: NDArray, edge_length_mm: float, mesher: str
) -> dict[str, Any]:
    pairs = np.sort(mesh.tetrahedra[:, np.array(TET_EDGES)].reshape(-1, 2), axis=1)
    volumes = signed_volumes(mesh.nodes, mesh.tetrahedra)
    surface = {m.name: volume_mm3(Mesh(mesh.nodes.astype(np.float32), m.triangles)) for m in members}
    return {
        "mesher": mesher,
        "elements": len(mesh.tetrahedra),
        "smallest_scaled_jacobian": float(jacobians.min()),
        "scaled_jacobian_p01": float(np.percentile(jacobians, 1)),
        "smallest_scaled_jacobian_above_0.1": bool(jacobians.min() > LEAST_SCALED_JACOBIAN),
        "inverted_elements": 0,
        "all_edges": asdict(edge_figures(mesh.nodes, np.unique(pairs, axis=0), edge_length_mm)),
        "volume_mm3": {
            m.name: float(volumes[mesh.domains == number].sum()) for number, m in enumerate(members)
        },
        "volume_inside_surface_mm3": surface,
        "element_sets": {name: len(elements) for name, elements in mesh.element_sets.items()},
        "surface_sets": {name: len(triangles) for name, triangles in mesh.surfaces.items()},
    }

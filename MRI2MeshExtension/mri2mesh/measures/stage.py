"""All measures of a reconstruction: one stage for the report, the table in the scene and the CSV."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mri2mesh.anatomy.structures import BELOW, VERTEBRA_LEVELS
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.measures.arch import arch_measures
from mri2mesh.measures.bodies import body_measures, endplate_size
from mri2mesh.measures.definitions import DEFINITIONS
from mri2mesh.measures.femur import femur_measures
from mri2mesh.measures.measure import Measure, Taken
from mri2mesh.measures.pelvis import SIDES, pelvis_measures
from mri2mesh.measures.spaces import lordosis, space_measures
from mri2mesh.measures.uncertainty import REACH_MM, uncertainties
from mri2mesh.measures.vertebra import Level, NotMeasurable, level_of
from mri2mesh.reconstruction import Reconstruction

MIN_SUPPORT = 0.5
"""Least support of the places that a measure is taken from: below it the image does not show what was measured."""
SCALE = "the scale is unknown"


def measure(reconstruction: Reconstruction, *, scale_known: bool = True) -> list[Measure]:
    """Every measure that the structures of a reconstruction have a part in, in the order of a table.

    A measure is missing, with the reason, where a surface lacks the part, where the image does not show the places it
    would be taken from (support below `MIN_SUPPORT`), and, if it is a length, where the scale is unknown.
    ``provenance["uncertainty_reach_mm"]``: over which distance the surfaces' errors go together
    (`measures.uncertainty`), where the engine says so.
    """
    meshes = {item.name: item.mesh for item in reconstruction.structures}
    vertices = {name: mesh.vertices.astype(np.float64) for name, mesh in meshes.items()}
    support = {item.name: item.support for item in reconstruction.structures}
    spread = {item.name: item.uncertainty_mm for item in reconstruction.structures}
    taken = take(meshes)
    reach = float(reconstruction.provenance.get("uncertainty_reach_mm") or REACH_MM)
    found = uncertainties(taken, vertices, spread, reach)
    result = [_measured(one, sd, vertices, support) for one, sd in zip(taken, found, strict=True)]
    return result if scale_known else [_without_scale(one) for one in result]


def take(meshes: Mapping[str, Mesh]) -> list[Taken]:
    """Each measure as a function of points, by the structures' names."""
    return list(_spine(meshes)) + list(_hips(meshes))


def _spine(meshes: Mapping[str, Mesh]) -> Iterator[Taken]:
    levels: dict[str, Level] = {}
    for name in (*VERTEBRA_LEVELS, "S1"):
        if name in meshes:
            above = next((level.right for level in reversed(levels.values())), None)
            try:
                levels[name] = level_of(name, meshes[name], above if name == "S1" else None)
            except NotMeasurable:
                continue
    for name, level in levels.items():
        if name == "S1":
            yield from _if_there(endplate_size, level, "superior")
            continue
        yield from _if_there(body_measures, level)
        yield from arch_measures(level)
    for upper, lower in BELOW.items():
        place = f"{upper}-{lower}"
        if upper in levels and lower in levels:
            yield from _if_there(space_measures, place, levels[upper], levels[lower])
        elif place in meshes:
            gone = " and ".join(name for name in (upper, lower) if name not in levels)
            for key in (key for key, known in DEFINITIONS.items() if known.group == "Discs"):
                yield Taken(key, place, missing=f"{gone}: not in the result")
    if levels:
        yield from _if_there(lordosis, levels)


def _hips(meshes: Mapping[str, Mesh]) -> Iterator[Taken]:
    for side in SIDES:
        if f"femur_{side}" in meshes:
            yield from femur_measures(f"femur_{side}", side, meshes[f"femur_{side}"])
    if any(f"hip_{side}" in meshes for side in SIDES) or all(f"femur_{side}" in meshes for side in SIDES):
        s1 = None
        if "S1" in meshes and "sacrum" not in meshes:
            try:
                s1 = level_of("S1", meshes["S1"])
            except NotMeasurable:
                s1 = None
        yield from pelvis_measures(meshes, s1)


def _if_there(measures: Callable[..., Iterator[Taken]], *given: Any) -> Iterator[Taken]:
    """None of them where a surface lacks the part: surfaces without an endplate are no vertebrae to be measured."""
    try:
        yield from list(measures(*given))
    except NotMeasurable:
        return


def _measured(
    taken: Taken, spread: float, vertices: Mapping[str, NDArray], support: Mapping[str, NDArray]
) -> Measure:
    known = DEFINITIONS[taken.key]
    empty = Measure(
        taken.key, known.title, taken.place, taken.side, known.unit, None, None, None, taken.missing, (),
        tuple(dict.fromkeys(one.structure for one in taken.points)),
    )  # fmt: skip
    if taken.missing:
        return empty
    seen = min(one.least_of(support[one.structure]) for one in taken.points)
    empty = replace(empty, support=seen if np.isfinite(seen) else None)
    if seen < MIN_SUPPORT:
        return replace(empty, missing=f"{100 * seen:.0f}% of where it is taken is seen in the image")
    points = [one.of(vertices[one.structure]) for one in taken.points]
    value = float(taken.formula(*points))
    if not np.isfinite(value):
        return replace(empty, missing="the surface is too irregular there")
    lines = tuple(np.asarray(line, dtype=np.float64) for line in taken.lines(*points))
    return replace(empty, value=value, uncertainty=spread if np.isfinite(spread) else None, lines=lines)


def _without_scale(measure: Measure) -> Measure:
    """A length means nothing where the scale is unknown; an angle or a share does."""
    if measure.unit != "mm" or measure.value is None:
        return measure
    return replace(measure, value=None, uncertainty=None, missing=SCALE)

"""Every format of a result: where its points came back, of which hand, with which names; and how good elements are."""

from __future__ import annotations

import csv
import json
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np
from scipy.spatial import cKDTree

from mri2mesh.atomic import whole_file
from mri2mesh.evaluation.exports.reading import read_back
from mri2mesh.export.exporting.request import SURFACE_FORMATS, VOLUME_FORMATS, ExportRequest
from mri2mesh.export.exporting.run import export
from mri2mesh.export.exporting.sources import load_source
from mri2mesh.export.finite_elements.volume_mesh import set_name
from mri2mesh.export.surfaces import in_space
from mri2mesh.geometry.checks import volume_mm3
from mri2mesh.geometry.mesh import Mesh

PLACE_MM, VOLUME_SHARE = 1e-3, 1e-3
"""What a round trip may cost: formats hold single precision or nine digits."""


@dataclass(frozen=True)
class RoundTrip:
    """One file. largest_mm: from a point in the file to the nearest it should be, and back. right_hand: of surfaces and
    elements, with the volume that they should have. names: whether the structure, or its sets, has its name."""

    result: str
    structure: str
    format: str
    space: str
    read_by: str
    largest_mm: float
    right_hand: bool
    names: bool

    @property
    def passed(self) -> bool:
        return self.largest_mm <= PLACE_MM and self.right_hand and self.names


@dataclass(frozen=True)
class Elements:
    """Figures of the volume mesh of one structure, as in the sidecar. seconds: of one core, triangles and elements."""

    result: str
    structure: str
    edge_length_mm: float
    elements: int
    edges_within_30_percent: float
    displacement_mm: float
    smallest_scaled_jacobian: float
    inverted: int
    seconds: float
    wall_seconds: float


def evaluate(
    results: Sequence[Path], structures: Sequence[str], edge_length_mm: float, out: Path | None = None
) -> tuple[list[RoundTrip], list[Elements]]:
    """Prints and returns both tables. structures: those wanted of each result, by default its first bone.

    out: folder for ``round_trips.csv`` and ``elements.csv``. Raises InputError as `export` does.
    """
    trips: list[RoundTrip] = []
    meshes: list[Elements] = []
    for folder in results:
        given = load_source(ExportRequest(folder, ("stl",)))
        there = {item.name: item.mesh for item in given.meshes}
        bones = [item.name for item in given.meshes if item.kind != "disc"]
        for name in [one for one in structures if one in there] or bones[:1]:
            trips += _surfaces(folder, name, there[name])
            found, figures = _elements(folder, name, edge_length_mm)
            trips += found
            meshes.append(figures)
            _print(
                name,
                [trip for trip in trips if trip.result == folder.name and trip.structure == name],
                figures,
            )
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        _write(out / "round_trips.csv", RoundTrip, trips)
        _write(out / "elements.csv", Elements, meshes)
    bad = sum(not trip.passed for trip in trips)
    print(f"{len(trips)} round trips, {bad} not as they should be; {len(meshes)} volume meshes")
    return trips, meshes


def _surfaces(folder: Path, name: str, mesh: Mesh) -> list[RoundTrip]:
    trips = []
    for space in ("LPS", "RAS"):
        with tempfile.TemporaryDirectory() as made:
            export(ExportRequest(folder, SURFACE_FORMATS, Path(made), (name,), space=space))
            for ending in SURFACE_FORMATS:
                path = Path(made) / ("structures.gltf" if ending == "gltf" else f"{name}.{ending}")
                # glTF has axes of its own: whatever was asked, it comes back in one space
                expected = in_space(mesh, "LPS" if ending == "gltf" else space)
                trips.append(_trip(folder, name, path, space, expected.vertices, volume_mm3(mesh), {name}))
    return trips


def _elements(folder: Path, name: str, edge_length_mm: float) -> tuple[list[RoundTrip], Elements]:
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as made:
        export(ExportRequest(folder, VOLUME_FORMATS, Path(made), (name,), edge_length_mm=edge_length_mm))
        wall = time.monotonic() - begun
        described = json.loads((Path(made) / f"{name}.inp.json").read_text(encoding="utf-8"))
        mesh, surface = described["volume_mesh"], described["surfaces"][name]
        first = read_back(Path(made) / f"{name}.inp")
        volume = mesh["volume_mm3"][name]
        parts = set(mesh["element_sets"])
        trips = [
            _trip(
                folder, name, Path(made) / f"{name}.{ending}", "LPS", first.points, volume,
                {f"N_{set_name(name)}_SURFACE"} if ending == "vtu" else parts,
            )
            for ending in VOLUME_FORMATS
        ]  # fmt: skip
    figures = Elements(
        folder.name, name, edge_length_mm, mesh["elements"], surface["edges"]["share_within_30_percent"],
        surface["displacement_of_elements"]["largest_mm"], mesh["smallest_scaled_jacobian"],
        mesh["inverted_elements"], surface["seconds_of_one_core"] + mesh["seconds_of_one_core"], wall,
    )  # fmt: skip
    return trips, figures


def _trip(
    folder: Path, name: str, path: Path, space: str, expected: np.ndarray, volume: float, names: set[str]
) -> RoundTrip:
    back = read_back(path)
    there = cKDTree(expected).query(back.points)[0].max()
    here = cKDTree(back.points).query(expected)[0].max()
    hand = abs(back.volume_mm3 - volume) <= VOLUME_SHARE * abs(volume)
    has_names = path.suffix in (".gltf", *(f".{ending}" for ending in VOLUME_FORMATS))
    named = names <= back.names if has_names else path.stem == name
    return RoundTrip(
        folder.name, name, path.suffix[1:], space, back.by, float(max(there, here)), bool(hand), named
    )


def _print(name: str, trips: Sequence[RoundTrip], figures: Elements) -> None:
    worst = max(trip.largest_mm for trip in trips)
    good = sum(trip.passed for trip in trips)
    print(
        f"{figures.result} {name}: {good} of {len(trips)} files as they should be, at most {worst:.1e} mm off; "
        f"{figures.elements:,} elements of {figures.edge_length_mm:g} mm, "
        f"{100 * figures.edges_within_30_percent:.1f}% of edges within 30%, displacement {figures.displacement_mm:.2f} "
        f"mm, smallest scaled Jacobian {figures.smallest_scaled_jacobian:.2f}, {figures.inverted} inverted, "
        f"{figures.seconds:.0f} core seconds",
        flush=True,
    )
    for trip in trips:
        if not trip.passed:
            print(f"    {trip}")


def _write(path: Path, kind: type, rows: Sequence[RoundTrip] | Sequence[Elements]) -> None:
    with whole_file(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [field.name for field in fields(kind)])
        writer.writeheader()
        writer.writerows(asdict(row) for row in rows)

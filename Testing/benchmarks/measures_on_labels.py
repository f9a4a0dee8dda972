"""Measures of whole vertebrae, taken two ways: on a surface with regions, and by counting voxels of the labels.

    python Testing/benchmarks/measures_on_labels.py SHARED/data/training/totalseg_s0224/vertebrae_T10-L5_labels.nii.gz

For each vertebra of a label map in VerSe's numbers, the shape model of its level is laid onto the label's own surface,
so that it has regions, and measured by `mri2mesh.measures`. The second way shares nothing with it but the directions of
the vertebra's axes: the label itself is resampled in the mid-sagittal and in the axial plane and the runs of its voxels
are counted. Millimetres and degrees; 10 to 20 seconds a vertebra.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, map_coordinates
from scipy.ndimage import label as numbered
from scipy.spatial import cKDTree

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / name) for name in ("MRI2MeshExtension", "ModelWeights")]

from mri2mesh.anatomy.measures import pedicle_midpoints  # noqa: E402
from mri2mesh.anatomy.structures import STRUCTURES  # noqa: E402
from mri2mesh.engines.segmentation.fitting.priors import prior  # noqa: E402
from mri2mesh.geometry.isosurface import surface_from_field  # noqa: E402
from mri2mesh.geometry.mesh import Mesh  # noqa: E402
from mri2mesh.geometry.volume import Volume  # noqa: E402
from mri2mesh.imaging.volumes.reading import read_volume  # noqa: E402
from mri2mesh.measures.stage import take  # noqa: E402
from mri2mesh.measures.vertebra import Level, level_of  # noqa: E402
from mri2mesh.shape_building.correspondence import onto_surface  # noqa: E402

STEP_MM = 0.2
"""Pixels of the planes that are counted."""


def fitted(level: str, label: Volume) -> Mesh:
    """The shape model of a level, with its regions, laid onto a label's surface. label: 0 to 1."""
    return onto_surface(prior(level), surface_from_field(label, 0.5), upright=False)


def by_regions(name: str, mesh: Mesh) -> dict[str, float]:
    """What `mri2mesh.measures` says."""
    return {
        taken.key + (f"_{taken.side}" if taken.side else ""): float(
            taken.formula(*[points.of(mesh.vertices) for points in taken.points])
        )
        for taken in take({name: mesh})
        if not taken.missing
    }


def by_voxels(level: Level, label: Volume) -> dict[str, float]:
    """Heights and wedge in the mid-sagittal plane, depth of the canal, widths of the pedicles."""
    y, z = np.arange(-75, 30, STEP_MM), np.arange(-30, 30, STEP_MM)
    inside = _plane(level, label, np.zeros(1), y, z)[0]
    pieces, _ = numbered(inside)
    inside = pieces == pieces[int(np.abs(y).argmin()), int(np.abs(z).argmin())]
    # each endplate runs from its own back edge to its own front edge: the body's outline 2 mm below it
    ends = [_outline(inside, y, z, sign) for sign in (1, -1)]
    found = {}
    for place, share in (("anterior", 0.9), ("middle", 0.5), ("posterior", 0.1)):
        points = []
        for (back, front), sign in zip(ends, (1, -1), strict=True):
            at = back + share * (front - back)
            points.append((at, _extreme(inside, y, z, at, sign)))
        found[f"body_height_{place}"] = float(np.hypot(*np.subtract(*points)))
    slopes = []
    for (back, front), sign in zip(ends, (1, -1), strict=True):
        edge = [_extreme(inside, y, z, at, sign) for at in (back + 2.0, front - 2.0)]
        slopes.append(np.degrees(np.arctan2(edge[1] - edge[0], front - back - 4.0)))
    found["wedge_angle"] = slopes[0] - slopes[1]
    found["canal_depth"] = _canal(pieces, inside, y, z)
    for side, centre in zip(("left", "right"), pedicle_midpoints(level.mesh), strict=True):
        own = level.own(centre)
        found[f"pedicle_width_{side}"] = _pedicle(level, label, own)
    return found


def _pedicle(level: Level, label: Volume, centre: NDArray) -> float:
    """The shortest run of voxels through places near the middle of a pedicle, in directions up to 40 degrees from
    left to right, in the axial plane."""
    along = np.arange(-25, 25, STEP_MM)
    widths = []
    for turn in np.radians(np.arange(-40, 41, 5)):
        for behind in np.arange(-6, 6, 1.0):
            line = centre + np.array([0, behind, 0]) + along[:, None] * [np.cos(turn), np.sin(turn), 0]
            first, last = _run_around(_inside(level, label, line), len(along) // 2)
            widths.append(STEP_MM * (last - first))
    return min(width for width in widths if width > 0)


def _inside(level: Level, label: Volume, own: NDArray) -> NDArray[np.bool_]:
    """[...] whether places [..., 3], in the vertebra's own axes, lie in the label."""
    ijk = label.ijk_from_ras(own @ level.frame[:3, :3].T + level.frame[:3, 3])
    return map_coordinates(label.array, np.moveaxis(ijk[..., ::-1], -1, 0), order=1) > 0.5


def _plane(level: Level, label: Volume, x: NDArray, y: NDArray, z: NDArray) -> NDArray[np.bool_]:
    """[X, Y, Z] whether the places, in the vertebra's own axes, lie in the label."""
    return _inside(level, label, np.stack(np.meshgrid(x, y, z, indexing="ij"), axis=-1))


def _run_around(row: NDArray, at: int) -> tuple[int, int]:
    """First and last index of the run of true that holds an index; the same twice where it is false."""
    if not row[at]:
        return at, at
    false = np.flatnonzero(~row)
    before, after = false[false < at], false[false > at]
    return (int(before.max()) + 1 if len(before) else 0), (
        int(after.min()) - 1 if len(after) else len(row) - 1
    )


def _extreme(body: NDArray, y: NDArray, z: NDArray, at: float, sign: int) -> float:
    """Height of the highest (1) or lowest (-1) place of the body at a depth."""
    column = np.flatnonzero(body[int(np.abs(y - at).argmin())])
    return float(z[column[-1 if sign > 0 else 0]]) if len(column) else float("nan")


def _outline(body: NDArray, y: NDArray, z: NDArray, sign: int) -> tuple[float, float]:
    """Back and front of the body in its upper (1) or lower (-1) fifth."""
    near = sign * z > 0.6 * abs(_extreme(body, y, z, 0.0, sign))
    there = y[body[:, near].any(axis=1)]
    return float(there[0]), float(there[-1])


def _canal(pieces: NDArray, body: NDArray, y: NDArray, z: NDArray) -> float:
    """The least gap between the body and what lies behind it in the mid-sagittal plane."""
    grid = np.stack(np.meshgrid(y, z, indexing="ij"), axis=-1)
    arch = (pieces > 0) & ~body & (grid[..., 0] < 0)
    return float(cKDTree(grid[arch]).query(grid[body])[0].min()) if arch.any() else float("nan")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("labels", type=Path)
    parser.add_argument("--out", type=Path, help="a JSON file with every number")
    arguments = parser.parse_args()
    volume, rows = read_volume(arguments.labels), []
    known = {one.label: one.name for one in STRUCTURES.values() if one.kind == "vertebra"}
    for value in np.unique(volume.array):
        if int(value) not in known:
            continue
        name = known[int(value)]
        soft = volume.with_array(gaussian_filter((volume.array == value).astype(np.float32), 0.5))
        mesh = fitted(name, soft)
        first, second = by_regions(name, mesh), by_voxels(level_of(name, mesh), soft)
        for key, other in second.items():
            rows.append({"vertebra": name, "measure": key, "regions": first[key], "voxels": other})
            print(f"{name} {key:24} {first[key]:7.2f} {other:7.2f} {first[key] - other:+6.2f}", flush=True)
    for key in dict.fromkeys(row["measure"] for row in rows):
        apart = np.array([row["regions"] - row["voxels"] for row in rows if row["measure"] == key])
        apart = apart[np.isfinite(apart)]
        print(f"{key:24} n {len(apart)} mean {apart.mean():+.2f} mean absolute {np.abs(apart).mean():.2f}")
    if arguments.out:
        arguments.out.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()

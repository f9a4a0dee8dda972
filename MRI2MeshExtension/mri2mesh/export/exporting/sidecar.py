"""The sidecar ``NAME.json`` of an exported file: space, units, where it came from, and every figure measured on it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import mri2mesh
from mri2mesh.export.exporting.sources import NamedMesh, Source
from mri2mesh.export.surfaces import Space


def write_sidecar(
    path: Path, source: Source, structures: list[NamedMesh], space: Space, **figures: Any
) -> Path:
    """Writes ``<file name>.json`` beside an exported file and returns its path.

    figures: what was measured, for instance ``surface`` and ``volume_mesh``.
    """
    length = "mm" if source.scale_known else "unknown: the image has no scale"
    described = {
        "file": path.name,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "written_by": f"mri2mesh {mri2mesh.__version__}",
        "space": space,
        "axes": "x to the patient's left, y to the back, z to the head" if space == "LPS"
        else "x to the patient's right, y to the front, z to the head",
        "units": {"length": length, "force": "N", "stress": "MPa"},
        "structures": [_describe(item) for item in structures],
        **figures,
        "made_from": source.origin,
    }  # fmt: skip
    sidecar = path.with_name(f"{path.name}.json")
    sidecar.write_text(json.dumps(described, indent=2) + "\n", encoding="utf-8")
    return sidecar


def sentence_about(path: Path) -> str:
    """The figures that decide whether a volume mesh can be used, from its file's sidecar; "" for surfaces."""
    described = json.loads(path.with_name(f"{path.name}.json").read_text(encoding="utf-8"))
    mesh, surfaces = described.get("volume_mesh"), described.get("surfaces", {})
    if mesh is None:
        return ""
    edges = min(surface["edges"]["share_within_30_percent"] for surface in surfaces.values())
    figures = [
        f"{mesh['elements']:,} elements",
        f"smallest scaled Jacobian {mesh['smallest_scaled_jacobian']:.2f}",
        f"{100 * edges:.0f}% of edges within 30% of the length",
    ]
    own = [s for s in surfaces.values() if not s.get("seated")]
    if own:
        moved = max(surface["displacement_of_elements"]["largest_mm"] for surface in own)
        figures.append(f"surface moved by {moved:.2f} mm at most")
    figures += [
        f"{name} changed its volume by {100 * surface['volume_change_share']:+.0f}%"
        for name, surface in surfaces.items()
        if surface.get("seated")
    ]
    return f"{path.name}: {', '.join(figures)}"


def _describe(item: NamedMesh) -> dict[str, Any]:
    code = item.structure.code if item.structure else None
    return {
        "name": item.name,
        "kind": item.kind,
        "snomed_ct_code": code,
        "side": item.structure.side if item.structure else None,
        "arrays": sorted(item.mesh.point_data),
    }

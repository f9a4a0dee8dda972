"""report.json: what was made, how far it can be trusted, and from what.

What a reconstruction's ``provenance`` may say, all optional: ``version``, ``weights`` (list of ``{"name",
"sha256", "licence"}``), ``device``, ``input`` (``{"sha256": of the file}``), ``uncertainty_method`` (a
sentence), ``settings`` (numbers and words), ``fit`` (numbers to go on from), ``views`` (per radiograph
``agreement``, 0 to 1, and ``surface_to_view``, the 4x4 that moves the surfaces to where its geometry shows them),
``uncertainty_reach_mm`` (over which distance the surfaces' errors go together, for that of the measures).
Nothing else is written: no path, no DICOM tag.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import mri2mesh
from mri2mesh.atomic import whole_file
from mri2mesh.export.measure_files import describe_measure
from mri2mesh.export.report_input import Image, describe_input, scale_known
from mri2mesh.geometry.checks import area_mm2, is_watertight, self_intersections, volume_mm3
from mri2mesh.measures.stage import measure
from mri2mesh.reconstruction import Check, LevelCount, ReconstructedStructure, Reconstruction

Report = dict[str, Any]


def make_report(
    reconstruction: Reconstruction, image: Image, files: Mapping[str, Sequence[str]] | None = None
) -> Report:
    """Everything report.json holds, as plain JSON types.

    image: what it was made from, a volume or radiographs. files: names of the surface files of each structure.
    Millimetres; ``support_fraction`` is the mean of the vertices' support; what was not measured is None, and so
    are millimetres, areas and volumes of an image of unknown scale. ``made``: when, in UTC.
    ``measures``: see `mri2mesh.measures`.
    """
    provenance, known = reconstruction.provenance, scale_known(image)
    return {
        "engine": reconstruction.engine,
        "version": str(provenance.get("version", mri2mesh.__version__)),
        "passed": reconstruction.passed,
        "made": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "weights": [
            {key: _plain(weights.get(key)) for key in ("name", "sha256", "licence")}
            for weights in provenance.get("weights", [])
        ],
        "input": describe_input(image, provenance.get("input", {}), provenance.get("views", ())),
        "scale_known": known,
        "levels": describe_levels(reconstruction.levels),
        "device": str(provenance.get("device", "cpu")),
        "settings": _plain(provenance.get("settings", {})),
        "fit": _plain(provenance.get("fit")),
        "uncertainty_method": _plain(provenance.get("uncertainty_method")),
        "timings_s": {stage: round(float(seconds), 3) for stage, seconds in reconstruction.timings_s.items()},
        "structures": [
            _measure(structure, list((files or {}).get(structure.name, [])), known)
            for structure in reconstruction.structures
        ],
        "measures": [describe_measure(one) for one in measure(reconstruction, scale_known=known)],
        "checks": [_describe_check(check) for check in reconstruction.checks],
        "warnings": list(reconstruction.warnings),
    }


def write_report_json(report: Report, path: Path | str) -> Path:
    """Write a report as UTF-8 JSON; standard JSON only (no NaN). InputError: unwritable folder."""
    with whole_file(path) as temporary:
        text = json.dumps(report, indent=2, ensure_ascii=False, allow_nan=False)
        temporary.write_text(text + "\n", encoding="utf-8")
    return Path(path)


def _measure(structure: ReconstructedStructure, files: list[str], scale_known: bool) -> Report:
    mesh = structure.mesh
    lengths = {
        "volume_mm3": _number(volume_mm3(mesh), 1),
        "area_mm2": _number(area_mm2(mesh), 1),
        "uncertainty_mean_mm": _statistic(structure.uncertainty_mm, np.mean),
        "uncertainty_p95_mm": _statistic(structure.uncertainty_mm, lambda values: np.percentile(values, 95)),
    }
    return {
        "name": structure.name,
        "kind": structure.structure.kind,
        "code": structure.structure.code,
        "code_system": "SNOMED CT",
        "meaning": structure.structure.meaning,
        "side": structure.structure.side,
        "label": structure.structure.label,
        "colour": [round(float(c), 4) for c in structure.structure.colour],
        "files": files,
        "vertices": len(mesh.vertices),
        "faces": len(mesh.faces),
        **(lengths if scale_known else dict.fromkeys(lengths)),
        "watertight": bool(is_watertight(mesh)),
        "self_intersections": int(self_intersections(mesh)),
        "support_fraction": _statistic(structure.support, np.mean),
    }


def _describe_check(check: Check) -> Report:
    return {
        "name": check.name,
        "structure": check.structure,
        "value": _number(check.value),
        "threshold": _number(check.threshold),
        "passed": bool(check.passed),
        "detail": check.detail,
    }


def describe_levels(count: LevelCount | None) -> Report | None:
    """How the vertebrae came by their names; None where there are none."""
    if count is None:
        return None
    return {
        "anchor": count.anchor,
        "certain": count.certain,
        "statement": count.statement,
        "advice": count.advice,
        "lowest": count.lowest,
        "probabilities": {name: _number(share, 3) for name, share in count.probabilities.items()},
    }


def _statistic(values: NDArray, of: Any) -> float | None:
    finite = np.asarray(values, dtype=float)
    finite = finite[np.isfinite(finite)]
    return _number(of(finite)) if finite.size else None


def _number(value: Any, digits: int = 4) -> float | None:
    """A finite float, rounded, or None: JSON knows neither NaN nor infinity."""
    if value is None or not math.isfinite(float(value)):
        return None
    return round(float(value), digits)


def _plain(value: Any) -> Any:
    """JSON types only; NumPy's numbers become Python's, anything unknown its text."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [_plain(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, (bool, int, str)) else str(value)

"""Earlier fits of the same radiographs, to go on from with other landmarks or another geometry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mri2mesh.atomic import whole_file
from mri2mesh.errors import InputError
from mri2mesh_slicer.runs.runs import RunNodes, runs_of


def earlier_fits(
    scene: Any, engine: str, nodes: Sequence[Any], settings: Mapping[str, Any]
) -> list[RunNodes]:
    """The runs of an engine, with these among their settings, that say where their fit to these nodes, in this order,
    ended."""
    return [
        run
        for run in runs_of(scene)
        if run.engine == engine and _same(run.inputs, nodes) and _was_fitted(run, settings)
    ]


def write_earlier_fit(report: str, folder: Path) -> Path:
    """A report's text as a result folder for the worker's option ``start``; touches no MRML."""
    folder.mkdir()
    with whole_file(folder / "report.json") as temporary:
        temporary.write_text(report, encoding="utf-8")
    return folder


def _same(some: Sequence[Any], others: Sequence[Any]) -> bool:
    return len(some) == len(others) and all(a is b for a, b in zip(some, others, strict=True))


def _was_fitted(run: RunNodes, settings: Mapping[str, Any]) -> bool:
    try:
        before = run.report.fitted
    except InputError:  # deleted from the scene, or of another version
        return False
    return before is not None and all(before.get(name) == value for name, value in settings.items())

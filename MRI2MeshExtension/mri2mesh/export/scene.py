"""scene.mrb: the image and its surfaces as a 3D Slicer scene, made by real MRML.

MRML comes from the optional ``slicer-core`` wheel (3D Slicer without Qt). It runs in a process of its own, so that
neither its libraries nor their failures touch the process that holds the result: `mri2mesh_slicer.runs.write_scene`,
which builds the scene with the code that Slicer's panel shows its results with.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

import mri2mesh
from mri2mesh.atomic import whole_file
from mri2mesh.errors import InputError
from mri2mesh.export.report import Report, make_report, write_report_json
from mri2mesh.export.slices import body_centre
from mri2mesh.export.structure_files import write_surfaces
from mri2mesh.geometry.volume import Volume
from mri2mesh.imaging.volumes.writing import write_volume
from mri2mesh.reconstruction import Reconstruction

TIMEOUT_S = 300.0


class SceneError(RuntimeError):
    """MRML could not write the scene: the surfaces themselves are not affected."""


def require_slicer_core() -> None:
    """Raises InputError, with what to install, where the ``slicer-core`` wheel is missing."""
    if importlib.util.find_spec("slicer_core") is None:
        raise InputError("a scene needs 3D Slicer's core: pip install slicer-core, or leave out --scene")


def write_scene(
    reconstruction: Reconstruction,
    volume: Volume,
    path: Path | str,
    *,
    report: Report | None = None,
    name: str = "Lumbar spine",
) -> Path:
    """Write a ``.mrb`` with the image, one coloured model and one coded segment per structure, and tables.

    Models carry the scalars region, uncertainty_mm and support. Everything is in one subject-hierarchy folder
    called ``name``. report: what `make_report` made, if made already.
    Raises InputError for another extension, an unwritable folder or a missing slicer-core; SceneError where
    MRML fails.
    """
    path = Path(path)
    if path.suffix.lower() != ".mrb":
        raise InputError(f"{path.name}: a scene is written as .mrb; change the name")
    require_slicer_core()
    report = report or make_report(reconstruction, volume)
    with whole_file(path) as temporary, tempfile.TemporaryDirectory(prefix="mri2mesh-") as staging:
        _stage(reconstruction, volume, report, name, Path(staging))
        _run_worker(Path(staging), temporary)
    return path


def _stage(reconstruction: Reconstruction, volume: Volume, report: Report, name: str, folder: Path) -> None:
    """What `mri2mesh_slicer.runs.write_scene` reads: a run's folder, with image.nrrd and view.json."""
    write_surfaces(reconstruction, folder, ["vtp"])
    write_report_json(report, folder / "report.json")
    write_volume(volume, folder / "image.nrrd")
    dark, bright = np.percentile(volume.array[np.isfinite(volume.array)], [1, 99.5])
    middle = volume.ras_from_ijk((np.array(volume.array.shape[::-1]) - 1) / 2)
    if reconstruction.structures:
        middle = np.median([body_centre(item) for item in reconstruction.structures], axis=0)
    view = {
        "name": name,
        "window": [float(dark), float(max(bright, dark + 1e-3))],
        "centre_ras": [float(value) for value in middle],
        "height_mm": float(max(100, 1.2 * np.ptp(_heights(reconstruction, volume)))),
    }
    (folder / "view.json").write_text(json.dumps(view), encoding="utf-8")


def _heights(reconstruction: Reconstruction, volume: Volume) -> Any:
    if reconstruction.structures:
        return np.concatenate([item.mesh.vertices[:, 2] for item in reconstruction.structures])
    return volume.ras_from_ijk(np.array([[0, 0, 0], volume.array.shape[::-1]]))[:, 2]


def _run_worker(staging: Path, target: Path) -> None:
    package = str(Path(mri2mesh.__file__).resolve().parents[1])
    paths = [package, *filter(None, [os.environ.get("PYTHONPATH")])]
    command = [sys.executable, "-m", "mri2mesh_slicer.runs.write_scene", str(staging), str(target.resolve())]
    try:
        done = subprocess.run(
            command,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise SceneError(f"the scene was not written within {TIMEOUT_S:.0f} s") from error
    if done.returncode or not target.is_file():
        said = (done.stderr or done.stdout).strip().splitlines()
        reason = said[-1] if said else f"exit status {done.returncode}"
        raise SceneError(f"the scene could not be written by slicer-core: {reason}")

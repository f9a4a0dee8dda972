"""The jobs of the worker by name. What is slow to import is imported inside, after the first progress event."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

from mri2mesh.engines.model_cache import ModelCache
from mri2mesh.errors import InputError
from mri2mesh.worker.requests import engine_of, inputs_of, marker_of, options_of, reconstruction_of


class Cancelled(Exception):
    """Raised inside a job that is no longer wanted."""


class Context(Protocol):
    """What a job is given besides its message."""

    @property
    def cache(self) -> ModelCache:
        """What earlier jobs have loaded."""

    def progress(self, stage: str, fraction: float) -> None:
        """Raises Cancelled."""

    def check(self) -> None:
        """Raises Cancelled."""

    def send(self, event: str, **values: Any) -> None:
        """Sends an event of this job."""


def reconstruct(message: Mapping[str, Any], context: Context) -> dict[str, Any]:
    from mri2mesh.run import run
    from mri2mesh.worker.live import LiveSurfaces

    request, live = reconstruction_of(message)
    context.check()
    shown = LiveSurfaces(
        Path(tempfile.gettempdir()),
        lambda fraction, files, views: context.send(
            "surface", fraction=round(fraction, 4), files=files, views=views
        ),
    )
    with between_layers(context.check), contextlib.closing(shown):
        reconstruction = run(
            request,
            progress=context.progress,
            warn=lambda message: context.send("warning", message=message),
            watch=shown if live else None,
            cache=context.cache,
        )
    return {
        "status": 0 if reconstruction.passed else 1,
        "out": str(request.out),
        "report": str(request.out / "report.json"),
    }


@contextlib.contextmanager
def between_layers(check: Callable[[], None]) -> Iterator[None]:
    """Calls ``check`` before each layer of any network, so that what it raises ends even a long pass in its middle."""
    from torch.nn.modules.module import register_module_forward_pre_hook

    handle = register_module_forward_pre_hook(lambda module, inputs: check())
    try:
        yield
    finally:
        handle.remove()


def describe(message: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """What each input is recognised as: never a path, a name or a date."""
    from mri2mesh.engines.registry import default_engine
    from mri2mesh.export.report_input import describe_input
    from mri2mesh.imaging.kind import kind_of
    from mri2mesh.imaging.radiographs.reading import read_radiograph
    from mri2mesh.imaging.volumes.reading import read_volume
    from mri2mesh.imaging.volumes.recognise import describe as recognise

    inputs, options = inputs_of(message), options_of(message)
    cameras = options.get("cameras") or (None,) * len(inputs)
    if len(cameras) != len(inputs):
        raise InputError(f"{len(cameras)} cameras for {len(inputs)} images")
    found: list[dict[str, Any]] = []
    for path, camera in zip(inputs, cameras, strict=True):
        context.progress("read the images", len(found) / len(inputs))
        if kind_of(path) == "volume":
            volume = read_volume(path, options.get("series"))
            about = {"kind": "volume", "text": recognise(volume), "warnings": list(volume.warnings)}
            found.append({**about, "details": describe_input(volume, {})})
        else:
            radiograph = read_radiograph(path, camera)
            details = describe_input([radiograph], {})["views"][0]
            about = {"kind": "radiographs", "text": details["recognised"]}
            found.append({**about, "warnings": list(radiograph.warnings), "details": details})
    kinds = {one["kind"] for one in found}
    return {
        "status": 0,
        "engine": default_engine(found[0]["kind"]).name if len(kinds) == 1 else None,
        "inputs": found,
    }


def warm(message: Mapping[str, Any], context: Context) -> dict[str, Any]:
    from mri2mesh import run  # noqa: F401  what every reconstruction needs
    from mri2mesh.engines.registry import get_engine

    engine = engine_of(message)
    if engine is not None:
        get_engine(engine).load()
    return {"status": 0}


def calibrate(message: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """The pixel spacing of one radiograph from a marker in it."""
    from mri2mesh.imaging.radiographs.calibration.calibration import calibrate_marker
    from mri2mesh.imaging.radiographs.calibration.marker_option import with_scale
    from mri2mesh.imaging.radiographs.reading import read_radiograph

    inputs, options = inputs_of(message), options_of(message)
    context.progress("read the images", 0.0)
    camera = next(iter(options.get("cameras") or ()), None)
    radiograph = read_radiograph(inputs[0], camera)
    found = calibrate_marker(radiograph, marker_of(options))
    scaled = with_scale(radiograph, found)
    return {
        "status": 0,
        "pixel_spacing_mm": list(scaled.geometry.pixel_spacing_mm.value),
        "warnings": list(scaled.warnings[len(radiograph.warnings) :]),
        "relative_uncertainty": found.relative_uncertainty,
        "method": found.method,
    }


def export(message: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Surfaces or tetrahedra of a result folder; and a sentence about each volume mesh, with its figures."""
    from mri2mesh.export.exporting.run import export as write
    from mri2mesh.export.exporting.sidecar import sentence_about
    from mri2mesh.worker.export_requests import export_of

    request = export_of(message)
    files = [path for path in write(request, context.progress) if path.suffix != ".json"]
    return {
        "status": 0,
        "out": str(request.folder),
        "files": [path.name for path in files],
        "said": [said for path in files if (said := sentence_about(path))],
    }


Job = Callable[[Mapping[str, Any], Context], dict[str, Any]]
JOBS: dict[str, Job] = {
    "reconstruct": reconstruct,
    "describe": describe,
    "calibrate": calibrate,
    "warm": warm,
    "export": export,
}
"""Command to what does it; each returns the values of its ``done`` event."""

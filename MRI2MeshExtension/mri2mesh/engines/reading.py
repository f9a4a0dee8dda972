"""From what a request names to what an engine takes: its images, and options that are files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mri2mesh.engines.declaration import Engine, load
from mri2mesh.engines.options import EarlierResult, Option
from mri2mesh.errors import InputError
from mri2mesh.geometry.volume import Volume
from mri2mesh.imaging.radiographs.calibration.marker_option import calibrated_by
from mri2mesh.imaging.radiographs.picked_landmarks import Pixel, landmarks_of_views
from mri2mesh.imaging.radiographs.radiograph import Radiograph
from mri2mesh.imaging.radiographs.reading import read_radiograph
from mri2mesh.imaging.volumes.reading import read_volume
from mri2mesh.json_file import read_json


@dataclass(frozen=True)
class Inputs:
    """What the reader of an option may look at. option: the one that is read. image: as the kind of input reads it.
    options: of the request, as they were given."""

    engine: Engine
    option: Option
    paths: tuple[Path, ...]
    image: Any
    options: Mapping[str, Any]


def read_inputs(
    engine: Engine, paths: tuple[Path, ...], options: Mapping[str, Any]
) -> tuple[Any, dict[str, Any]]:
    """The image, and the keywords for the engine's ``reconstruct``: those of its own options that were given. Raises
    InputError for what cannot be read."""
    image = load(engine.takes.read)(paths, options)
    keywords = {}
    for option in engine.options:
        value = options.get(option.name)
        if option.is_given(value):
            inputs = Inputs(engine, option, paths, image, options)
            keywords[option.name] = load(option.read)(value, inputs) if option.read else value
    return image, keywords


def volume(paths: Sequence[Path], options: Mapping[str, Any]) -> Volume:
    return read_volume(paths[0], options.get("series"))


def radiographs(paths: Sequence[Path], options: Mapping[str, Any]) -> list[Radiograph]:
    """Each with its geometry and scale. What is wrong with one of several is said with its number."""
    n = len(paths)
    frames = options.get("frames") or (None,) * n
    found = []
    for number, path, camera, marker, frame in zip(
        range(1, n + 1),
        paths,
        options.get("cameras") or (None,) * n,
        options.get("markers") or (None,) * n,
        frames * n if len(frames) == 1 else frames,
        strict=True,
    ):
        try:
            radiograph = read_radiograph(path, camera, frame=frame, bone=options.get("bone"))
            found.append(radiograph if marker is None else calibrated_by(marker, radiograph, path))
        except InputError as error:
            if n == 1:
                raise
            raise InputError(f"image {number}: {error}") from error
    return found


def landmarks(files: Sequence[Path | None], inputs: Inputs) -> list[dict[str, Pixel]]:
    """Of `options.Landmarks`: per image the pixels, by name."""
    return landmarks_of_views(files, inputs.paths, inputs.image)


def earlier_fit(folder: Path, inputs: Inputs) -> dict[str, Any]:
    """Of `options.EarlierResult`: where the fit of a result folder ended. Raises InputError where there is none, or it
    is of something else than what is asked for now."""
    try:
        report = read_json(folder / "report.json")
        fit, settings = report["fit"], dict(report["settings"])
    except (OSError, ValueError, KeyError, TypeError):
        fit, settings = None, {}
    if not isinstance(fit, dict):
        raise InputError("the earlier result does not say where its fit ended: give the folder of a fit")
    assert isinstance(inputs.option, EarlierResult)
    for name in inputs.option.same:
        option, before = inputs.engine.option(name), settings.get(name)
        if option is not None and before != option.to_json(inputs.options.get(name)):
            what = (option.label or name).lower()
            raise InputError(
                f"the earlier result is of {before}: only a result of the same {what} can be continued"
            )
    return fit

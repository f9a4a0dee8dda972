"""Shape models in files: one compressed ``.npz`` of plain arrays, quantised; never a pickle.

A mode is stored as the displacement of one standard deviation, in 16-bit multiples of 1/200 of its root mean
square: a shape 1 standard deviation away in one mode comes back within 0.25 % of that mode's RMS displacement at
every coordinate. Mean, variances and scores are kept in single precision (1e-5 mm).
"""

from __future__ import annotations

import io
import json
import zipfile
from functools import cache
from os import PathLike
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mri2mesh.anatomy.shape_models.model import ShapeModel
from mri2mesh.errors import InputError
from mri2mesh.weights import find, read_verified
from mri2mesh.weights_manifest import write_atomically

PREFIX = "shape_"
"""Shape models are ``shape_<name>.npz`` among the weights, so that no network can bear the same name."""
FORMAT = 1
_STEPS_PER_RMS = 200.0


def write_shape_model(model: ShapeModel, path: str | PathLike[str]) -> Path:
    """Writes one file, whole or not at all; its path. Raises InputError when the folder cannot be written."""
    path = Path(path)
    write_atomically(path, shape_model_bytes(model))
    return path


def shape_model_bytes(model: ShapeModel) -> bytes:
    """What the file holds; the same model gives the same bytes. Raises ValueError for a model with local modes."""
    if model.local:
        raise ValueError("local modes are not stored: save the model without them")
    moves = model.modes.astype(np.float64) * model.deviations[:, None, None]
    steps = np.sqrt((moves**2).mean(axis=(1, 2))) / _STEPS_PER_RMS
    description = {
        "format": FORMAT,
        "name": model.name,
        "frame": model.frame,
        "licence": model.licence,
        "attribution": list(model.attribution),
        "part_names": list(model.part_names),
        "subjects": list(model.subjects),
        "groups": list(model.groups),
        "landmarks": {name: np.asarray(group).tolist() for name, group in model.landmarks.items()},
    }
    arrays = {
        "description": np.frombuffer(json.dumps(description, ensure_ascii=False).encode(), np.uint8),
        "mean": model.mean.astype(np.float32),
        "modes": np.round(moves / steps[:, None, None]).astype(np.int16),
        "mode_steps_mm": steps,
        "variances": np.asarray(model.variances, np.float64),
        "faces": model.faces.astype(np.uint16 if len(model.mean) <= 65536 else np.uint32),
        "part": model.part.astype(np.uint8),
        "scores": model.scores.astype(np.float32),
        "mirrored": np.asarray(model.mirrored, bool),
    }
    if model.regions is not None:
        arrays["regions"] = np.asarray(model.regions, np.uint8)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, values in arrays.items():
            one = io.BytesIO()
            np.save(one, values, allow_pickle=False)
            # A fixed date: the file's SHA-256 must depend on the model alone.
            entry = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            archive.writestr(entry, one.getvalue(), zipfile.ZIP_DEFLATED, 9)
    return buffer.getvalue()


def read_shape_model(source: str | PathLike[str]) -> ShapeModel:
    """A shipped or imported model by name ("pelvis", "L3"), its SHA-256 verified, or one from an ``.npz`` file.

    Raises InputError when there is no such model or the file is not one.
    """
    if isinstance(source, str) and not source.endswith(".npz"):
        return parse_shape_model(read_verified(find(PREFIX + source)), f"the shape model {source!r}")
    path = Path(source)
    try:
        data = path.read_bytes()
    except OSError:
        raise InputError(f"cannot read the shape model {path.name}: is the path right?") from None
    return parse_shape_model(data, path.name)


@cache
def landmark_names(name: str) -> tuple[str, ...]:
    """The landmarks of a shape model among the weights, read in milliseconds without its geometry.

    Raises InputError when there is no such model or the file is not one.
    """
    data = read_verified(find(PREFIX + name))
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as stored:
            return tuple(json.loads(stored["description"].tobytes().decode())["landmarks"])
    except Exception:  # NumPy and zipfile raise many kinds for damaged files
        raise InputError(f"the shape model {name!r} is not one of this project, or it is damaged") from None


def parse_shape_model(data: bytes, called: str) -> ShapeModel:
    """A model from the bytes of a file. Raises InputError, with what the file is called, when it is none."""
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as stored:
            arrays: dict[str, NDArray] = {key: stored[key] for key in stored.files}
        description = json.loads(arrays["description"].tobytes().decode())
        if description["format"] != FORMAT:
            raise InputError(f"{called} has format {description['format']!r}, this version reads {FORMAT}")
        variances = arrays["variances"].astype(np.float64)
        scale = arrays["mode_steps_mm"] / np.sqrt(variances)
        return ShapeModel(
            name=str(description["name"]),
            mean=arrays["mean"].astype(np.float64),
            modes=(arrays["modes"] * scale[:, None, None]).astype(np.float32),
            variances=variances,
            faces=arrays["faces"].astype(np.int64),
            part=arrays["part"].astype(np.int64),
            part_names=tuple(description["part_names"]),
            landmarks={key: np.array(group, np.int64) for key, group in description["landmarks"].items()},
            scores=arrays["scores"].astype(np.float64),
            subjects=tuple(description["subjects"]),
            groups=tuple(description["groups"]),
            mirrored=arrays["mirrored"].astype(bool),
            attribution=tuple(description["attribution"]),
            licence=str(description["licence"]),
            frame=str(description["frame"]),
            regions=arrays.get("regions"),
        )
    except InputError:
        raise
    except Exception:  # NumPy and zipfile raise many kinds for damaged files
        raise InputError(f"{called} is not a shape model of this project, or it is damaged") from None

"""Weights and shape models of the user's own, copied into the user's folder once they are known to be readable."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from safetensors import SafetensorError, deserialize

from mri2mesh.anatomy.shape_models.file import parse_shape_model
from mri2mesh.errors import InputError
from mri2mesh.weights import SUFFIX, read_verified, store, user_folder
from mri2mesh.weights_manifest import MANIFEST, WeightsEntry, check_name, read_manifest, sha256_of

SHAPE_MODEL_SUFFIX = ".npz"


def import_weights(
    path: str | os.PathLike[str],
    *,
    licence: str = "not stated",
    origin: str = "imported by the user",
    engine: str = "",
) -> list[WeightsEntry]:
    """Copies a weights file, or every entry of a folder's manifest, into the user's folder.

    A file that a manifest beside it names brings that line along; another gets ``licence``, ``origin``, ``engine``.
    Raises InputError when something is missing, altered, not safetensors and no shape model: then nothing is imported.
    """
    source = Path(path)
    if source.is_dir():
        entries = list(read_manifest(source).values())
        if not entries:
            raise InputError(f"{source} holds no {MANIFEST}: name a {SUFFIX} file instead")
    elif source.is_file():
        known = [entry for entry in read_manifest(source.parent).values() if entry.file == source.name]
        if known:
            entries = known
        else:
            digest = sha256_of(source.read_bytes())
            new = WeightsEntry(check_name(source.stem), source.name, digest, licence, origin, engine)
            entries = [replace(new, folder=source.parent)]
    else:
        raise InputError(f"{source} does not exist")
    contents = [read_verified(entry) for entry in entries]
    for entry, data in zip(entries, contents, strict=True):
        _check_content(entry.file, data)
    imported = [
        replace(entry, file=entry.name + Path(entry.file).suffix, folder=user_folder()) for entry in entries
    ]
    for entry, data in zip(imported, contents, strict=True):
        store(entry, data)
    return imported


def _check_content(file: str, data: bytes) -> None:
    if file.endswith(SHAPE_MODEL_SUFFIX):
        parse_shape_model(data, file)
        return
    try:
        deserialize(data)
    except SafetensorError:
        raise InputError(
            f"{file} is not a safetensors file; pickled weights (.pt, .pth) are never read"
        ) from None

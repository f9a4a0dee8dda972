"""Network weights and shape models: found, verified, loaded and saved. Safetensors or plain arrays, never unpickled.

Where weights are looked for, first match wins:

1. the folder the caller names, or the environment variable ``MRI2MESH_WEIGHTS``: then only there;
2. the user's folder, which ``mri2mesh weights import`` fills;
3. the weights shipped with the library (``ModelWeights/`` of the source tree).

Every file is checked against the SHA-256 of its manifest before one number of it is used.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mri2mesh.errors import InputError
from mri2mesh.weights_manifest import (
    MANIFEST,
    WeightsEntry,
    check_name,
    read_manifest,
    sha256_of,
    write_atomically,
    write_manifest,
)

if TYPE_CHECKING:
    import torch

ENVIRONMENT_VARIABLE = "MRI2MESH_WEIGHTS"
SUFFIX = ".safetensors"
_HALF_TOLERANCE = 1e-3
"""Relative L2 change above which a tensor stays in single precision; rounding alone gives at most 2**-11."""


def user_folder() -> Path:
    """Where imported weights live: the platform's per-user data folder (XDG_DATA_HOME wins everywhere)."""
    if base := os.environ.get("XDG_DATA_HOME"):
        return Path(base) / "mri2mesh" / "weights"
    if sys.platform == "win32":
        return (
            Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local")) / "mri2mesh" / "weights"
        )
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "mri2mesh" / "weights"
    return Path.home() / ".local" / "share" / "mri2mesh" / "weights"


def shipped_folder() -> Path:
    """The weights that come with the library: inside the installed package, or beside it in the source tree."""
    installed = Path(__file__).resolve().parent / "model_weights"
    source_tree = Path(__file__).resolve().parents[2] / "ModelWeights"
    return installed if (installed / MANIFEST).is_file() else source_tree


def search_folders(weights_dir: str | os.PathLike[str] | None = None) -> list[Path]:
    """Folders in the order they are searched; a folder named by the caller or the environment stands alone."""
    named = weights_dir or os.environ.get(ENVIRONMENT_VARIABLE)
    if named:
        folder = Path(named)
        if not folder.is_dir():
            raise InputError(f"the weights folder {folder} does not exist")
        return [folder]
    return [user_folder(), shipped_folder()]


def list_weights(weights_dir: str | os.PathLike[str] | None = None) -> list[WeightsEntry]:
    """Every entry that `find` could return, sorted by name."""
    found: dict[str, WeightsEntry] = {}
    for folder in reversed(search_folders(weights_dir)):
        found.update(read_manifest(folder))
    return [found[name] for name in sorted(found)]


def find(name: str, weights_dir: str | os.PathLike[str] | None = None) -> WeightsEntry:
    """The manifest entry of ``name``. Raises InputError when no folder searched has it."""
    for folder in search_folders(weights_dir):
        if entry := read_manifest(folder).get(name):
            return entry
    raise InputError(
        f"no weights named {name!r}: see `mri2mesh weights list`, or add them with `mri2mesh weights import`"
    )


def read_verified(entry: WeightsEntry) -> bytes:
    """The file's bytes. Raises InputError when it is missing or its SHA-256 is not the manifest's."""
    try:
        data = entry.path.read_bytes()
    except OSError:
        raise InputError(
            f"the weights file {entry.file} is missing: install or import {entry.name!r} again"
        ) from None
    if sha256_of(data) != entry.sha256:
        raise InputError(
            f"the weights file {entry.file} is refused: its SHA-256 is not the manifest's, so it was altered or cut;"
            f" install or import {entry.name!r} again"
        )
    return data


def load_safetensors(
    name: str, device: str | torch.device = "cpu", weights_dir: str | os.PathLike[str] | None = None
) -> dict[str, torch.Tensor]:
    """State dict of the weights ``name``, half precision widened to float32, on ``device``.

    Raises InputError when the weights are missing, altered or not safetensors.
    """
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load

    data = read_verified(find(name, weights_dir))
    try:
        tensors = load(data)
    except SafetensorError:
        raise InputError(f"the weights {name!r} are not a safetensors file") from None
    return {
        key: tensor.to(device, torch.float32 if tensor.is_floating_point() else tensor.dtype)
        for key, tensor in tensors.items()
    }


def save_weights(
    name: str,
    state_dict: Mapping[str, torch.Tensor],
    *,
    folder: str | os.PathLike[str],
    licence: str,
    origin: str,
    engine: str = "",
    created_by: str = "",
    metadata: Mapping[str, Any] | None = None,
    half: bool = True,
) -> WeightsEntry:
    """Writes ``folder/name.safetensors`` and its manifest line, each in one step. Returns the entry.

    state_dict: tensors by name. metadata: JSON kept in the manifest and in the file's own header.
    half: floating tensors are stored in half precision, except those that it would change by more than rounding.
    Raises InputError when a tensor is not finite or the folder cannot be written.
    """
    from safetensors.torch import save

    check_name(name)
    tensors = {key: _stored(key, tensor, half) for key, tensor in state_dict.items()}
    header = {"metadata": json.dumps(dict(metadata or {})), "licence": licence, "origin": origin}
    data = save(tensors, metadata=header)
    entry = WeightsEntry(
        name=name,
        file=name + SUFFIX,
        sha256=sha256_of(data),
        licence=licence,
        origin=origin,
        engine=engine,
        created_by=created_by,
        metadata=dict(metadata or {}),
        folder=Path(folder),
    )
    store(entry, data)
    return entry


def delete_weights(name: str) -> None:
    """Removes imported weights; the shipped ones stay. Raises InputError when ``name`` is not an imported one."""
    entries = read_manifest(user_folder())
    entry = entries.pop(name, None)
    if entry is None:
        shipped = name in read_manifest(shipped_folder())
        reason = "came with the library and stay" if shipped else "are not there: see `mri2mesh weights list`"
        raise InputError(f"the weights {name!r} {reason}; only imported weights can be deleted")
    write_manifest(user_folder(), entries.values())
    entry.path.unlink(missing_ok=True)


def store(entry: WeightsEntry, data: bytes) -> None:
    """Writes the file and its manifest line into the entry's folder, each in one step."""
    write_atomically(entry.path, data)
    write_manifest(entry.folder, {**read_manifest(entry.folder), entry.name: entry}.values())


def _stored(key: str, tensor: torch.Tensor, half: bool) -> torch.Tensor:
    import torch

    # A fresh copy: safetensors refuses views and tensors that share memory, as tied layers do.
    tensor = tensor.detach().cpu().clone().contiguous()
    if not tensor.is_floating_point():
        return tensor
    tensor = tensor.float()
    if not torch.isfinite(tensor).all():
        raise InputError(f"the tensor {key} is not finite: the training diverged, nothing was saved")
    if not half:
        return tensor
    rounded = tensor.half()
    change = torch.linalg.vector_norm(rounded.float() - tensor)
    return rounded if change <= _HALF_TOLERANCE * torch.linalg.vector_norm(tensor) else tensor

"""Compact shape arrays in the package's data files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

DATA = Path(__file__).parent / "data"
UNIT_MM = 0.01
"""Coordinates are stored as 16-bit multiples of this: at most 0.005 mm off, up to 327 mm from the origin."""


def pack(vertices: NDArray) -> NDArray[np.int16]:
    """Millimetres to stored integers. Raises ValueError beyond the range."""
    steps = np.round(np.asarray(vertices, dtype=np.float64) / UNIT_MM)
    if np.abs(steps).max() > np.iinfo(np.int16).max:
        raise ValueError("a vertex lies more than 327 mm from the origin")
    return steps.astype(np.int16)


def unpack(stored: NDArray) -> NDArray[np.float32]:
    """Stored integers to millimetres."""
    return stored.astype(np.float32) * np.float32(UNIT_MM)


def write(name: str, attribution: list[dict[str, str]], **arrays: Any) -> Path:
    """One data file of the package, with who made what and under which licence."""
    path = DATA / f"{name}.npz"
    DATA.mkdir(exist_ok=True)
    np.savez_compressed(path, allow_pickle=False, attribution=np.array(json.dumps(attribution)), **arrays)
    return path


def read(name: str) -> dict[str, NDArray]:
    """The arrays of a data file of the package."""
    with np.load(DATA / f"{name}.npz", allow_pickle=False) as stored:
        return {key: stored[key] for key in stored.files}


def attribution(name: str) -> list[dict[str, str]]:
    """Sources of a data file: name, source, licence."""
    return json.loads(str(read(name)["attribution"]))

"""The file of a synthetic case: small, and read in well under a tenth of a second."""

from __future__ import annotations

import json
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mri2mesh.anatomy.spine_model import Canal, SpineSample
from mri2mesh.errors import InputError
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.volume import Volume

IMAGE_STEPS_PER_UNIT = 170.0
"""0 .. 1.5 in 255 steps; the noise of any scan is coarser."""

CaseParts = tuple[Volume, Volume, SpineSample, dict[str, object]]


def write_case(
    path: Path, image: Volume, tissues: Volume, spine: SpineSample, description: dict[str, object]
) -> None:
    """One uncompressed .npz; the tissue map in it is deflated, faces shared by several surfaces are kept
    once."""
    arrays: dict[str, NDArray] = {
        "image": np.rint(np.clip(image.array, 0, 1.5) * IMAGE_STEPS_PER_UNIT).astype(np.uint8),
        "tissues": np.frombuffer(zlib.compress(np.ascontiguousarray(tissues.array).tobytes(), 1), np.uint8),
        "ijk_to_ras": image.ijk_to_ras,
        "canal_centreline": spine.canal.centreline,
        "canal_radius": spine.canal.radius,
    }
    topologies: dict[bytes, str] = {}
    meshes: dict[str, dict[str, object]] = {}
    for name, mesh in spine.structures.items():
        regions = np.zeros(0, np.uint8) if mesh.regions is None else mesh.regions.astype(np.uint8)
        key = mesh.faces.tobytes() + regions.tobytes()
        if key not in topologies:
            topologies[key] = f"topology_{len(topologies)}"
            arrays[f"{topologies[key]}_faces"] = mesh.faces.astype(np.int32)
            arrays[f"{topologies[key]}_regions"] = regions
        arrays[f"vertices_{name}"] = mesh.vertices
        meshes[name] = {"topology": topologies[key]}
    frames = {name: frame.tolist() for name, frame in spine.frames.items()}
    header = {"meshes": meshes, "frames": frames, "notes": spine.notes, "description": description}
    arrays["header"] = np.frombuffer(json.dumps(header).encode(), np.uint8)
    with open(path, "wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]


def read_case(path: Path) -> CaseParts:
    """Image (float32), tissues, spine and description. Raises InputError when it is not such a file."""
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        header = json.loads(arrays["header"].tobytes())
        shape = arrays["image"].shape
        tissues = np.frombuffer(zlib.decompress(arrays["tissues"].tobytes()), np.uint8).reshape(shape)
    except Exception as error:  # NumPy and zipfile raise many kinds for damaged files
        raise InputError(f"{Path(path).name} is not a synthetic case: make it again ({error})") from error
    structures = {}
    for name, entry in header["meshes"].items():
        regions = arrays[f"{entry['topology']}_regions"]
        point_data = {"region": regions} if len(regions) else {}
        structures[name] = Mesh(arrays[f"vertices_{name}"], arrays[f"{entry['topology']}_faces"], point_data)
    frames = {name: np.array(frame) for name, frame in header["frames"].items()}
    canal = Canal(arrays["canal_centreline"], arrays["canal_radius"])
    spine = SpineSample(structures, frames, canal, header["notes"])
    matrix = arrays["ijk_to_ras"]
    image = arrays["image"].astype(np.float32) * np.float32(1 / IMAGE_STEPS_PER_UNIT)
    return Volume(image, matrix), Volume(tissues, matrix), spine, header["description"]

"""What a report says of its input: geometry, origins and a fingerprint, never a path or whose it is."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mri2mesh.geometry.volume import Volume
from mri2mesh.imaging.radiographs.radiograph import Radiograph
from mri2mesh.imaging.radiographs.recognise import describe_radiograph
from mri2mesh.imaging.radiographs.xray_geometry import WORDS, XrayGeometry

Image = Volume | Sequence[Radiograph]
"""What a reconstruction was made from."""


def scale_known(image: Image) -> bool:
    """False where a millimetre of the result means nothing."""
    return isinstance(image, Volume) or all(one.scale_known for one in image)


def describe_input(
    image: Image, given: Mapping[str, Any], views: Sequence[Mapping[str, Any]] = ()
) -> dict[str, Any]:
    """Plain JSON types. given: a ``sha256`` of the file, where one is known. views: per radiograph ``agreement`` and
    ``surface_to_view``."""
    if not isinstance(image, Volume):
        pairs = zip(image, views or [{}] * len(image), strict=True)
        return {"views": [_radiograph(one, view) for one, view in pairs]}
    digest, of = given.get("sha256"), "file"
    if digest is None:
        content = hashlib.sha256(np.ascontiguousarray(image.array).tobytes())
        content.update(image.ijk_to_ras.tobytes())
        digest, of = content.hexdigest(), "voxels and geometry"
    thickness = image.slice_thickness_mm
    return {
        "modality": image.metadata.get("modality"),
        "kind": image.metadata.get("kind"),
        "size": list(image.array.shape[::-1]),
        "spacing_mm": [round(float(s), 4) for s in image.spacing],
        "slice_thickness_mm": None if thickness is None else round(float(thickness), 4),
        "sha256": str(digest),
        "sha256_of": of,
    }


def describe_view(geometry: XrayGeometry, surface_to_view: NDArray | None) -> dict[str, Any]:
    """Plain JSON types. surface_to_view: [4, 4] that moves the surfaces to where this geometry shows them; None where
    nothing was corrected."""
    values = {}
    for name in WORDS:
        known = getattr(geometry, name)
        value = list(known.value) if isinstance(known.value, tuple) else known.value
        values[name] = {"value": value, "origin": known.origin}
    move = None if surface_to_view is None else np.round(surface_to_view, 6).tolist()
    return {"geometry": values, "surface_to_view": move}


def _radiograph(one: Radiograph, view: Mapping[str, Any]) -> dict[str, Any]:
    agreement = view.get("agreement")
    return {
        "recognised": describe_radiograph(one),
        **describe_view(one.geometry, view.get("surface_to_view")),
        "scale_known": one.scale_known,
        "masked_fraction": round(1 - float(one.mask.mean()), 4),
        "agreement": None if agreement is None else round(float(agreement), 4),
        "sha256": hashlib.sha256(np.ascontiguousarray(one.pixels).tobytes()).hexdigest(),
        "sha256_of": "pixels",
    }

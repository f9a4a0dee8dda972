"""What of radiographs was not known and had to be assumed, in sentences for the user."""

from __future__ import annotations

from collections.abc import Sequence

from mri2mesh.imaging.radiographs.radiograph import Radiograph
from mri2mesh.imaging.radiographs.xray_geometry import WORDS


def assumptions_of(radiographs: Sequence[Radiograph]) -> list[str]:
    """What the reader of each image had to assume, the values of the geometry that are only assumed, and the scale."""
    found = []
    for number, one in enumerate(radiographs, 1):
        which = f"image {number}: " if len(radiographs) > 1 else ""
        found += [which + note for note in one.warnings]
        if not one.scale_known:
            found.append(
                f"{which}scale unknown: the pixel spacing is only assumed, and no millimetre of the result is certain"
            )
        assumed = [
            WORDS[name]
            for name, origin in one.geometry.origins.items()
            if origin == "default" and name not in ("pixel_spacing_mm", "seen_from", "image_rotation_deg")
        ]
        if assumed:
            found.append(f"{which}assumed, not known: {', '.join(assumed)}")
    return list(dict.fromkeys(found))

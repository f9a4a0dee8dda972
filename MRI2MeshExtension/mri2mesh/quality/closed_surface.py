"""Is each surface a solid: closed, its faces looking outwards, and nowhere through itself?"""

from __future__ import annotations

from mri2mesh.geometry.checks import is_watertight, self_intersections, volume_mm3
from mri2mesh.reconstruction import Check, ReconstructedStructure

OPEN = -1.0
INSIDE_OUT = -2.0


def closed_surface(item: ReconstructedStructure) -> Check:
    """The check's value is the number of pairs of faces that meet, or `OPEN` or `INSIDE_OUT`; 0 is right."""
    if not is_watertight(item.mesh):
        value, detail = OPEN, "the surface is not closed"
    elif volume_mm3(item.mesh) <= 0:
        value, detail = INSIDE_OUT, "the surface is inside out: its faces look inwards, as after mirroring"
    else:
        value = float(self_intersections(item.mesh))
        detail = (
            f"the surface meets itself in {value:.0f} places"
            if value
            else "closed, without self-intersections"
        )
    return Check("closed surface", value, 0.0, value == 0, detail, item.name)

"""Do neighbouring surfaces keep apart?"""

from __future__ import annotations

from collections.abc import Mapping

from mri2mesh.geometry.checks import area_mm2
from mri2mesh.geometry.interpenetration import penetration_depth
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.reconstruction import Check

MAX_PENETRATION_MM = 0.5


def neighbours_apart(
    first: str, second: str, meshes: Mapping[str, Mesh], most_mm: float = MAX_PENETRATION_MM
) -> Check:
    """Of two closed surfaces by name; the check's value is how deep, in mm, one reaches into the other. most_mm: how
    deep it may, where each is placed no more surely than that."""
    found = penetration_depth(meshes[first], meshes[second], spacing_mm=1.0, n_samples=500)
    # Where two surfaces coincide no point of one is inside the other, but what they hold in common is not thin.
    thickness = found.overlap_mm3 / min(area_mm2(meshes[first]), area_mm2(meshes[second]))
    depth = max(found.depth_mm, thickness)
    detail = f"{first} and {second} overlap by {depth:.1f} mm at most"
    return Check("neighbours apart", depth, most_mm, depth <= most_mm, detail, f"{first}, {second}")

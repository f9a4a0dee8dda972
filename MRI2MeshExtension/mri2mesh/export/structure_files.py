"""The surface files of a reconstruction, with all that is known of each vertex."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mri2mesh.export.surfaces import write_surface
from mri2mesh.reconstruction import Reconstruction


def write_surfaces(
    reconstruction: Reconstruction, folder: Path, formats: Sequence[str]
) -> dict[str, list[str]]:
    """Write ``<structure>.<format>`` with region, uncertainty_mm and support; structure -> names of its files."""
    files: dict[str, list[str]] = {}
    for item in reconstruction.structures:
        mesh = item.mesh.with_point_data(uncertainty_mm=item.uncertainty_mm, support=item.support)
        files[item.name] = [
            write_surface(mesh, folder / f"{item.name}.{extension}").name
            for extension in dict.fromkeys(formats)
        ]
    return files

"""Rebuild the package's anatomy data: ``python -m building.build_anatomy --data ../shared/data/training``.

Writes ``templates.npz``, ``vertebrae.npz`` and ``pelves.npz`` into ``mri2mesh/anatomy/data``. Minutes on one core.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from building.anatomy.disc import build_disc_template
from building.anatomy.family import LIMITED, fit_family, typical_sizes
from building.anatomy.pelvis import build_pelvis_family
from building.anatomy.sacrum import SacrumTemplate, build_sacrum_template
from building.anatomy.sources import LICENCES, vertebra_sources
from building.anatomy.template import VertebraTemplate, build_vertebra_template
from mri2mesh.anatomy import storage
from mri2mesh.anatomy.measures import body_size

PARTS = ("templates", "vertebrae", "pelves")


def attribution(*folders: str) -> list[dict[str, str]]:
    """Name, source and licence of the folders of the training data something was made from."""
    return [{"name": folder, **LICENCES[folder]} for folder in folders]


def write_templates(vertebra: VertebraTemplate, sacrum: SacrumTemplate, data: Path) -> Path:
    """``templates.npz``: vertebra, disc and S1 body."""
    arrays = {}
    for kind, mesh in (
        ("vertebra", vertebra.mesh),
        ("disc", build_disc_template(data)),
        ("sacrum", sacrum.body),
    ):
        arrays[f"{kind}_vertices"] = storage.pack(mesh.vertices)
        arrays[f"{kind}_faces"] = mesh.faces.astype(np.uint16)
        arrays[f"{kind}_regions"] = np.asarray(mesh.regions, np.uint8)
    return storage.write("templates", attribution("lumbar_mean", "visible_human_male"), **arrays)


def write_vertebrae(template: VertebraTemplate, data: Path) -> Path:
    """``vertebrae.npz``: every source in template topology."""
    fits = fit_family(vertebra_sources(data))
    folders = sorted({fit.source.folder for fit in fits})
    return storage.write(
        "vertebrae",
        attribution(*folders),
        vertices=storage.pack(np.stack([fit.mesh.vertices for fit in fits])),
        levels=np.array([fit.source.level for fit in fits]),
        names=np.array([fit.source.name for fit in fits]),
        folders=np.array([fit.source.folder for fit in fits]),
        assd_mm=np.array([fit.assd_mm for fit in fits], np.float32),
        frequency=np.array([LIMITED.get(fit.source.name, 1.0) for fit in fits], np.float32),
        sizes=np.array([body_size(fit.mesh) for fit in fits], np.float32),
        typical_sizes=typical_sizes(fits).astype(np.float32),
        faces=template.mesh.faces.astype(np.uint16),
        regions=np.asarray(template.mesh.regions, np.uint8),
        mirror=template.mirror.astype(np.uint16),
    )


def write_pelves(template: SacrumTemplate, data: Path) -> Path:
    """``pelves.npz``: sacrum, S1 body and hips of the atlas subjects, in the frame of S1."""
    family = build_pelvis_family(data, template)
    arrays = {"subjects": np.array(family.subjects)}
    for bone, vertices in family.vertices.items():
        arrays[f"{bone}_vertices"] = storage.pack(vertices)
        arrays[f"{bone}_faces"] = family.faces[bone].astype(np.uint16)
    arrays["s1_regions"] = np.asarray(template.body.regions, np.uint8)
    arrays["sacrum_mirror"] = template.sacrum_mirror.astype(np.uint16)
    arrays["s1_mirror"] = template.body_mirror.astype(np.uint16)
    return storage.write("pelves", attribution("pelvis_atlas", "visible_human_male"), **arrays)


def main() -> None:
    """Build the parts asked for; say where they went and how large they are."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="the training data folder")
    parser.add_argument("--only", choices=PARTS, action="append", help="build only this part (repeatable)")
    options = parser.parse_args()
    parts = options.only or PARTS
    vertebra, sacrum = build_vertebra_template(options.data), build_sacrum_template(options.data)
    if "templates" in parts:
        _say(write_templates(vertebra, sacrum, options.data))
    if "vertebrae" in parts:
        _say(write_vertebrae(vertebra, options.data))
    if "pelves" in parts:
        _say(write_pelves(sacrum, options.data))


def _say(path: Path) -> None:
    print(f"{path.name}: {path.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()

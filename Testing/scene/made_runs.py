"""Folders of runs as the command line writes them, of lopsided solids in the places of bones."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from geometry.solids import hand
from mri2mesh.anatomy.structures import STRUCTURES
from mri2mesh.export.results import write_results
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.volume import Volume
from mri2mesh.imaging.radiographs.radiograph import Radiograph
from mri2mesh.imaging.radiographs.xray_geometry import assumed_geometry
from mri2mesh.reconstruction import Check, LevelCount, ReconstructedStructure, Reconstruction, level_check

SPINE = ("T12", "T12-L1", "L1")
MOVE = [[1.0, 0.0, 0.0, 3.0], [0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, -2.0], [0.0, 0.0, 0.0, 1.0]]


def lump(centre: tuple[float, float, float]) -> Mesh:
    """The hand, standing at ``centre``."""
    mesh = hand()
    return mesh.with_vertices(mesh.vertices - mesh.vertices.mean(axis=0) + np.float32(centre))


def structure(name: str, centre: tuple[float, float, float], **arrays: float) -> ReconstructedStructure:
    """A lump whose uncertainty and support rise from left to right."""
    mesh = lump(centre)
    rising = np.linspace(0, 1, len(mesh.vertices), dtype=np.float32)[
        np.argsort(np.argsort(mesh.vertices[:, 0]))
    ]
    mesh = mesh.with_point_data(**{key: value * rising for key, value in arrays.items()})
    return ReconstructedStructure(STRUCTURES[name], mesh, 0.5 + 1.5 * rising, rising)


GUESS = LevelCount(
    "none",
    "The names of the levels are a guess: L1 60%, L2 40%.",
    "L1",
    {"L1": 0.6, "L2": 0.4},
    "Name one vertebra: --level L1@20.0,-30.0,10.0 says which.",
)


def spine_run(folder: Path, levels: LevelCount | None = None) -> Path:
    """T12, its disc and L1, off the origin; one check failed, one on the whole run, one warning.

    levels: how they came by their names, with its check."""
    places = {name: (20.0, -30.0, 60.0 - 25 * step) for step, name in enumerate(SPINE)}
    reconstruction = Reconstruction(
        engine="mri2mesh",
        structures=[structure(name, place) for name, place in places.items()],
        checks=[
            Check("closed surface", 0, 0, True, "closed, without self-intersections", "T12"),
            Check("field of view", 0.4, 0.65, False, "40% of the disc is within the image", "T12-L1"),
            Check("levels in order", 1, 1, True, "from head to foot"),
            *([] if levels is None else [level_check(levels)]),
        ],
        warnings=["the sacrum was not found in the image"],
        levels=levels,
    )
    array = np.random.default_rng(0).normal(100, 10, (8, 40, 30)).astype(np.float32)
    write_results(reconstruction, Volume(array, np.diag([2.0, 2.0, 8.0, 1.0])), folder)
    return folder


def femur_from_two_views(folder: Path) -> Path:
    """A left femur with uncertainty along and across the beam, of images of unknown scale; it can be continued."""
    radiographs = []
    for primary in (180.0, 90.0):
        pixels = np.random.default_rng(1).random((48, 40), dtype=np.float32)
        geometry = assumed_geometry((48, 40)).with_values("user", primary_angle_deg=primary)
        radiographs.append(Radiograph(pixels, geometry, "display"))
    femur = structure(
        "femur_left", (5.0, 10.0, 15.0), uncertainty_along_beam_mm=4.0, uncertainty_across_mm=1.0
    )
    reconstruction = Reconstruction(
        engine="xray-fit",
        structures=[femur],
        checks=[Check("agreement with the image", 0.93, 0.6, True, "image 1 agrees", "image 1")],
        provenance={
            "views": [{"agreement": 0.93, "surface_to_view": MOVE}, {"agreement": 0.9}],
            "settings": {"anatomy": "femur_left"},
            "fit": {"position": [0.0, 0.0, 0.0]},
        },
    )
    write_results(reconstruction, radiographs, folder)
    return folder

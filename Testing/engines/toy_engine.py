"""The smallest engine: a ball in the middle of a volume. It lives in the tests alone, and all of it is in this file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mri2mesh.engines.declaration import Engine
from mri2mesh.engines.kinds import VOLUME
from mri2mesh.engines.options import Choice, File, Number

ENGINE = Engine(
    name="toy",
    title="Toy: a ball in a volume",
    sentence="Puts a ball into the middle of the image.",
    takes=VOLUME,
    reconstruct="engines.toy_engine:reconstruct",
    options=(
        Number("radius", label="Radius", help="of the ball", unit="mm", least=1, most=20, default=5.0),
        Choice(
            "which",
            label="Which",
            help="name of the ball",
            choices={"L3": "third", "L4": "fourth"},
            required=True,
        ),
        File(
            "notes",
            flag="note",
            label="Note",
            help="text to be repeated in the warnings",
            placeholder="note.txt",
            endings=(".txt",),
            per_image=True,
            beside=".note.txt",
            read="engines.toy_engine:read_notes",
        ),
    ),
)


def read_notes(paths: Sequence[Path | None], inputs: Any) -> list[str | None]:
    return [None if path is None else path.read_text(encoding="utf-8") for path in paths]


def reconstruct(
    volume: Any,
    *,
    which: str,
    radius: float = 5.0,
    notes: Sequence[str | None] = (),
    device: str = "auto",
    progress: Any = None,
    cache: Any = None,
) -> Any:
    from trimesh.creation import icosphere

    from mri2mesh.anatomy.structures import STRUCTURES
    from mri2mesh.engines.stages import Stages
    from mri2mesh.geometry.mesh import Mesh
    from mri2mesh.reconstruction import ReconstructedStructure, Reconstruction

    stages = Stages({"inflate": 1.0}, progress)
    with stages.stage("inflate"):
        ball = icosphere(subdivisions=2, radius=radius)
        middle = volume.ras_from_ijk((np.array(volume.array.shape[::-1]) - 1) / 2)
        mesh = Mesh(ball.vertices + middle, ball.faces)
        ones = np.ones(len(mesh.vertices), np.float32)
    stages.done()
    return Reconstruction(
        engine="toy",
        structures=[ReconstructedStructure(STRUCTURES[which], mesh, ones, ones)],
        warnings=[note for note in notes if note],
        timings_s=stages.seconds,
    )

"""What the engine MRI2Mesh takes, and what can be asked of it."""

from __future__ import annotations

from mri2mesh.engines.declaration import Engine
from mri2mesh.engines.kinds import VOLUME
from mri2mesh.engines.options import File, Number

ENGINE = Engine(
    name="mri2mesh",
    title="MRI2Mesh: lumbar spine from one MRI",
    sentence="Finds the vertebrae and discs and deforms template surfaces onto them.",
    takes=VOLUME,
    is_default=True,
    levels=True,
    minutes_hint=0.5,
    reconstruct="mri2mesh.engines.mri2mesh.engine:reconstruct",
    weights=("mri2mesh_localiser", "mri2mesh_surfaces"),
    options=(
        Number(
            "level_shift",
            label="Shift the levels by",
            help="correct the levels by N: 1 calls what was found as L4 L3, -1 calls it L5 (a body that would lie "
            "below L5 is left out)",
            whole=True,
            least=-6,
            most=6,
            default=0,
        ),
        File(
            "weights_dir",
            flag="weights",
            help="folder of weights to use instead of the shipped",
            placeholder="DIR",
            folder=True,
        ),
    ),
)

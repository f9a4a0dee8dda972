"""What the engine MRI2Mesh takes, and what can be asked of it."""

from __future__ import annotations

from mri2mesh.engines.declaration import Engine
from mri2mesh.engines.kinds import VOLUME
from mri2mesh.engines.options import WEIGHTS, Level, Number

ENGINE = Engine(
    name="mri2mesh",
    title="MRI2Mesh: lumbar spine from one MRI",
    sentence="Finds the vertebrae and discs and deforms template surfaces onto them.",
    takes=VOLUME,
    is_default=True,
    levels=True,
    minutes_hint=0.5,
    reconstruct="mri2mesh.engines.mri2mesh.engine:reconstruct",
    input_warnings="mri2mesh.engines.mri2mesh.quality.modality:modality_warnings",
    weights=("mri2mesh_localiser", "mri2mesh_surfaces", "mri2mesh_profiles"),
    options=(
        Level(
            "level",
            label="Counted from",
            help="name one vertebra, and so all: a level (T7 to S1), and a point in its body, mm RAS as in 3D Slicer's "
            "Markups (L3@lps:x,y,z for LPS, L3@ijk:i,j,k for voxels from 0); for images that do not show the sacrum",
            placeholder="L3@x,y,z",
            in_batch=False,
            excludes=("level_shift",),
        ),
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
        WEIGHTS,
    ),
)

"""CalculiX solves what we write, and finds the stiffness of a bar that any textbook gives."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mri2mesh.export.finite_elements.assembly import alone
from mri2mesh.export.finite_elements.build import build_volume
from mri2mesh.export.finite_elements.materials import Material
from mri2mesh.export.finite_elements.surfaces import ready_surface
from mri2mesh.export.formats.inp import write_inp
from mri2mesh.geometry.mesh import Mesh

pytest.importorskip("netgen", reason='needs netgen: pip install "mri2mesh[finite-elements]"')
CCX = shutil.which("ccx")
needs_ccx = pytest.mark.skipif(CCX is None, reason="needs CalculiX: apt-get install calculix-ccx")

SIDE_MM, YOUNG_MPA, PRESSED_MM = 12.0, 500.0, 0.01
STEP = f"""*INCLUDE, INPUT=box.inp
*STEP
*STATIC
*BOUNDARY
N_BOX_BOTTOM, 3, 3
N_BOX_TOP, 3, 3, -{PRESSED_MM}
N_BOX_EDGE, 1, 1
N_BOX_SIDE, 2, 2
*NODE PRINT, NSET=N_BOX_TOP, TOTALS=ONLY
RF
*NODE PRINT, NSET=N_BOX_BOTTOM, TOTALS=ONLY
RF
*END STEP
"""


@needs_ccx
@pytest.mark.parametrize("quadratic", [False, True])
def test_a_bar_is_as_stiff_as_young_times_area_over_length(
    box: Mesh, quadratic: bool, tmp_path: Path
) -> None:
    ready = ready_surface("box", box, 3.0)
    mesh, _ = build_volume(alone("box", "unknown", ready.mesh, ready.zones), "netgen", 3.0, quadratic, False)
    triangles = mesh.surfaces["BOX_SURFACE"]
    place = mesh.nodes[triangles]
    low = mesh.nodes.min(axis=0)
    on = lambda axis, value: triangles[np.isclose(place[..., axis], value, atol=1e-4).all(axis=1)]  # noqa: E731
    sets = {
        "BOX_BOTTOM": on(2, low[2]),
        "BOX_TOP": on(2, low[2] + SIDE_MM),
        "BOX_EDGE": on(0, low[0]),
        "BOX_SIDE": on(1, low[1]),
    }
    mesh = replace(mesh, surfaces=sets)
    write_inp(mesh, tmp_path / "box.inp", "RAS", {"BOX_ALL": Material("BONE", YOUNG_MPA, 0.3)})
    (tmp_path / "press.inp").write_text(STEP)
    done = subprocess.run([str(CCX), "press"], cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert "*ERROR" not in done.stdout
    top, bottom = [
        float(row.split()[2])
        for row in re.findall(r"total force.*\n\n(.*)\n", (tmp_path / "press.dat").read_text())
    ]
    assert -top / PRESSED_MM == pytest.approx(YOUNG_MPA * SIDE_MM**2 / SIDE_MM, rel=1e-3)
    assert top + bottom == pytest.approx(0, abs=1e-3 * abs(top))

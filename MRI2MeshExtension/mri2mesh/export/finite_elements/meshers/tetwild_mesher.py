"""pytetwild (MPL-2.0): fills one domain whatever its surface is like, and moves that a little.

It runs in a process of its own, in an empty folder: it leaves a file where it runs, and may end the process.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from mri2mesh.export.finite_elements.meshers.boundary import Boundary, Filled, MesherRefused, one_domain

_PROGRAM = """
import numpy, pytetwild
given = numpy.load("given.npz")
nodes, tetrahedra = pytetwild.tetrahedralize(
    given["points"], given["faces"], edge_length_abs=float(given["length"]), epsilon=float(given["envelope"]),
    simplify=False, num_threads=1, vtk_ordering=True)
numpy.savez("made.npz", nodes=nodes, tetrahedra=tetrahedra)
"""


def fill_with_tetwild(boundary: Boundary, edge_length_mm: float) -> Filled:
    if importlib.util.find_spec("pytetwild") is None:
        raise ModuleNotFoundError("pytetwild")
    one_domain(boundary, "tetwild")
    size = float(np.linalg.norm(np.ptp(boundary.points, axis=0)))
    with tempfile.TemporaryDirectory(prefix="mri2mesh-") as name:
        folder = Path(name)
        np.savez(
            folder / "given.npz",
            points=boundary.points,
            faces=boundary.faces.astype(np.int32),
            length=edge_length_mm,
            envelope=0.1 * edge_length_mm / size,
        )
        subprocess.run([sys.executable, "-c", _PROGRAM], cwd=folder, capture_output=True, check=False)
        if not (folder / "made.npz").is_file():
            raise MesherRefused("it gave up")
        with np.load(folder / "made.npz") as made:
            nodes, tetrahedra = made["nodes"].astype(np.float64), made["tetrahedra"].astype(np.int64)
    if not len(tetrahedra):
        raise MesherRefused("it made no elements")
    return Filled(nodes, tetrahedra, np.ones(len(tetrahedra), np.int64), "tetwild", False)

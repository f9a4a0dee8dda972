"""First use: compiled once, reported to the user, kept where it may be written."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mri2mesh.rendering.backends import available
from mri2mesh.rendering.prepare import prepare

needs_numba = pytest.mark.skipif("numba" not in available(), reason="numba is not installed")
needs_warp = pytest.mark.skipif("warp" not in available(), reason="warp is not installed")

COUNT_HITS = """
from mri2mesh.rendering.prepare import prepare
prepare()
from mri2mesh.rendering.compiled import drr, faces, hard, soft, thickness
kernels = (faces.face_rows, faces.to_vertices, hard.forward, soft.forward, soft.adjoint)
kernels += (thickness.forward, thickness.adjoint, thickness.tangents)
kernels += (drr.siddon, drr.siddon_adjoint, drr.trilinear, drr.trilinear_adjoint)
print(sum(sum(kernel.stats.cache_hits.values()) for kernel in kernels), len(kernels))
"""


@needs_numba
def test_what_is_compiled_is_reported_up_to_the_end():
    reported = []
    prepare(lambda message, done: reported.append((message, done)))
    shares = [done for _, done in reported]
    assert shares == sorted(shares) and shares[0] == 0.0 and shares[-1] == 1.0
    assert all("renderer" in message for message, _ in reported)


@needs_numba
def test_compiled_kernels_are_kept_in_the_named_folder_and_read_from_it(tmp_path: Path, repository: Path):
    environment = {
        **os.environ,
        "NUMBA_CACHE_DIR": str(tmp_path),
        "PYTHONPATH": str(repository / "MRI2MeshExtension"),
    }
    runs = [
        subprocess.run(
            [sys.executable, "-c", COUNT_HITS], env=environment, capture_output=True, text=True, check=True
        )
        for _ in range(2)
    ]
    assert list(tmp_path.rglob("*.nbi"))
    hits, kernels = map(int, runs[1].stdout.split())
    assert hits == kernels


@needs_warp
def test_gpu_kernels_are_kept_in_the_named_folder_and_nothing_is_printed(tmp_path: Path, repository: Path):
    code = "from mri2mesh.rendering.prepare import prepare; prepare(backend='warp')"
    folders = [str(repository / "MRI2MeshExtension"), os.environ.get("PYTHONPATH", "")]
    environment = {
        **os.environ,
        "WARP_CACHE_PATH": str(tmp_path),
        "PYTHONPATH": os.pathsep.join(folders),
    }
    written = []
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
        )
        assert done.stdout == ""
        written.append({path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.o")})
    assert len(written[0]) >= 4  # thickness, soft images, depth, line integrals
    assert written[1] == written[0]


@pytest.mark.parametrize("package", ["numba", "warp"])
def test_nothing_is_compiled_at_import(package):
    code = (
        "import sys, mri2mesh.rendering.soft, mri2mesh.rendering.thickness, mri2mesh.rendering.prepare\n"
        f"print({package!r} in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_without_the_compiled_back_end_the_images_come_from_plain_torch():
    code = """
import sys
from importlib import util
find = util.find_spec
util.find_spec = lambda name, *rest: None if name in ("numba", "warp") else find(name, *rest)
import torch
from mri2mesh.rendering import backends
backends.find_spec = util.find_spec
from mri2mesh.rendering.prepare import FACES, TETRAHEDRON, prepare
from mri2mesh.rendering.cameras import OrthographicCameras, axis_views
from mri2mesh.rendering.surfaces import ClosedSurfaces
from mri2mesh.rendering.thickness import ray_thickness
prepare()
cameras = OrthographicCameras(axis_views()[:1], torch.zeros(3), 1.0, (16, 16))
image = ray_thickness(TETRAHEDRON[None], ClosedSurfaces.of(FACES, 4), cameras)
print(float(image.max()) > 3, "numba" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True False"

"""Pixels by what pydicom 2 has, which Slicer 5.10 brings; pydicom 3 still has it too."""

from __future__ import annotations

import subprocess
import sys

import numpy as np

from mri2mesh.imaging.dicom.pixels import decode
from mri2mesh.samples import PELVIS_FRONT


def test_the_way_of_pydicom_2_gives_the_same_pixels(tmp_path, repository):
    script = (
        "import sys, numpy, pydicom\n"
        "pydicom.__version__ = '2.4.4'\n"
        "from mri2mesh.imaging.dicom.pixels import decode\n"
        "from mri2mesh.samples import PELVIS_FRONT\n"
        "numpy.save(sys.argv[1], decode(PELVIS_FRONT, 0))\n"
    )
    command = [sys.executable, "-W", "ignore", "-c", script, str(tmp_path / "pixels.npy")]
    environment = {"PYTHONPATH": str(repository / "MRI2MeshExtension")}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    np.testing.assert_array_equal(np.load(tmp_path / "pixels.npy"), decode(PELVIS_FRONT, 0))

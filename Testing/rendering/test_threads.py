"""The renderer takes the user's number of threads and changes nobody else's."""

from __future__ import annotations

import os
import subprocess
import sys

_COUNTS = """
import torch
before = torch.get_num_threads()
import mri2mesh.rendering.compiled.backend as backend
backend._threads()
print(before, torch.get_num_threads())
"""


def test_loading_the_compiled_renderer_leaves_the_number_of_threads_alone():
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    found = subprocess.run(
        [sys.executable, "-c", _COUNTS], env=environment, capture_output=True, text=True, check=True
    )
    assert found.stdout.split() == ["1", "1"]

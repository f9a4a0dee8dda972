"""Every back-end that is installed renders every scene."""

from functools import partial

import pytest

from mri2mesh.rendering.backends import MODULES, available
from mri2mesh.rendering.soft import render_soft


@pytest.fixture(params=list(MODULES))
def backend(request) -> str:
    if request.param not in available():
        pytest.skip(f"the back-end {request.param} is not installed")
    return request.param


@pytest.fixture(params=[name for name in MODULES if name != "torch"])
def kernels(request) -> str:
    """A back-end that has kernels of its own, to be compared with plain torch."""
    if request.param not in available():
        pytest.skip(f"the back-end {request.param} is not installed")
    return request.param


@pytest.fixture
def render(backend):
    """`render_soft` by one back-end."""
    return partial(render_soft, backend=backend)

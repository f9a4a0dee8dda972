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


@pytest.fixture
def render(backend):
    """`render_soft` by one back-end."""
    return partial(render_soft, backend=backend)

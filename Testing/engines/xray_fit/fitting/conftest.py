"""The family of shapes that these tests fit."""

from __future__ import annotations

import pytest

from engines.xray_fit.fitting.lumps import lumps
from mri2mesh.engines.xray_fit.fitting.family import SurfaceFamily


@pytest.fixture(scope="session")
def family() -> SurfaceFamily:
    return SurfaceFamily(lumps())

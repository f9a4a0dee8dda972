"""One painted spine for all tests of the checks: they change its surfaces, not its image."""

import pytest

from engines.mri2mesh.quality.painted_spine import PaintedSpine, paint


@pytest.fixture(scope="session")
def spine() -> PaintedSpine:
    return paint()

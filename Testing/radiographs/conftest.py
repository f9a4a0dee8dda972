"""A fresh MRML scene behind ``import slicer`` for every test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

pytest.importorskip("slicer_core", reason="needs the extra 'scene': real MRML")

from host import mrml


@pytest.fixture
def slicer() -> Iterator[mrml.SlicerModule]:
    yield mrml.install()


# Imported by other modules of these tests, which need ``slicer`` from the start.
mrml.install()

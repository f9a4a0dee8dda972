"""The test that Slicer itself runs (`MRI2MeshTest`) says what it found, also where it could not look."""

from __future__ import annotations

import importlib
from types import SimpleNamespace

import pytest


def test_missing_packages_fail_the_self_test(panel, slicer, load_volume, monkeypatch):
    from mri2mesh_slicer.installation import requirements

    monkeypatch.setattr(requirements, "missing", lambda *_also: [requirements.TORCH])
    monkeypatch.setattr(slicer.util, "loadVolume", lambda path: load_volume(), raising=False)
    monkeypatch.setattr(slicer.util, "selectModule", lambda name: None, raising=False)
    here = SimpleNamespace(self=lambda: panel)
    monkeypatch.setattr(slicer.modules.mri2mesh, "widgetRepresentation", lambda: here, raising=False)
    test = importlib.import_module("MRI2Mesh").MRI2MeshTest()
    with pytest.raises(AssertionError, match="packages are missing: torch"):
        test.runTest()

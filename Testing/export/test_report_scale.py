"""Where the scale is unknown no millimetre is shown as if it meant something."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mri2mesh.export.report import make_report
from mri2mesh.export.report_html import report_html
from mri2mesh.export.results import write_results
from mri2mesh.imaging.radiographs.radiograph import Radiograph
from mri2mesh.imaging.radiographs.xray_geometry import Origin, XrayGeometry, assumed_geometry
from mri2mesh.reconstruction import Reconstruction

LENGTHS = ("volume_mm3", "area_mm2", "uncertainty_mean_mm", "uncertainty_p95_mm")
SIZE = (60, 80)


def film(spacing: Origin) -> Radiograph:
    geometry: XrayGeometry = assumed_geometry(SIZE).with_values(spacing, pixel_spacing_mm=(2.0, 2.0))
    pixels = np.random.default_rng(0).normal(1, 0.1, SIZE).astype(np.float32)
    metadata = {"calibration": "wire of 2.5 mm, 8.0 pixels across"} if spacing == "calibrated" else {}
    return Radiograph(pixels, geometry, "logarithmic", metadata=metadata)


@pytest.mark.parametrize("spacing", ["tag", "user", "calibrated"])
def test_a_known_scale_gives_sizes(spine: Reconstruction, spacing: Origin) -> None:
    report = make_report(spine, [film(spacing)])
    assert report["scale_known"]
    assert all(item[name] is not None for item in report["structures"] for name in LENGTHS)
    assert "cale unknown" not in report_html(report, {})


def test_an_unknown_scale_gives_none_and_says_so(spine: Reconstruction) -> None:
    report = make_report(spine, [film("tag"), film("default")])
    assert report["scale_known"] is False
    assert all(item[name] is None for item in report["structures"] for name in LENGTHS)
    page = report_html(report, {})
    assert "Scale unknown: the pixel spacing is only assumed." in page
    assert "pixels of 2.000 mm at the detector, from tags" in page and "assumed, scale unknown" in page


def test_how_the_scale_was_measured_is_said(spine: Reconstruction) -> None:
    (view,) = make_report(spine, [film("calibrated")])["input"]["views"]
    assert view["geometry"]["pixel_spacing_mm"] == {"value": [2.0, 2.0], "origin": "calibrated"}
    assert "calibrated (wire of 2.5 mm, 8.0 pixels across)" in view["recognised"]


def test_the_picture_has_a_scale_bar_only_where_there_is_a_scale(
    spine: Reconstruction, tmp_path: Path
) -> None:
    for spacing in ("tag", "default"):
        write_results(spine, [film(spacing)], tmp_path / spacing)
    known, unknown = ((tmp_path / spacing / "view_3d.png").read_bytes() for spacing in ("tag", "default"))
    assert known != unknown

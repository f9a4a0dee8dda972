"""Measures in report.json and in the CSV, where they were taken in the patient's LPS."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from measures import blocks
from mri2mesh.commands.measure_tables import with_tables
from mri2mesh.export.measure_files import COLUMNS, describe_measure, write_measures_csv
from mri2mesh.export.report import make_report
from mri2mesh.geometry.volume import Volume
from mri2mesh.measures.stage import measure


@pytest.fixture(scope="module")
def rows() -> list[dict]:
    """A vertebra 100 mm to the patient's right and 200 mm in front."""
    mesh = blocks.moved(blocks.vertebra(), blocks.Rotation.identity(), (100, 200, 300))
    disc = blocks.block((40, 30, 8), (100, 200, 280))
    return [describe_measure(one) for one in measure(blocks.reconstruction({"L3": mesh, "L3-L4": disc}))]


def test_the_csv_says_what_the_report_says(rows, tmp_path):
    path = write_measures_csv(rows, tmp_path / "measures.csv")
    with path.open(newline="", encoding="utf-8") as file:
        read = list(csv.DictReader(file))
    assert tuple(read[0]) == COLUMNS and len(read) == len(rows)
    for text, row in zip(read, rows, strict=True):
        assert (text["place"], text["key"], text["unit"]) == (row["place"], row["key"], row["unit"])
        assert text["side"] == (row["side"] or "")
        assert text["value"] == ("" if row["value"] is None else str(row["value"]))
        assert (text["missing"] == "") == (row["value"] is not None)


def test_lines_are_in_lps(rows):
    (height,) = (row for row in rows if row["key"] == "body_height_middle")
    ((low, high),) = height["lines_lps_mm"]
    np.testing.assert_allclose(low[:2], [-100, -200], atol=0.2)
    assert high[2] - low[2] == pytest.approx(height["value"], abs=0.01) and low[2] < 300 < high[2]


def test_the_report_has_the_same_measures_as_python(rows):
    made = blocks.reconstruction({"L3": blocks.vertebra()})
    image = Volume(np.zeros((4, 5, 6), np.float32), np.eye(4))
    report = json.loads(json.dumps(make_report(made, image)))
    assert report["measures"] == [describe_measure(one) for one in measure(made)]


def test_the_page_of_definitions_is_up_to_date(repository: Path):
    text = (repository / "Docs" / "measures.md").read_text(encoding="utf-8")
    assert with_tables(text) == text, "run `make tables`"

"""The report says what was made, what was checked and from what, and nothing of the patient."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from mri2mesh.export.report import make_report, write_report_json
from mri2mesh.export.report_html import report_html, summary
from mri2mesh.geometry.volume import Volume
from mri2mesh.reconstruction import LevelCount, Reconstruction, level_check

PNG = b"\x89PNG\r\n\x1a\n pretend pixels"


def test_measures_of_an_ellipsoid_match_the_formula(spine: Reconstruction, oblique_image: Volume) -> None:
    report = make_report(spine, oblique_image, {"L3": ["L3.vtp"]})
    l3 = next(item for item in report["structures"] if item["name"] == "L3")
    assert l3["volume_mm3"] == pytest.approx(4 / 3 * np.pi * 25 * 16 * 12, rel=0.02)
    assert (l3["watertight"], l3["self_intersections"]) == (True, 0)
    assert (l3["code"], l3["label"], l3["files"]) == ("36470004", 22, ["L3.vtp"])
    assert l3["support_fraction"] == pytest.approx(float(spine["L3"].support.mean()), abs=1e-4)
    assert l3["uncertainty_p95_mm"] == pytest.approx(
        float(np.percentile(spine["L3"].uncertainty_mm, 95)), abs=1e-3
    )


def test_json_holds_every_part_and_is_standard(
    spine: Reconstruction, oblique_image: Volume, tmp_path: Path
) -> None:
    unknown = replace(
        spine.structures[0], uncertainty_mm=np.full_like(spine.structures[0].uncertainty_mm, np.nan)
    )
    path = write_report_json(
        make_report(replace(spine, structures=[unknown]), oblique_image), tmp_path / "report.json"
    )
    report = json.loads(
        path.read_text("utf-8"), parse_constant=lambda text: pytest.fail(f"{text} is not JSON")
    )
    expected = "engine version weights input device timings_s structures checks warnings"
    assert set(expected.split()) <= set(report)
    assert report["structures"][0]["uncertainty_mean_mm"] is None
    assert report["input"]["size"] == [150, 170, 20] and report["input"]["spacing_mm"] == [1.5, 1.5, 4.0]
    assert re.fullmatch("[0-9a-f]{64}", report["input"]["sha256"])
    assert report["settings"] == {"seed": 3, "slices": "4 mm"}
    assert report["checks"][1]["passed"] is False and report["passed"] is False


def test_the_fingerprint_follows_voxels_and_geometry(spine: Reconstruction, oblique_image: Volume) -> None:
    moved = oblique_image.ijk_to_ras + np.diag([0, 0, 0, 0])
    moved[0, 3] += 1
    prints = {
        make_report(replace(spine, structures=[]), image)["input"]["sha256"]
        for image in (
            oblique_image,
            oblique_image.with_array(oblique_image.array + 1),
            replace(oblique_image, ijk_to_ras=moved),
        )
    }
    assert len(prints) == 3


def test_the_fingerprint_of_the_file_is_preferred(spine: Reconstruction, oblique_image: Volume) -> None:
    given = replace(spine, structures=[], provenance={"input": {"sha256": "cd" * 32, "path": "/home/doe"}})
    assert make_report(given, oblique_image)["input"]["sha256"] == "cd" * 32


def test_nothing_of_the_patient_or_the_machine_is_written(
    spine: Reconstruction, oblique_image: Volume
) -> None:
    report = make_report(spine, oblique_image)
    text = json.dumps(report) + report_html(report, {})
    assert "Doe" not in text and "/home" not in text


def test_the_page_is_well_formed_and_needs_nothing_else(
    spine: Reconstruction, oblique_image: Volume, tmp_path: Path
) -> None:
    (tmp_path / "picture.png").write_bytes(PNG)
    page = report_html(make_report(spine, oblique_image), {"A picture": tmp_path / "picture.png"})
    open_tags: list[str] = []

    class Balance(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            if tag not in ("meta", "img", "br"):
                open_tags.append(tag)
            for name, value in attrs:
                if name in ("src", "href"):
                    assert value is not None and value.startswith("data:")

        def handle_endtag(self, tag: str) -> None:
            assert open_tags.pop() == tag

    Balance().feed(page)
    assert open_tags == []
    assert "url(" not in page and "@import" not in page
    assert "touch &lt;1.4 mm deep&gt;" in page and "S1 &amp; what is below" in page
    assert "Not a medical device" in page


def test_the_summary_comes_first_and_names_what_failed(spine: Reconstruction, oblique_image: Volume) -> None:
    report = make_report(spine, oblique_image)
    sentence = summary(report)
    assert sentence.startswith(
        "Reconstructed 5 vertebrae, 5 discs and 1 sacral body. 1 of 2 checks did not pass (L4)"
    )
    page = report_html(report, {})
    assert page.index(sentence) < page.index("<table")


def test_a_good_result_and_an_empty_one_are_distinguished(
    spine: Reconstruction, oblique_image: Volume
) -> None:
    good = replace(spine, structures=spine.structures[:2], checks=[spine.checks[0]] * 3)
    assert (
        summary(make_report(good, oblique_image))
        == "Reconstructed 1 vertebra and 1 disc. All 3 checks passed."
    )
    empty = replace(spine, structures=[], checks=[])
    assert summary(make_report(empty, oblique_image)) == "Nothing was reconstructed. No checks were made."
    assert "<h2>Structures" not in report_html(make_report(empty, oblique_image), {})


GUESS = LevelCount(
    "none", "The names are a guess: <L5> 60%, L4 40%.", "L5", {"L5": 0.6, "L4": 0.4}, "Use --level L5@1,2,3."
)


def test_a_guess_of_the_levels_is_said_before_anything_else(
    spine: Reconstruction, oblique_image: Volume
) -> None:
    guessed = replace(spine, levels=GUESS, checks=[level_check(GUESS), *spine.checks])
    report = make_report(guessed, oblique_image)
    assert report["levels"] == {
        "anchor": "none",
        "certain": False,
        "statement": GUESS.statement,
        "advice": GUESS.advice,
        "lowest": "L5",
        "probabilities": {"L5": 0.6, "L4": 0.4},
    }
    assert report["structures"][0]["name"] == "L1"  # files and codes keep the plain name
    page = report_html(report, {})
    places = [page.index(text) for text in ("&lt;L5&gt; 60%", "--level L5@1,2,3", "Reconstructed", "<h2>")]
    assert places == sorted(places)
    assert "<b>L1?</b>" in page and "<b>L1-L2?</b>" in page and "<b>S1?</b>" in page
    assert page.count("background:#edb040") == 6  # five vertebrae and S1 in the colour of doubt


def test_names_that_are_certain_have_their_colours_and_no_question_mark(
    spine: Reconstruction, oblique_image: Volume
) -> None:
    counted = LevelCount("sacrum", "The levels are counted up from the sacrum.", "L5")
    page = report_html(make_report(replace(spine, levels=counted), oblique_image), {})
    assert "The levels are counted up from the sacrum." in page
    assert "?</b>" not in page and "b040" not in page

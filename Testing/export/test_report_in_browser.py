"""The report in a real browser: it is drawn, turned, coloured and measured, at the width of a telephone too."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread

from export.browser import Browser, browser
from measures import blocks
from mri2mesh.export.results import write_results
from mri2mesh.geometry.volume import Volume
from mri2mesh.reconstruction import Check

__all__ = ["browser"]

PIXELS = """
function pixels() {
  window.report3d.draw();
  const canvas = document.querySelector("#view3d canvas"), gl = canvas.getContext("webgl");
  const found = new Uint8Array(4 * canvas.width * canvas.height);
  gl.readPixels(0, 0, canvas.width, canvas.height, gl.RGBA, gl.UNSIGNED_BYTE, found);
  return [found, canvas.width, canvas.height];
}
function colours(of) {
  const [found] = pixels();
  let count = 0;
  for (let n = 0; n < found.length; n += 4) if (of(found[n], found[n + 1], found[n + 2])) count++;
  return count;
}
const anything = () => colours((r, g, b) => r + g + b < 750);
const press = (selector) => document.querySelector(selector).click();
"""


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """L3 10 mm to the right of L4, with one failed check; the right halves are not seen."""
    upper = blocks.moved(blocks.vertebra(), blocks.Rotation.identity(), (10, 0, 40))
    made = blocks.reconstruction({"L3": upper, "L4": blocks.vertebra()})
    for item in made.structures:
        item.support[item.mesh.vertices[:, 0] > 12] = 0.0
    check = Check("field of view", 0.4, 0.65, False, "40% of the body is within the image", "L3")
    image = Volume(np.random.default_rng(0).random((30, 30, 30), dtype=np.float32), np.diag([4.0, 4, 4, 1]))
    folder = tmp_path_factory.mktemp("report") / "run"
    write_results(replace(made, checks=[check]), image, folder)
    return folder / "report.html"


def test_the_surfaces_are_drawn_and_turn(browser: Browser, page: Path) -> None:
    script = """
    const before = pixels()[0].slice(), there = anything();
    const canvas = document.querySelector("#view3d canvas");
    const send = (kind, x) => canvas.dispatchEvent(
      new PointerEvent(kind, { pointerId: 1, clientX: x, clientY: 300, buttons: 1, bubbles: true }));
    send("pointerdown", 300); send("pointermove", 380); send("pointerup", 380);
    const after = pixels()[0];
    let changed = 0;
    for (let n = 0; n < after.length; n += 4) changed += Math.abs(after[n] - before[n]) > 20;
    answer = { there: there, changed: changed, size: before.length / 4 };
    """
    found = browser.answers(page, PIXELS + script)
    assert 0.05 < found["there"] / found["size"] < 0.9
    assert found["changed"] > 0.02 * found["size"]


def test_the_patients_right_is_on_the_left_of_the_front_view(browser: Browser, page: Path) -> None:
    """L3 stands 10 mm to the right of L4, above it."""
    script = """
    press('[data-look="front"]');
    document.querySelectorAll("[data-structure]").forEach((box) => { if (box.checked) box.click(); });
    function middle(number) {
      press(`[data-structure="${number}"]`);
      const [found, width, height] = pixels();
      press(`[data-structure="${number}"]`);
      let x = 0, y = 0, count = 0;
      for (let n = 0; n < found.length; n += 4) if (found[n] + found[n + 1] + found[n + 2] < 750) {
        x += (n / 4) % width; y += Math.floor(n / 4 / width); count++;
      }
      return [x / count, y / count, count];
    }
    answer = { l3: middle(0), l4: middle(1), nothing: anything() };
    """
    found = browser.answers(page, PIXELS + script)
    assert found["nothing"] == 0, "everything is switched off"
    assert found["l3"][0] < found["l4"][0] - 10, "the patient's right is on the left"
    assert found["l3"][1] > found["l4"][1] + 50, "L3 is above (rows are counted from below)"


def test_support_can_be_switched_on(browser: Browser, page: Path) -> None:
    script = """
    press('[data-look="front"]');
    const violet = () => colours((r, g, b) => b > 1.1 * r && g < 0.5 * b && r < 110);
    const yellow = () => colours((r, g, b) => r > 1.4 * b && g > 1.4 * b && r > 90);
    press('[data-by="support"]');
    answer = { violet: violet(), yellow: yellow(), legend: document.querySelector('[data-legend="support"]').hidden };
    """
    found = browser.answers(page, PIXELS + script)
    assert found["violet"] > 500 and found["yellow"] > 500 and found["legend"] is False


def test_a_measure_shows_where_it_was_taken(browser: Browser, page: Path) -> None:
    script = """
    const orange = () => colours((r, g, b) => r > 240 && g > 55 && g < 85 && b < 20);
    press('[data-look="left"]');
    const before = orange();
    const button = document.querySelector('[data-measure][title*="Canal, depth"]');
    button.click();
    const during = orange();
    const said = document.querySelector("#view3d .note").textContent;
    button.click();
    answer = { before: before, during: during, after: orange(), said: said };
    """
    found = browser.answers(page, PIXELS + script)
    assert found["before"] == found["after"] == 0 < 20 < found["during"]
    assert found["said"].startswith("L3: Canal, depth.")


def test_on_a_narrow_screen_nothing_is_cut_off_and_what_failed_is_on_the_first(
    browser: Browser, page: Path
) -> None:
    script = """
    answer = {
      wide: document.documentElement.scrollWidth,
      reason: document.querySelector(".summary li").getBoundingClientRect().bottom,
      said: document.querySelector(".summary li").textContent,
      folded: [...document.querySelectorAll("details")].every((one) => !one.open),
    };
    """
    # A headless window is never narrower than 500 pixels, so the page is put into a frame of 420.
    outer = page.with_name("narrow.html")
    frame = f'<iframe src="{page.name}" style="width:420px;height:800px;border:0"></iframe>'
    outer.write_text(f"<!DOCTYPE html><title>x</title><body style='margin:0'>{frame}</body>")
    picture = imread(browser.photograph(outer, page.with_name("narrow.png"), 1000, 800))
    assert picture[:, 420:, :3].min() > 0.99, "nothing sticks out of the frame"
    assert picture[:, :420, :3].min() < 0.2
    found = browser.answers(page, script, 500, 800)
    assert found["wide"] <= 500 and found["reason"] < 400 and found["folded"]
    assert found["said"] == "L3: 40% of the body is within the image"


def test_the_page_asks_for_nothing_from_anywhere(browser: Browser, page: Path) -> None:
    script = 'answer = performance.getEntriesByType("resource").map((one) => one.name.slice(0, 5));'
    assert set(browser.answers(page, script)) <= {"data:"}


def test_a_refused_run_says_why_without_a_view(browser: Browser, tmp_path: Path) -> None:
    check = Check("reconstruction possible", 0.0, 1.0, False, "no vertebra was found in the image")
    image = Volume(np.random.default_rng(0).random((8, 9, 10), dtype=np.float32), np.diag([4.0, 4, 4, 1]))
    write_results(replace(blocks.reconstruction({}), checks=[check]), image, tmp_path / "run")
    script = """
    answer = { view: document.getElementById("view3d"), verdict: document.querySelector(".summary").innerText,
               todo: document.querySelector(".todo").innerText };
    """
    found = browser.answers(tmp_path / "run" / "report.html", script)
    assert found["view"] is None
    assert found["verdict"].startswith("Nothing was reconstructed.")
    assert (
        "no vertebra was found in the image" in found["verdict"] and "Check that the image" in found["todo"]
    )

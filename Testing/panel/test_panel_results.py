"""Results in the panel, of finished runs that come without a worker: what is said, and in which colour."""

from __future__ import annotations

import dataclasses

from host.application import wait_until
from mri2mesh_slicer.panel.messages import DOUBTFUL, GOOD
from mri2mesh_slicer.runs.results import read_run
from panel.clicks import click_at
from scene.made_runs import GUESS, femur_from_two_views, spine_run


def show(panel, slicer, result):
    """The result as a run of the scene, shown."""
    from mri2mesh_slicer.runs.scene_building import add_run

    run = add_run(slicer.mrmlScene, result, [], name="made")
    panel.panel.refresh()
    return run


def colour_of(label) -> str:
    return label.styleSheet.removeprefix("color: ")


def test_passed_is_green_and_what_was_assumed_is_not(panel, slicer, tmp_path):
    result = read_run(femur_from_two_views(tmp_path / "femur"))
    report = dataclasses.replace(result.report, warnings=("assumed, not known: the principal point",))
    assert report.passed
    text = report.text.replace('"warnings": []', '"warnings": ["assumed, not known: the principal point"]')
    assert text != report.text
    show(panel, slicer, dataclasses.replace(result, report=dataclasses.replace(report, text=text)))
    ui = panel.ui
    assert ui.verdictLabel.text == "1 structure; every check passed." and colour_of(ui.verdictLabel) == GOOD
    assert ui.warningsLabel.text.splitlines() == [
        "Scale unknown: millimetres mean nothing in this run.",
        "Assumed, not known: the principal point.",
    ]
    assert colour_of(ui.warningsLabel) == DOUBTFUL and not ui.warningsLabel.isHidden()


def test_a_failed_check_is_not_green_anywhere(panel, slicer, tmp_path):
    show(panel, slicer, read_run(spine_run(tmp_path / "spine")))
    ui = panel.ui
    assert ui.verdictLabel.text == "3 structures; look closely at T12-L1."
    assert colour_of(ui.verdictLabel) == colour_of(ui.warningsLabel) == DOUBTFUL
    assert ui.warningsLabel.text == "The sacrum was not found in the image."


def test_a_guess_of_the_levels_is_said_first_and_in_the_colour_of_doubt(panel, slicer, tmp_path):
    show(panel, slicer, read_run(spine_run(tmp_path / "spine", GUESS)))
    ui = panel.ui
    assert ui.verdictLabel.text.startswith("3 structures; the names of the levels are a guess.")
    assert "Look closely at T12-L1?." in ui.verdictLabel.text
    first = ui.warningsLabel.text.splitlines()[0]
    assert first.startswith(GUESS.statement) and "Click on it" in first and "--level" not in first
    assert colour_of(ui.verdictLabel) == colour_of(ui.warningsLabel) == DOUBTFUL
    assert [ui.resultsTable.item(row, 1).text() for row in range(3)] == ["T12?", "T12-L1?", "L1?"]


def test_a_click_on_no_body_says_so_and_changes_nothing(panel, slicer, tmp_path):
    run, ui = show(panel, slicer, read_run(spine_run(tmp_path / "spine", GUESS))), panel.ui
    for point, says in (((20, -90, 60), "no vertebral body"), ((20, -30, 60), "")):
        ui.levelSelector.setCurrentText("L2")
        ui.levelClickButton.click()
        place = slicer.app.applicationLogic().GetSelectionNode().GetActivePlaceNodeID()
        click_at(slicer, slicer.mrmlScene.GetNodeByID(place), *point)
        wait_until(lambda: slicer.mrmlScene.GetNodeByID(place) is None, 5)  # noqa: B023
        assert says in ui.levelMessage.text.lower() and ui.levelMessage.isHidden() == (not says)
        assert [row.shown for row in run.rows()] == (
            ["T12?", "T12-L1?", "L1?"] if says else ["L2", "L2-L3", "L3"]
        )
    assert ui.verdictLabel.text == "3 structures; look closely at L2-L3."


def test_a_point_that_was_never_placed_goes_with_the_panel(panel, slicer, tmp_path):
    show(panel, slicer, read_run(spine_run(tmp_path / "spine", GUESS)))
    for _ in range(2):
        panel.ui.levelClickButton.click()
        assert slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLMarkupsFiducialNode") == 1
    panel.cleanup()
    assert slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLMarkupsFiducialNode") == 0


def test_levels_that_cannot_be_moved_say_what_to_do_instead(panel, slicer, tmp_path):
    run = show(panel, slicer, read_run(spine_run(tmp_path / "spine")))
    names = [row.name for row in run.rows()]
    for _ in range(12):
        panel.ui.levelDownButton.click()
    assert "the levels known are T7 to L5" in panel.ui.verdictLabel.text
    assert "set the shift in section 2 and press Apply again" in panel.ui.verdictLabel.text
    assert [row.name for row in run.rows()] != names


def test_done_with_a_warning_is_said_in_the_colour_of_doubt(panel):
    section, label = panel.panel.run, panel.ui.messageLabel
    section.begin()
    section.done("Done.", True, None)
    assert colour_of(label) == GOOD
    section.begin()
    section.warning("the field is cut off")
    section.done("Done.", True, None)
    assert label.text == "Done.\nThe field is cut off." and colour_of(label) == DOUBTFUL


def test_the_message_about_a_run_goes_with_it_and_all_else_stays(panel, slicer, tmp_path):
    result, label = read_run(spine_run(tmp_path / "spine")), panel.ui.messageLabel
    for remove in (panel.ui.removeRunButton.click, slicer.mrmlScene.Clear):
        run = show(panel, slicer, result)
        panel.panel.run.done("Done: 3 structures.", True, run)
        panel.panel.refresh()
        assert label.text == "Done: 3 structures." and not label.isHidden()
        remove()
        wait_until(label.isHidden, 5)
        assert label.text == ""
    show(panel, slicer, result)
    panel.panel.run.ended("the image cannot be read", failed=True)
    panel.ui.removeRunButton.click()
    assert label.text == "The image cannot be read."


def test_the_report_opens_as_a_page_and_goes_with_the_panel(panel, slicer, tmp_path, opened):
    show(panel, slicer, read_run(spine_run(tmp_path / "spine")))
    panel.ui.reportButton.click()
    (page,) = opened
    text = page.read_text(encoding="utf-8")
    assert "40% of the disc is within the image" in text and "The sacrum was not found" in text
    assert "renamed" not in text and "The scene keeps no pictures" in text
    panel.ui.levelDownButton.click()
    panel.ui.reportButton.click()
    assert "what it called T12 is L1 here" in opened[-1].read_text(encoding="utf-8")
    panel.cleanup()
    assert not page.exists()


def test_a_report_that_was_deleted_from_the_scene_is_missed_in_words(panel, slicer, tmp_path, opened):
    run = show(panel, slicer, read_run(spine_run(tmp_path / "spine")))
    slicer.mrmlScene.RemoveNode(run.report_text)
    panel.ui.reportButton.click()
    assert opened == [] and "deleted from the scene" in panel.ui.verdictLabel.text
